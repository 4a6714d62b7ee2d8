"""Customers about whom nothing may reach anybody: snoozed, or staff, test and wholesale customers.

The latest word by event time counts; of two at one instant the mute.
"""

from __future__ import annotations

from stream.core.units import DAY_MS
from stream.deliver.queue.database import Database
from stream.deliver.queue.rows import ReadMute

KEPT_MS = 30 * DAY_MS
"""A word that is over is kept for so long: an older one that arrives later does not count."""


def note_mute(database: Database, read: ReadMute, now_ms: int) -> None:
    """Take in one word, within a transaction. What waits for the end of a mute is looked at again."""
    database.run(
        "INSERT INTO muted (customer, stated_ms, until_ms, reason) VALUES (?, ?, ?, ?) ON CONFLICT (customer)"
        " DO UPDATE SET"
        " stated_ms = excluded.stated_ms, until_ms = excluded.until_ms, reason = excluded.reason"
        " WHERE excluded.stated_ms > muted.stated_ms"
        " OR (excluded.stated_ms = muted.stated_ms AND excluded.until_ms > muted.until_ms)",
        read.customer, read.at_ms, read.until_ms, read.reason,
    )  # fmt: skip
    database.run(
        "UPDATE delivery SET due_ms = ? WHERE customer = ? AND outcome IS NULL AND reason = 'muted'",
        now_ms, read.customer,
    )  # fmt: skip


def forget_mute(database: Database, customer: str) -> None:
    """The customer is erased: nothing is kept of them, within a transaction."""
    database.run("DELETE FROM muted WHERE customer = ?", customer)


def forget_old_mutes(database: Database, now_ms: int) -> None:
    """Words that have been over for long go."""
    with database.transaction():
        before_ms = now_ms - KEPT_MS
        database.run("DELETE FROM muted WHERE until_ms < ? AND stated_ms < ?", before_ms, before_ms)


def any_muted(database: Database, now_ms: int) -> bool:
    """Whether anybody is muted."""
    return bool(database.rows("SELECT 1 FROM muted WHERE until_ms > ? LIMIT 1", now_ms))


def muted_until(database: Database, customer: str, now_ms: int) -> tuple[int, str] | None:
    """Until when a customer is muted (FOREVER_MS: for ever), and why; None: not."""
    found = database.rows(
        "SELECT until_ms, reason FROM muted WHERE customer = ? AND until_ms > ?", customer, now_ms
    )
    return (int(found[0][0]), str(found[0][1])) if found else None
