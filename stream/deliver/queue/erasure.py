"""Customers are erased: what the queue holds of their alerts goes as soon as nothing has to be sent of it.

The body of an alert goes at once. Where a receiver may have begun something, the end of the episode is sent
first, and its body goes then. For a week the customer is remembered, to tell the alerts that come after the
erasure from those of somebody who comes back: with STREAM_ERASURE_KEY by a pseudonym, and rows with the id go
as soon as they are reported; without it by the id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from stream.core.facts.profile import ERASURE_GRACE_MS
from stream.deliver.plan.head import ENDS
from stream.deliver.queue.database import Database
from stream.deliver.queue.erased import names_of
from stream.deliver.queue.mutes import forget_mute, note_consent, note_mute
from stream.deliver.queue.offsets import move_position, next_offset
from stream.deliver.queue.rows import Outcomes, ReadConsent, ReadControl, ReadErasure, ReadMute

_ERASING = "erasing > 0 AND erasing = 1"
"""The first part is what the index alert_erasing is of: SQLite does not conclude it from the second one."""
_ENDS = ", ".join(f"'{state}'" for state in sorted(ENDS))


def take_control(
    database: Database,
    topic: str,
    records: Sequence[ReadControl],
    offsets: Mapping[int, int],
    now_ms: int,
) -> Outcomes:
    """Take in records of the control topic, which were read up to `offsets`; what ends because of them.

    Customers, alerts and offsets are one transaction. What was read before is left out.
    """
    ended: Outcomes = Counter()
    wiped = 0
    with database.transaction():
        nexts = {partition: next_offset(database, topic, partition) for partition in offsets}
        for each in records:
            if each.offset < nexts[each.partition]:
                continue
            if isinstance(each, ReadMute):
                note_mute(database, each, now_ms)
                continue
            if isinstance(each, ReadConsent):
                note_consent(database, each, now_ms)
                continue
            _note_erased(database, each.customer, each.at_ms, now_ms)
        for partition, offset in offsets.items():
            if offset > nexts[partition]:
                move_position(database, topic, partition, offset)
        if any(isinstance(each, ReadErasure) for each in records):
            ended, wiped = _end_and_wipe(database, now_ms)
    if wiped:
        database.overwrite_deleted()
    return ended


def erase_now(database: Database, customer: str, at_ms: int, now_ms: int) -> None:
    """Erase a customer before the erasure is read from the control topic, which changes nothing then."""
    with database.transaction():
        _note_erased(database, customer, at_ms, now_ms)
        _end_and_wipe(database, now_ms)
        _forget_wiped(database, 1_000)


def _note_erased(database: Database, customer: str, at_ms: int, now_ms: int) -> None:
    forget_mute(database, customer)
    database.run(
        "INSERT INTO erased (customer, at_ms, read_ms) VALUES (?, ?, ?) ON CONFLICT (customer)"
        " DO UPDATE SET at_ms = excluded.at_ms, read_ms = excluded.read_ms",
        names_of(database, customer)[0], at_ms, now_ms,
    )  # fmt: skip
    database.run("UPDATE alert SET erasing = 1 WHERE customer = ? AND erasing = 0", customer)


def finish_erasures(database: Database, now_ms: int) -> Outcomes:
    """What was under way when its customer was erased, or had to be sent first, goes now."""
    with database.transaction():
        if not database.rows(f"SELECT 1 FROM alert WHERE {_ERASING} LIMIT 1"):
            return Counter()
        ended, wiped = _end_and_wipe(database, now_ms)
    if wiped:
        database.overwrite_deleted()
    return ended


def forget_erased(database: Database, now_ms: int, limit: int = 100) -> None:
    """The ids of erased customers go with the rows that hold them, some at once: with a key as soon as these
    have been reported, else a week after the erasure. What tells late alerts from new ones goes after a
    week."""
    with database.transaction():
        _forget_wiped(database, limit)
        over = database.rows(
            "SELECT customer FROM erased WHERE read_ms < ? ORDER BY read_ms LIMIT ?",
            now_ms - ERASURE_GRACE_MS, limit,
        )  # fmt: skip
        for (customer,) in over:
            rows = "(SELECT seq FROM alert WHERE customer = ? AND erasing > 0)"
            busy = f"SELECT 1 FROM delivery WHERE (outcome IS NULL OR reported = 0) AND seq IN {rows} LIMIT 1"
            if database.rows(busy, customer):
                continue
            database.run(f"DELETE FROM delivery WHERE seq IN {rows}", customer)
            database.run("DELETE FROM alert WHERE customer = ? AND erasing > 0", customer)
            database.run("DELETE FROM erased WHERE customer = ?", customer)


def _forget_wiped(database: Database, limit: int) -> None:
    """With a key: delete alerts without a body of which every outcome is on the deliveries topic."""
    if not database.pseudonyms:
        return
    over = database.rows(
        "SELECT seq FROM alert WHERE erasing > 0 AND erasing = 2 AND NOT EXISTS (SELECT 1 FROM delivery d"
        " WHERE d.seq = alert.seq AND (d.outcome IS NULL OR d.reported = 0)) ORDER BY seq LIMIT ?",
        limit,
    )
    for (seq,) in over:
        database.run("DELETE FROM delivery WHERE seq = ?", seq)
        database.run("DELETE FROM alert WHERE seq = ?", seq)


def _end_and_wipe(database: Database, now_ms: int) -> tuple[Outcomes, int]:
    """What ended because of an erasure, and of how many alerts the bodies are gone."""
    over = database.rows(
        "UPDATE delivery SET outcome = 'suppressed', reason = 'erased', ended_ms = ? WHERE outcome IS NULL"
        f" AND lease_ms <= ? AND seq IN (SELECT seq FROM alert WHERE {_ERASING} AND state NOT IN ({_ENDS}))"
        " RETURNING endpoint",
        now_ms, now_ms,
    )  # fmt: skip
    wiped = database.changed(
        f"UPDATE alert SET body = ?, erasing = 2 WHERE {_ERASING} AND NOT EXISTS"
        " (SELECT 1 FROM delivery d WHERE d.seq = alert.seq AND d.outcome IS NULL)",
        b"",
    )
    return Counter((endpoint, "suppressed", "erased") for (endpoint,) in over), wiped
