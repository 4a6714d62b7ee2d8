"""From the alerts topic into the queue: deliveries and the offset that follows are one transaction.

So whenever the process ends, an alert is in the queue and its offset is past, or neither is true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from stream.deliver.plan.admission import Admission, EarlierDelivery
from stream.deliver.plan.head import AlertHead
from stream.deliver.queue.database import Database, marks, portions
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
        new: list[ReadAlert] = []
        for record in records:
            partition = record.partition
            if partition not in nexts:
                nexts[partition] = next_offset(database, topic, partition)
            if record.offset < nexts[partition]:
                continue
            nexts[partition] = record.offset + 1
            if record.head is None:
                intake.keep_unread(record)
            else:
                new.append(record)
        intake.queue(new, endpoints)
        for partition, offset in nexts.items():
            move_position(database, topic, partition, offset)
    return intake.ended


Found = dict[str, dict[str, dict[int, EarlierDelivery]]]
"""Episode -> endpoint -> number of an alert -> what became of it there."""


class _Intake:
    """Inserts the records of one transaction: each kind of statement for all of them together, so that a
    database beyond a network is asked four times for a batch, not three times for an alert."""

    def __init__(self, database: Database, topic: str, decide: Decide, now_ms: int) -> None:
        self.ended: Outcomes = Counter()
        self.erased: dict[str, int] = {}
        self._database, self._topic, self._decide, self._now_ms = database, topic, decide, now_ms
        self._deliveries: list[tuple[Any, ...]] = []
        self._superseded: list[tuple[Any, ...]] = []

    def keep_unread(self, record: ReadAlert) -> None:
        """A record that is no alert is remembered with its reason."""
        self._database.run(
            "INSERT INTO unread VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            self._topic, record.partition, record.offset, record.fault, self._now_ms,
        )  # fmt: skip

    def queue(self, records: Sequence[ReadAlert], endpoints: Sequence[str]) -> None:
        """Queue each alert for each endpoint, or note the outcome that it has there at once; alerts that the
        queue has already are left out."""
        numbered = [
            (record, record.head, seq)
            for record, seq in zip(records, self._insert_alerts(records), strict=True)
            if record.head is not None and seq is not None
        ]
        found = self._found({head.episode: None for _, head, _ in numbered})
        for record, head, seq in numbered:
            for endpoint in endpoints:
                here = found.setdefault(head.episode, {}).setdefault(endpoint, {})
                self._decide_here(record, head, seq, endpoint, here)
        for some in portions(self._deliveries):
            self._database.run(
                "INSERT INTO delivery (endpoint, seq, customer, episode, due_ms, expires_ms, outcome, reason,"
                f" ended_ms) VALUES {marks(some)}",
                *chain.from_iterable(some),
            )
        for values in self._superseded:
            self._database.run(
                "UPDATE delivery SET outcome = 'superseded', reason = '', ended_ms = ?"
                " WHERE endpoint = ? AND seq = ?",
                *values,
            )

    def _insert_alerts(self, records: Sequence[ReadAlert]) -> list[int | None]:
        """The number of each alert; None for one that the queue has already, or that came twice."""
        made: dict[str, int] = {}
        values = [self._alert_values(each, each.head) for each in records if each.head is not None]
        for some in portions(values):
            rows = self._database.rows(
                "INSERT INTO alert (alert_id, customer, episode, kind, state, tier, at_stake_minor, at_ms,"
                f" expires_ms, arm, body, origin, read_ms, erasing, zone) VALUES {marks(some)}"
                " ON CONFLICT (alert_id) DO NOTHING RETURNING alert_id, seq",
                *chain.from_iterable(some),
            )
            made |= {alert_id: int(seq) for alert_id, seq in rows}
        return [made.pop(each.head.alert_id, None) for each in records if each.head is not None]

    def _alert_values(self, record: ReadAlert, head: AlertHead) -> tuple[Any, ...]:
        return (
            head.alert_id, head.customer, head.episode, head.kind, head.state, head.tier,
            head.at_stake_minor, head.at_ms, head.expires_ms, head.arm, record.body,
            f"{self._topic}/{record.partition}/{record.offset}", self._now_ms,
            int(is_of_erased(head, self.erased)), head.zone,
        )  # fmt: skip

    def _found(self, episodes: Iterable[str]) -> Found:
        """What the queue knows of these episodes, locked until the end of the transaction."""
        found: Found = {}
        for some in portions(list(episodes)):
            read = self._database.rows(
                "SELECT episode, endpoint, seq, attempts, outcome, reason FROM delivery"
                f" WHERE episode IN ({', '.join('?' * len(some))})"
                f" ORDER BY seq, endpoint {self._database.locked}",
                *some,
            )
            for episode, endpoint, seq, attempts, outcome, reason in read:
                here = found.setdefault(episode, {}).setdefault(endpoint, {})
                here[int(seq)] = EarlierDelivery(attempts, outcome, reason)
        return found

    def _decide_here(
        self, record: ReadAlert, head: AlertHead, seq: int, endpoint: str, found: dict[int, EarlierDelivery]
    ) -> None:
        """`found`: the episode's earlier alerts there, also those of this transaction; it is kept up."""
        decision = self._decide(record, head, endpoint, list(found.values()))
        if not head.is_end and is_of_erased(head, self.erased):
            decision = Admission("suppressed", "erased")
        for number, earlier in list(found.items()) if decision.supersedes else ():
            if earlier.outcome is None:
                self._superseded.append((self._now_ms, endpoint, number))
                found[number] = EarlierDelivery(earlier.attempts, "superseded")
                self.ended[endpoint, "superseded", ""] += 1
        if decision.outcome is not None:
            self.ended[endpoint, decision.outcome, decision.reason] += 1
        found[seq] = EarlierDelivery(0, decision.outcome, decision.reason)
        self._deliveries.append(
            (endpoint, seq, head.customer, head.episode, self._now_ms, head.expires_ms, decision.outcome,
             decision.reason, self._now_ms if decision.outcome else 0)
        )  # fmt: skip
