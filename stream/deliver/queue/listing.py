"""What the queue holds, for people: counts, and deliveries by their outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from stream.deliver.queue.database import Database
from stream.deliver.queue.rows import StoredDelivery, Tally

PAGE_ROWS = 500


class Selection(Struct, frozen=True):
    """Which deliveries; an empty field leaves nothing out."""

    outcomes: tuple[str, ...] = ()
    endpoint: str = ""
    since_ms: int = 0
    """Read at or after this instant."""
    customer: str = ""
    alert_id: str = ""


def tallies(database: Database) -> list[Tally]:
    """Deliveries by endpoint, outcome and reason; an empty outcome is pending."""
    read = database.rows(
        "SELECT endpoint, COALESCE(outcome, ''), reason, COUNT(*) FROM delivery"
        " GROUP BY endpoint, outcome, reason ORDER BY endpoint, outcome, reason"
    )
    return [Tally(*row) for row in read]


def known_endpoints(database: Database) -> list[str]:
    """The endpoints with which delivery was ever started, or that have deliveries, by name."""
    read = database.rows("SELECT name FROM endpoint UNION SELECT DISTINCT endpoint FROM delivery")
    return sorted(str(name) for (name,) in read)


def oldest_pending_ms(database: Database) -> dict[str, int]:
    """Endpoint -> since when the oldest alert without outcome waits for the endpoint; without those that have
    none. What waits for the end of quiet hours, of a mute, or for room in the contact budget is not late."""
    read = database.rows(
        "SELECT d.endpoint, MIN(CASE WHEN d.sent_ms > 0 THEN d.sent_ms ELSE a.read_ms END) FROM delivery d"
        " JOIN alert a ON a.seq = d.seq WHERE d.outcome IS NULL AND d.reason = '' GROUP BY d.endpoint"
    )
    return {name: int(read_ms) for name, read_ms in read}


def pending(database: Database) -> dict[str, int]:
    """Endpoint -> deliveries without outcome."""
    read = database.rows("SELECT endpoint, COUNT(*) FROM delivery WHERE outcome IS NULL GROUP BY endpoint")
    return {name: int(count) for name, count in read}


def unread_records(database: Database, limit: int) -> tuple[int, list[tuple[str, str]]]:
    """How many records of the topic were no alerts; of the latest ones where they are, and why."""
    ((count,),) = database.rows("SELECT COUNT(*) FROM unread")
    read = database.rows(
        "SELECT topic, partition_number, record_offset, reason FROM unread"
        " ORDER BY read_ms DESC, record_offset DESC LIMIT ?",
        limit,
    )
    return int(count), [
        (f"{topic}/{partition}/{offset}", reason) for topic, partition, offset, reason in read
    ]


def stored_deliveries(database: Database, selection: Selection) -> Iterator[StoredDelivery]:
    """The deliveries in the order of reading, page by page: no transaction stays open between two of them."""
    where, values = _conditions(selection)
    after: tuple[Any, ...] = (-1, "")
    while True:
        read = database.rows(
            "SELECT d.seq, d.endpoint, a.alert_id, d.endpoint, d.customer, a.kind, a.state,"
            " COALESCE(d.outcome, ''), d.reason, d.attempts, d.status, d.detail, a.read_ms, d.ended_ms,"
            " d.due_ms, d.expires_ms FROM delivery d JOIN alert a ON a.seq = d.seq"
            f" WHERE (d.seq > ? OR (d.seq = ? AND d.endpoint > ?)){where}"
            " ORDER BY d.seq, d.endpoint LIMIT ?",
            after[0], *after, *values, PAGE_ROWS,
        )  # fmt: skip
        for row in read:
            yield StoredDelivery(*row[2:])
        if len(read) < PAGE_ROWS:
            return
        after = (read[-1][0], read[-1][1])


def _conditions(selection: Selection) -> tuple[str, Sequence[Any]]:
    """A part of a WHERE, and its values."""
    parts: list[str] = []
    values: list[Any] = []
    for condition, value in (
        ("d.endpoint = ?", selection.endpoint),
        ("a.read_ms >= ?", selection.since_ms),
        ("d.customer = ?", selection.customer),
        ("a.alert_id = ?", selection.alert_id),
    ):
        if value:
            parts.append(condition)
            values.append(value)
    if selection.outcomes:
        marks = ", ".join("?" * len(selection.outcomes))
        parts.append(f"COALESCE(d.outcome, '') IN ({marks})")
        values += selection.outcomes
    return "".join(f" AND {part}" for part in parts), values
