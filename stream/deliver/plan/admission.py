"""What becomes of an alert when it is read: it is queued for an endpoint, or it has its outcome at once.

An end (cleared, expired, retracted) tells a receiver to stop what it began. So it is sent where an alert of
its episode was attempted, whatever the filter says of tier and value by now; and where none was, neither is
sent: the receiver never heard of the episode (`superseded`).

An alert about a customer who is held out is admitted like any other, and waits for its turn like any other:
only then it ends as `suppressed (holdout)`. So it is known when it would have been sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stream.core.alerts.delivery import DeliveryOutcome
from stream.core.policy.arms import TREATED
from stream.deliver.plan.head import AlertHead


class Filter(Struct, frozen=True):
    """Which alerts an endpoint gets; an empty tuple is all of them."""

    kinds: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()
    at_stake_min_minor: int = 0
    """At least so much value at risk (its mean, as the words of the alert state it), in minor units. An alert
    that names none does not pass."""

    def passes(self, alert: AlertHead) -> bool:
        """Whether an alert is among them; one that is held out, whether it would be if it were not."""
        return (
            self._wants(self.kinds, alert.kind)
            and self._wants(self.states, alert.state)
            and self._wants(self.tiers, alert.tier)
            and self._wants(self.arms, TREATED if alert.is_held_out else alert.arm)
            and (not self.at_stake_min_minor or (alert.at_stake_minor or 0) >= self.at_stake_min_minor)
        )

    def takes_end(self, alert: AlertHead) -> bool:
        """Whether the end of an episode that the endpoint has heard of is wanted: by its state alone."""
        return self._wants(self.states, alert.state)

    @staticmethod
    def _wants(allowed: tuple[str, ...], value: str) -> bool:
        return not allowed or value in allowed


class EarlierDelivery(Struct, frozen=True):
    """What is known of an earlier alert of the same episode at the same endpoint."""

    attempts: int
    outcome: DeliveryOutcome | None = None
    reason: str = ""

    @property
    def had_its_turn(self) -> bool:
        """Whether it was attempted, or would have been if the customer were not held out."""
        return self.attempts > 0 or self.reason == "holdout"


class Admission(Struct, frozen=True):
    """The decision. No outcome: it is queued, due at once."""

    outcome: DeliveryOutcome | None = None
    reason: str = ""
    """With `suppressed`: by what."""
    supersedes: bool = False
    """Earlier alerts of the episode that were not attempted end as superseded."""


def admit(
    alert: AlertHead,
    wanted: Filter,
    earlier: Sequence[EarlierDelivery],
    now_ms: int,
    *,
    disabled: bool = False,
    history: bool = False,
    without_consent: bool = False,
) -> Admission:
    """Decide about an alert for one endpoint.

    `history`: the alert was written long after its time, and the operator did not ask for such alerts.
    `without_consent`: the customer's consent does not allow what the alert recommends.
    """
    ends_known = alert.is_end and bool(earlier)
    if ends_known and not any(each.had_its_turn for each in earlier):
        return Admission("superseded", supersedes=True)
    if history and not ends_known:
        return Admission("suppressed", "history")
    if not (wanted.takes_end(alert) if ends_known else wanted.passes(alert)):
        return Admission("suppressed", "filter")
    if without_consent:
        return Admission("suppressed", "consent")
    is_over = alert.expires_ms is not None and alert.expires_ms <= now_ms
    return Admission("disabled" if disabled else "expired" if is_over else None)
