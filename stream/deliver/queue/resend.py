"""Deliveries that ended are sent once more, under the same webhook-id; and old ones are forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from stream.deliver.plan.head import ENDS
from stream.deliver.queue.database import Database
from stream.deliver.queue.listing import Selection, stored_deliveries
from stream.deliver.queue.rows import StoredDelivery

STAYS = {
    "expired": "its expirytime is over; nothing is sent after it",
    "over": "its episode has ended; the receiver would begin what is over",
    "held_out": "the customer is held out by an experiment",
    "pending": "it is queued already",
    "erased": "its customer was erased",
}
"""Why a delivery is not sent again."""
BATCH = 200


class ResendCounts(Struct, frozen=True):
    """What a resend did, or would do."""

    queued: int
    staying: dict[str, int]
    """Reason (a key of STAYS) -> how many."""


def resend(
    database: Database,
    selection: Selection,
    now_ms: int,
    *,
    reasons: Iterable[str] = (),
    dry_run: bool = False,
) -> ResendCounts:
    """Queue the selected deliveries again, with a schedule from its start.

    `reasons`: of suppressed deliveries only these; empty: all. Each is due at once, in the order of reading.
    """
    wanted = frozenset(reasons)
    staying: Counter[str] = Counter()
    chosen = []
    for each in stored_deliveries(database, selection):
        if wanted and each.reason not in wanted:
            continue
        stays = _why_it_stays(database, each, now_ms)
        if stays:
            staying[stays] += 1
        else:
            chosen.append((each.endpoint, each.alert_id))
    queued = len(chosen)
    if not dry_run:
        queued = 0
        for first in range(0, len(chosen), BATCH):
            with database.transaction():
                queued += sum(_queue(database, *each, now_ms) for each in chosen[first : first + BATCH])
    return ResendCounts(queued, dict(staying))


def _why_it_stays(database: Database, each: StoredDelivery, now_ms: int) -> str:
    checks = (
        (not each.outcome, "pending"),
        (_is_erased(database, each.alert_id), "erased"),
        (each.reason == "holdout", "held_out"),
        (each.expires_ms is not None and each.expires_ms <= now_ms, "expired"),
        (each.state not in ENDS and _is_over(database, each.alert_id), "over"),
    )
    return next((name for wrong, name in checks if wrong), "")


def _is_over(database: Database, alert_id: str) -> bool:
    """Whether the end of the alert's episode was read."""
    marks = ", ".join("?" * len(ENDS))
    return bool(
        database.rows(
            "SELECT 1 FROM alert a JOIN alert o ON o.episode = a.episode"
            f" WHERE a.alert_id = ? AND o.state IN ({marks}) LIMIT 1",
            alert_id,
            *sorted(ENDS),
        )
    )


def _is_erased(database: Database, alert_id: str) -> bool:
    return bool(database.rows("SELECT 1 FROM alert WHERE alert_id = ? AND erasing > 0", alert_id))


def _queue(database: Database, endpoint: str, alert_id: str, now_ms: int) -> int:
    """1 when it was queued; 0 when another process did so meanwhile."""
    return database.changed(
        "UPDATE delivery SET outcome = NULL, reason = '', ended_ms = 0, due_ms = ?, lease_ms = 0,"
        " reported = 0, failures = 0, resends = resends + 1 WHERE endpoint = ? AND outcome IS NOT NULL"
        " AND seq = (SELECT seq FROM alert WHERE alert_id = ? AND erasing = 0)",
        now_ms,
        endpoint,
        alert_id,
    )


def forget(database: Database, before_ms: int, limit: int = 1_000) -> int:
    """Delete deliveries that ended before an instant, and alerts without any; at most so many at once."""
    with database.transaction():
        gone = database.rows(
            "DELETE FROM delivery WHERE (endpoint, seq) IN (SELECT endpoint, seq FROM delivery"
            " WHERE outcome IS NOT NULL AND reported = 1 AND ended_ms < ? ORDER BY ended_ms LIMIT ?)"
            " RETURNING seq",
            before_ms,
            limit,
        )
        database.run(
            "DELETE FROM alert WHERE seq IN (SELECT a.seq FROM alert a WHERE a.read_ms < ?"
            " AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.seq = a.seq) LIMIT ?)",
            before_ms,
            limit,
        )
        database.run("DELETE FROM unread WHERE read_ms < ?", before_ms)
    return len(gone)
