"""Contacts of a customer: which episodes were sent and when, and what waits for the same room."""

from __future__ import annotations

from collections.abc import Sequence

from stream.deliver.plan.contact import Rival
from stream.deliver.plan.head import ENDS, AlertHead
from stream.deliver.queue.database import Database

_ENDS = ", ".join(f"'{state}'" for state in sorted(ENDS))


def contacts_of(database: Database, customer: str, endpoints: Sequence[str]) -> dict[str, int]:
    """Episode -> when an alert of it was first sent to one of the endpoints, or would have been.

    As far as the queue remembers; an end is no contact. Until the end of the transaction no other process can
    add to them.
    """
    marks = ", ".join("?" * len(endpoints))
    database.rows(f"SELECT seq FROM delivery WHERE customer = ? ORDER BY seq {database.locked}", customer)
    found = database.rows(
        "SELECT d.episode, MIN(d.sent_ms) FROM delivery d JOIN alert a ON a.seq = d.seq WHERE d.customer = ?"
        f" AND d.sent_ms > 0 AND d.endpoint IN ({marks}) AND a.state NOT IN ({_ENDS}) GROUP BY d.episode",
        customer, *endpoints,
    )  # fmt: skip
    return {episode: int(at_ms) for episode, at_ms in found}


def rivals_of(database: Database, alert: AlertHead, endpoint: str, now_ms: int) -> list[Rival]:
    """Other episodes of the customer with an alert that is due at the endpoint and was never sent."""
    found = database.rows(
        "SELECT d.seq, COALESCE(a.at_stake_minor, 0), d.episode FROM delivery d JOIN alert a ON a.seq = d.seq"
        " WHERE d.endpoint = ? AND d.customer = ? AND d.outcome IS NULL AND d.episode <> ? AND d.due_ms <= ?"
        f" AND d.lease_ms <= ? AND d.sent_ms = 0 AND a.state NOT IN ({_ENDS})"
        " AND (d.expires_ms IS NULL OR d.expires_ms > ?)",
        endpoint, alert.customer, alert.episode, now_ms, now_ms, now_ms,
    )  # fmt: skip
    return [Rival(int(seq), int(stake), episode) for seq, stake, episode in found]


def mark_sent(database: Database, endpoint: str, numbers: Sequence[int], now_ms: int) -> None:
    """These alerts are sent now, or would be; of those that were sent before the first time stays."""
    if numbers:
        marks = ", ".join("?" * len(numbers))
        database.run(
            f"UPDATE delivery SET sent_ms = ? WHERE endpoint = ? AND sent_ms = 0 AND seq IN ({marks})",
            now_ms, endpoint, *numbers,
        )  # fmt: skip
