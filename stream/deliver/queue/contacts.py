"""Contacts of a customer: which episodes were sent and when, and what waits for the same room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stream.deliver.plan.contact import Rival
from stream.deliver.plan.head import ENDS
from stream.deliver.queue.database import Database

_ENDS = ", ".join(f"'{state}'" for state in sorted(ENDS))


class Waiting(NamedTuple):
    """An alert of a customer that is due and was never sent."""

    customer: str
    rival: Rival


def contacts_of(
    database: Database, customers: Iterable[str], endpoints: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Customer -> episode -> when an alert of it was first sent to one of the endpoints, or would have been.

    As far as the queue remembers; an end is no contact. Until the end of the transaction no other process can
    add to them.
    """
    names = sorted(set(customers))
    contacts: dict[str, dict[str, int]] = {name: {} for name in names}
    if not names:
        return contacts
    ours, marks = ", ".join("?" * len(names)), ", ".join("?" * len(endpoints))
    database.rows(
        f"SELECT seq FROM delivery WHERE customer IN ({ours}) ORDER BY seq, endpoint {database.locked}",
        *names,
    )
    found = database.rows(
        "SELECT d.customer, d.episode, MIN(d.sent_ms) FROM delivery d JOIN alert a ON a.seq = d.seq"
        f" WHERE d.customer IN ({ours}) AND d.sent_ms > 0 AND d.endpoint IN ({marks})"
        f" AND a.state NOT IN ({_ENDS}) GROUP BY d.customer, d.episode",
        *names, *endpoints,
    )  # fmt: skip
    for customer, episode, at_ms in found:
        contacts[customer][episode] = int(at_ms)
    return contacts


def waiting_of(database: Database, customers: Iterable[str], endpoint: str, now_ms: int) -> list[Waiting]:
    """Alerts of these customers that are due at the endpoint, were never sent, and are not under way."""
    names = sorted(set(customers))
    if not names:
        return []
    ours = ", ".join("?" * len(names))
    found = database.rows(
        "SELECT d.customer, d.seq, COALESCE(a.at_stake_minor, 0), d.episode FROM delivery d"
        f" JOIN alert a ON a.seq = d.seq WHERE d.endpoint = ? AND d.customer IN ({ours})"
        " AND d.outcome IS NULL AND d.due_ms <= ? AND d.lease_ms <= ? AND d.sent_ms = 0"
        f" AND a.state NOT IN ({_ENDS}) AND (d.expires_ms IS NULL OR d.expires_ms > ?)",
        endpoint, *names, now_ms, now_ms, now_ms,
    )  # fmt: skip
    return [Waiting(name, Rival(int(seq), int(stake), episode)) for name, seq, stake, episode in found]


def mark_sent(database: Database, endpoint: str, numbers: Sequence[int], now_ms: int) -> None:
    """These alerts are sent now, or would be; of those that were sent before the first time stays."""
    if numbers:
        marks = ", ".join("?" * len(numbers))
        database.run(
            f"UPDATE delivery SET sent_ms = ? WHERE endpoint = ? AND sent_ms = 0 AND seq IN ({marks})",
            now_ms, endpoint, *numbers,
        )  # fmt: skip
