"""What holds back an alert that makes somebody contact the customer: consent, and the contact budget.

The contact budget is one for each customer, over all kinds of alerts and all endpoints at which customers are
contacted. An episode is one contact, however often it escalates and at how many endpoints. An alert for which
there is no room waits until there is; of several that wait for the same room the one with the most at stake
goes first. Whoever is held out by an experiment uses up the budget like anybody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from stream.core.units import SECOND_MS
from stream.deliver.plan.head import AlertHead

ConsentNeeded = Literal["granted", "not_denied"]
YIELD_MS = 10 * SECOND_MS
"""How long an alert lets a better one pass before it is looked at again."""


class Budget(Struct, frozen=True):
    """At most so many contacts of one customer within a window (ms)."""

    contacts_max: int
    window_ms: int


class Rival(Struct, frozen=True):
    """One of the alerts of a customer that could be sent at an instant."""

    seq: int
    at_stake_minor: int
    episode: str

    def is_better_than(self, other: Rival) -> bool:
        """Whether it goes first: more at stake, else read earlier."""
        return (-self.at_stake_minor, self.seq) < (-other.at_stake_minor, other.seq)


def is_without_consent(alert: AlertHead, needed: ConsentNeeded) -> bool:
    """Whether the customer's consent does not allow what the alert recommends; an end recommends nothing."""
    refused = {"denied", "unknown"} if needed == "granted" else {"denied"}
    return not alert.is_end and alert.consent in refused


def room_ms(
    budget: Budget,
    own: Rival,
    sent: Mapping[str, int],
    rivals: Iterable[Rival],
    now_ms: int,
) -> int:
    """When there is room for an alert: `now_ms`, or the instant at which to look again.

    `rivals`: alerts of other episodes that wait for the same room. `sent`: episode -> when it first was a
    contact, of all episodes of the customer.
    """
    if own.episode in sent:
        return now_ms
    used = sorted(at_ms for at_ms in sent.values() if at_ms > now_ms - budget.window_ms)
    if len(used) >= budget.contacts_max:
        return used[-budget.contacts_max] + budget.window_ms
    better = sum(rival.episode not in sent and rival.is_better_than(own) for rival in rivals)
    return now_ms if len(used) + better < budget.contacts_max else now_ms + YIELD_MS
