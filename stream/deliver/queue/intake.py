"""From the alerts topic into the queue: deliveries and the offset that follows are one transaction.

So whenever the process ends, an alert is in the queue and its offset is past, or neither is true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from stream.deliver.plan.admission import Admission, EarlierDelivery
from stream.deliver.plan.head import AlertHead
from stream.deliver.queue.database import Database
from stream.deliver.queue.erased import erased_among, is_of_erased
from stream.deliver.queue.offsets import move_position, next_offset
from stream.deliver.queue.rows import Outcomes, ReadAlert

Decide = Callable[[ReadAlert, AlertHead, str, Sequence[EarlierDelivery]], Admission]
"""Record, its alert, endpoint, what is known of the episode there."""


def take_in(
    database: Database,
    topic: str,
    records: Sequence[ReadAlert],
    *,
    endpoints: Sequence[str],
    decide: Decide,
    now_ms: int,
) -> Outcomes:
    """Queue the alerts of these records for each endpoint; returns the outcomes that some have at once.

    Records whose offset is past are left out, and so are alerts that the queue has already.
    """
    intake = _Intake(database, topic, decide, now_ms)
    nexts: dict[int, int] = {}
    with database.transaction():
        intake.erased = erased_among(database, (each.head.customer for each in records if each.head))
        for record in records:
            partition = record.partition
            if partition not in nexts:
                nexts[partition] = next_offset(database, topic, partition)
            if record.offset < nexts[partition]:
                continue
            nexts[partition] = record.offset + 1
            if record.head is None:
                intake.keep_unread(record)
                continue
            seq = intake.insert_alert(record, record.head)
            if seq is not None:
                intake.insert_deliveries(record, record.head, seq, endpoints)
        for partition, offset in nexts.items():
            move_position(database, topic, partition, offset)
    return intake.ended


class _Intake:
    """Inserts the records of one transaction."""

    def __init__(self, database: Database, topic: str, decide: Decide, now_ms: int) -> None:
        self.ended: Outcomes = Counter()
        self.erased: dict[str, int] = {}
        self._database, self._topic, self._decide, self._now_ms = database, topic, decide, now_ms

    def keep_unread(self, record: ReadAlert) -> None:
        """A record that is no alert is remembered with its reason."""
        self._database.run(
            "INSERT INTO unread VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            self._topic, record.partition, record.offset, record.fault, self._now_ms,
        )  # fmt: skip

    def insert_alert(self, record: ReadAlert, head: AlertHead) -> int | None:
        """The alert's number; None when the queue has it already."""
        made = self._database.rows(
            "INSERT INTO alert (alert_id, customer, episode, kind, state, tier, at_stake_minor, at_ms,"
            " expires_ms, arm, body, origin, read_ms, erasing, zone)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (alert_id) DO NOTHING RETURNING seq",
            head.alert_id, head.customer, head.episode, head.kind, head.state, head.tier,
            head.at_stake_minor, head.at_ms, head.expires_ms, head.arm, record.body,
            f"{self._topic}/{record.partition}/{record.offset}", self._now_ms,
            int(is_of_erased(head, self.erased)), head.zone,
        )  # fmt: skip
        return int(made[0][0]) if made else None

    def insert_deliveries(
        self, record: ReadAlert, head: AlertHead, seq: int, endpoints: Sequence[str]
    ) -> None:
        """Queue the alert for each endpoint, or note the outcome that it has there at once."""
        found = self._database.rows(
            "SELECT endpoint, attempts, outcome, reason, seq FROM delivery"
            f" WHERE episode = ? {self._database.locked}",
            head.episode,
        )
        for endpoint in endpoints:
            here = [row[1:] for row in found if row[0] == endpoint]
            self._insert_delivery(record, head, seq, endpoint, here)

    def _insert_delivery(
        self, record: ReadAlert, head: AlertHead, seq: int, endpoint: str, found: Sequence[tuple[Any, ...]]
    ) -> None:
        """`found`: attempts, outcome, reason and number of the episode's earlier alerts there."""
        database = self._database
        earlier = [EarlierDelivery(attempts, outcome, reason) for attempts, outcome, reason, _ in found]
        decision = self._decide(record, head, endpoint, earlier)
        if not head.is_end and is_of_erased(head, self.erased):
            decision = Admission("suppressed", "erased")
        for _, outcome, _, number in found if decision.supersedes else ():
            if outcome is None:
                database.run(
                    "UPDATE delivery SET outcome = 'superseded', reason = '', ended_ms = ?"
                    " WHERE endpoint = ? AND seq = ?",
                    self._now_ms,
                    endpoint,
                    number,
                )
                self.ended[endpoint, "superseded", ""] += 1
        if decision.outcome is not None:
            self.ended[endpoint, decision.outcome, decision.reason] += 1
        database.run(
            "INSERT INTO delivery (endpoint, seq, customer, episode, due_ms, expires_ms, outcome, reason,"
            " ended_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            endpoint, seq, head.customer, head.episode, self._now_ms, head.expires_ms, decision.outcome,
            decision.reason, self._now_ms if decision.outcome else 0,
        )  # fmt: skip
