"""Outcomes that are not on the deliveries topic yet: an outcome and the note that it is missing there are one
row, so it is written at least once, whenever the process ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from msgspec import Struct

from stream.core.alerts.alert import rfc3339
from stream.core.alerts.delivery import DeliveryData, DeliveryRecord, delivery_record
from stream.deliver.queue.database import Database, marks, portions

LEASE_MS = 60_000
"""After so long another process may write a report that one had chosen."""
REPORTS_AT_ONCE = 500


class Report(Struct, frozen=True):
    """A delivery that ended, and the record about it."""

    seq: int
    ended_ms: int
    record: DeliveryRecord


def unreported(database: Database, now_ms: int, limit: int = REPORTS_AT_ONCE) -> list[Report]:
    """Deliveries whose outcome is to be written, the oldest alerts first; no other process gets them for
    now."""
    lease_ms = now_ms if database.alone else now_ms + LEASE_MS
    chosen = (
        "SELECT d.endpoint, d.seq FROM delivery d WHERE d.outcome IS NOT NULL AND d.reported = 0"
        f" AND d.lease_ms <= ? ORDER BY d.seq LIMIT ? {database.skip_locked}"
    )
    with database.transaction():
        taken = database.rows(
            f"WITH chosen AS MATERIALIZED ({chosen}) UPDATE delivery SET lease_ms = ?"
            " WHERE outcome IS NOT NULL AND (endpoint, seq) IN (SELECT endpoint, seq FROM chosen)"
            " RETURNING seq, endpoint, outcome, reason, ended_ms, attempts, resends, sent_ms",
            now_ms, limit, lease_ms,
        )  # fmt: skip
        if not taken:
            return []
        numbers = sorted({row[0] for row in taken})
        marks = ", ".join("?" * len(numbers))
        known = database.rows(
            f"SELECT seq, alert_id, customer, episode, kind, state, arm FROM alert WHERE seq IN ({marks})",
            *numbers,
        )
    alerts = {row[0]: row[1:] for row in known}
    return [_report(row, alerts[row[0]]) for row in sorted(taken)]


def mark_reported(database: Database, reports: Sequence[Report]) -> None:
    """They are on the topic. One that was sent again or ended otherwise meanwhile is to be written again."""
    ended = [
        (data.endpoint, each.seq, data.outcome, data.reason, each.ended_ms)
        for each in reports
        for data in (each.record.data,)
    ]
    with database.transaction():
        for some in portions(ended):
            database.run(
                f"UPDATE delivery SET reported = 1, lease_ms = 0 FROM (VALUES {marks(some)}) AS v"
                " WHERE endpoint = v.column1 AND seq = v.column2"
                " AND outcome = v.column3 AND reason = v.column4 AND ended_ms = v.column5",
                *chain.from_iterable(some),
            )


def _report(ended: tuple[Any, ...], alert: tuple[Any, ...]) -> Report:
    seq, endpoint, outcome, reason, ended_ms, attempts, resends, sent_ms = ended
    alert_id, customer, episode, kind, state, arm = alert
    data = DeliveryData(
        alert_id=alert_id,
        endpoint=endpoint,
        outcome=outcome,
        reason=reason,
        arm=arm,
        at=rfc3339(ended_ms),
        sent_at=rfc3339(sent_ms) if sent_ms else None,
        kind=kind,
        state=state,
        episode=episode,
        attempts=attempts,
    )
    return Report(seq, ended_ms, delivery_record(customer, ended_ms, resends, data))
