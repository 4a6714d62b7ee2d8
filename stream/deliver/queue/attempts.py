"""Attempts and the queue: whose turn it is, and what came of it.

An attempt is counted before it is made. So after kill -9 it is known that the endpoint may have the alert.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from stream.core.units import FOREVER_MS
from stream.deliver.plan.head import AlertHead
from stream.deliver.queue.database import ROWS_AT_ONCE, Database, marks
from stream.deliver.queue.rows import AttemptResult, Claim, EndpointState, Outcomes

_ENABLED = " AND NOT EXISTS (SELECT 1 FROM endpoint p WHERE p.name = d.endpoint AND p.disabled_ms > 0)"
"""So a command that disables an endpoint stops it at once, in every process."""
_EARLIER = (
    " AND NOT EXISTS (SELECT 1 FROM delivery e WHERE e.endpoint = d.endpoint AND e.customer = d.customer"
    " AND e.outcome IS NULL AND e.seq < d.seq"
    " AND (e.reason = '' OR e.episode = d.episode OR e.due_ms <= {now}) LIMIT 1 OFFSET 0)"
)
"""The order: of a customer only the oldest delivery without outcome is attempted. One that waits (for the end
of quiet hours, for room in the contact budget) holds up its own episode alone. With OFFSET, PostgreSQL asks
this of each candidate by the index of customers; it joined, and read all that waits for each of them."""
_EARLIER_NOW, _EARLIER_DUE = _EARLIER.format(now="?"), _EARLIER.format(now="d.due_ms")


def claim(
    database: Database, endpoint: str, limit: int, now_ms: int, *, lease_until_ms: int, ordered: bool
) -> list[Claim]:
    """At most `limit` deliveries that are due, the longest due first; no other process gets them for now.

    One statement takes them, so a transaction of the caller's may have more in it.
    """
    chosen = (  # MATERIALIZED: chosen once, also where the planner would do so for each row
        "SELECT d.seq FROM delivery d WHERE d.endpoint = ? AND d.outcome IS NULL AND d.due_ms <= ?"
        " AND d.lease_ms <= ? AND (d.expires_ms IS NULL OR d.expires_ms > ?)"
        f"{_ENABLED}{_EARLIER_NOW if ordered else ''} ORDER BY d.due_ms, d.seq LIMIT ? {database.skip_locked}"
    )
    order_values = (now_ms,) if ordered else ()
    taken = database.rows(
        f"WITH chosen AS MATERIALIZED ({chosen})"
        " UPDATE delivery SET lease_ms = ?, attempts = attempts + 1"
        " WHERE endpoint = ? AND seq IN (SELECT seq FROM chosen) RETURNING seq, failures, reason",
        endpoint, now_ms, now_ms, now_ms, *order_values, limit, lease_until_ms, endpoint,
    )  # fmt: skip
    alerts = _alerts(database, [seq for seq, _, _ in taken])
    return [
        Claim(seq, endpoint, *alerts[seq][:2], failed, alerts[seq][2], str(reason or ""))
        for seq, failed, reason in sorted(taken)
    ]


def _alerts(database: Database, numbers: Sequence[int]) -> dict[int, tuple[AlertHead, bytes, int]]:
    """Number -> the alert, its body, and when it was read."""
    marks = ", ".join("?" * len(numbers))
    read = database.rows(
        "SELECT seq, alert_id, customer, episode, kind, state, tier, at_ms, at_stake_minor, expires_ms, arm,"
        f" zone, body, read_ms FROM alert WHERE seq IN ({marks})",
        *numbers,
    ) if numbers else []  # fmt: skip
    return {seq: (AlertHead(*head), bytes(body), int(read_ms)) for seq, *head, body, read_ms in read}


def settle(database: Database, results: Sequence[AttemptResult]) -> None:
    """Write what came of attempts; an accepted delivery stays accepted, whatever happened meanwhile."""
    with database.transaction():
        for some in _each_once(results):
            written = sorted(map(_written, some), key=itemgetter(1))  # as other transactions lock them
            database.run(
                "UPDATE delivery SET lease_ms = 0, reported = 0, due_ms = v.column3,"
                " attempts = attempts - v.column4, failures = failures + v.column5, outcome = v.column6,"
                " reason = v.column7, ended_ms = v.column8, status = v.column9, detail = v.column10"
                f" FROM (VALUES {marks(written)}) AS v WHERE endpoint = v.column1 AND seq = v.column2"
                " AND (outcome IS NULL OR v.column6 = 'accepted')",
                *chain.from_iterable(written),
            )
        for name in {each.endpoint for each in results}:
            _count_for_endpoint(database, name, [each for each in results if each.endpoint == name])


def _each_once(results: Sequence[AttemptResult]) -> Iterator[Sequence[AttemptResult]]:
    """The results in their order, for statements that change each delivery at most once."""
    some: dict[tuple[str, int], AttemptResult] = {}
    for each in results:
        if (each.endpoint, each.seq) in some or len(some) == ROWS_AT_ONCE:
            yield list(some.values())
            some = {}
        some[each.endpoint, each.seq] = each
    if some:
        yield list(some.values())


def _written(each: AttemptResult) -> tuple[Any, ...]:
    return (
        each.endpoint, each.seq, each.due_ms, 0 if each.counts else 1,
        0 if each.accepted or not each.counts else 1, each.outcome, each.reason,
        each.ended_ms if each.outcome else 0, each.status, each.detail,
    )  # fmt: skip


def _count_for_endpoint(database: Database, name: str, results: Iterable[AttemptResult]) -> None:
    """Since when an endpoint fails, how often, and until when it asked to be left alone."""
    counted = [each for each in results if each.counts]
    if not all(each.accepted for each in counted):  # one that never failed needs no row
        database.run("INSERT INTO endpoint (name) VALUES (?) ON CONFLICT DO NOTHING", name)
    if any(each.accepted for each in counted):
        database.run(
            "UPDATE endpoint SET failing_since_ms = 0, failures = 0 WHERE name = ? AND failures > 0", name
        )
    holds_ms = max((each.hold_until_ms for each in counted), default=0)
    if holds_ms:
        database.run(
            "UPDATE endpoint SET hold_until_ms = ? WHERE name = ? AND hold_until_ms < ?",
            holds_ms, name, holds_ms,
        )  # fmt: skip
    accepted = [number for number, each in enumerate(counted) if each.accepted]
    failed = counted[accepted[-1] + 1 :] if accepted else counted
    if failed:
        database.run(
            "UPDATE endpoint SET failures = failures + ?, failing_since_ms ="
            " CASE WHEN failing_since_ms = 0 THEN ? ELSE failing_since_ms END WHERE name = ?",
            len(failed), failed[0].ended_ms, name,
        )  # fmt: skip


def end_overdue(database: Database, now_ms: int, disabled: Sequence[str]) -> Outcomes:
    """End what has expired, and what is queued for endpoints that are disabled; not what is under way."""
    ended: Outcomes = Counter()
    with database.transaction():
        over = database.rows(
            "UPDATE delivery SET outcome = 'expired', reason = '', ended_ms = ?"
            " WHERE outcome IS NULL AND expires_ms <= ? AND lease_ms <= ? RETURNING endpoint",
            now_ms,
            now_ms,
            now_ms,
        )
        for (endpoint,) in over:
            ended[endpoint, "expired", ""] += 1
        for name in disabled:
            count = database.changed(
                "UPDATE delivery SET outcome = 'disabled', reason = '', ended_ms = ?"
                " WHERE endpoint = ? AND outcome IS NULL AND lease_ms <= ?",
                now_ms,
                name,
                now_ms,
            )
            if count:
                ended[name, "disabled", ""] += count
    return ended


def next_due_ms(database: Database, endpoint: str, ordered: bool) -> int:
    """The earliest instant at which an attempt for this endpoint is due; FOREVER_MS without any."""
    found = database.rows(
        "SELECT d.due_ms FROM delivery d WHERE d.endpoint = ? AND d.outcome IS NULL AND d.lease_ms = 0"
        f"{_EARLIER_DUE if ordered else ''} ORDER BY d.due_ms, d.seq LIMIT 1",
        endpoint,
    )
    return int(found[0][0]) if found else FOREVER_MS


def end_leases(database: Database) -> int:
    """At the start of the only process: attempts of an earlier one are under way no more. How many."""
    with database.transaction():
        return database.changed("UPDATE delivery SET lease_ms = 0 WHERE outcome IS NULL AND lease_ms > 0")


def endpoint_states(database: Database) -> dict[str, EndpointState]:
    """What the queue knows of each endpoint that was ever used."""
    read = database.rows(
        "SELECT name, disabled_ms, reason, failing_since_ms, failures, hold_until_ms FROM endpoint"
    )
    return {row[0]: EndpointState(*row) for row in read}


def note_endpoints(database: Database, names: Sequence[str]) -> None:
    """These are endpoints: commands know them from now on, also before anything was sent."""
    with database.transaction():
        for name in names:
            database.run("INSERT INTO endpoint (name) VALUES (?) ON CONFLICT DO NOTHING", name)


def disable(database: Database, name: str, reason: str, now_ms: int) -> Outcomes:
    """Nothing more is sent to an endpoint; what is queued for it ends as disabled."""
    with database.transaction():
        database.run(
            "INSERT INTO endpoint (name, disabled_ms, reason) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET disabled_ms = excluded.disabled_ms, reason = excluded.reason",
            name,
            now_ms,
            reason,
        )
    return end_overdue(database, now_ms, [name])


def enable(database: Database, name: str) -> bool:
    """Send to an endpoint again; returns whether it was disabled."""
    with database.transaction():
        return bool(
            database.changed(
                "UPDATE endpoint SET disabled_ms = 0, reason = '', failing_since_ms = 0, failures = 0,"
                " hold_until_ms = 0 WHERE name = ? AND disabled_ms > 0",
                name,
            )
        )
