"""Customers to whom nothing may be sent: muted ones, and those who took back their consent after an alert.

The latest word by event time counts; of two at one instant the mute, and the refusal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from stream.core.units import DAY_MS
from stream.deliver.queue.database import Database
from stream.deliver.queue.rows import ReadConsent, ReadMute

CONSENT_KEPT_MS = 400 * DAY_MS
"""A statement is kept for so long: later alerts know of it themselves."""
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


def note_consent(database: Database, read: ReadConsent, now_ms: int) -> None:
    """Take in one statement, within a transaction."""
    if read.at_ms < now_ms - CONSENT_KEPT_MS:
        return
    database.run(
        "INSERT INTO consent (customer, purpose, stated_ms, refused, read_ms) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (customer, purpose) DO UPDATE SET"
        " stated_ms = excluded.stated_ms, refused = excluded.refused, read_ms = excluded.read_ms"
        " WHERE excluded.stated_ms > consent.stated_ms"
        " OR (excluded.stated_ms = consent.stated_ms AND excluded.refused > consent.refused)",
        read.customer, read.purpose, read.at_ms, int(read.refused), now_ms,
    )  # fmt: skip


def forget_mute(database: Database, customer: str) -> None:
    """The customer is erased: nothing is kept of them, within a transaction."""
    database.run("DELETE FROM muted WHERE customer = ?", customer)
    database.run("DELETE FROM consent WHERE customer = ?", customer)


def forget_old_mutes(database: Database, now_ms: int) -> None:
    """Words that have been over for long go, and statements that every alert in the queue is younger than."""
    with database.transaction():
        before_ms = now_ms - KEPT_MS
        database.run("DELETE FROM muted WHERE until_ms < ? AND stated_ms < ?", before_ms, before_ms)
        database.run("DELETE FROM consent WHERE stated_ms < ?", now_ms - CONSENT_KEPT_MS)


class Words(NamedTuple):
    """What is known of some customers that may hold back what is about to be sent to them."""

    mutes: dict[str, tuple[int, str]]
    """Customer -> until when they are muted (FOREVER_MS: for ever), and why."""
    refusals: dict[tuple[str, str], tuple[int, int]]
    """Customer and purpose of those whose latest word is a refusal -> event time, and when it was read."""


def words_about(database: Database, customers: Iterable[str], now_ms: int) -> Words:
    """Asked once for all of them."""
    names = sorted(set(customers))
    if not names:
        return Words({}, {})
    marks = ", ".join("?" * len(names))
    found = database.rows(
        "SELECT customer, NULL, until_ms, 0, reason FROM muted"
        f" WHERE until_ms > ? AND customer IN ({marks})"
        " UNION ALL SELECT customer, purpose, stated_ms, read_ms, '' FROM consent"
        f" WHERE refused = 1 AND customer IN ({marks})",
        now_ms, *names, *names,
    )  # fmt: skip
    words = Words({}, {})
    for customer, purpose, at_ms, read_ms, reason in found:
        if purpose is None:
            words.mutes[customer] = (int(at_ms), str(reason))
        else:
            words.refusals[customer, purpose] = (int(at_ms), int(read_ms))
    return words
