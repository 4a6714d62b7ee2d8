"""What holds back a delivery whose turn it is: a mute, quiet hours, the contact budget, an experiment.

An experiment comes last: what is held out would otherwise be sent now. The end of an episode is held back by
nothing else: it stops what a receiver has begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from stream.core.alerts.alert import rfc3339
from stream.core.units import FOREVER_MS
from stream.deliver.endpoints.endpoint import Endpoint, Endpoints
from stream.deliver.plan.contact import Rival, room_ms
from stream.deliver.plan.outcome import SuppressedBy
from stream.deliver.plan.quiet import QuietHours
from stream.deliver.queue.contacts import contacts_of, mark_sent, rivals_of
from stream.deliver.queue.database import Database
from stream.deliver.queue.mutes import any_muted, muted_until
from stream.deliver.queue.rows import AttemptResult, Claim


class Gates:
    """Of all endpoints, for one queue."""

    def __init__(self, database: Database, endpoints: Endpoints) -> None:
        self._database, self._endpoints = database, endpoints
        self._contact_names = endpoints.held_to_budget()
        self._some_are_muted = False

    def pass_through(self, claims: Sequence[Claim], now_ms: int) -> dict[int, AttemptResult]:
        """Number of the alert -> what becomes of a delivery that is held back; the others are sent now.

        All claims are of one endpoint. It is noted of those that pass, before anything is sent.
        """
        held: dict[int, AttemptResult] = {}
        if not claims:
            return held
        endpoint = self._endpoints.by_name[claims[0].endpoint]
        gone: list[int] = []
        with self._database.transaction():
            self._some_are_muted = any_muted(self._database, now_ms)
            for each in sorted(claims, key=lambda claim: (-(claim.alert.at_stake_minor or 0), claim.seq)):
                result = self._held_back(endpoint, each, now_ms)
                if result is None or result.reason == "holdout":
                    gone.append(each.seq)
                if result is not None:
                    held[each.seq] = result
                if self._endpoints.budget is not None:  # the next one is looked at with this contact
                    mark_sent(self._database, endpoint.name, gone[-1:], now_ms)
            if self._endpoints.budget is None:
                mark_sent(self._database, endpoint.name, gone, now_ms)
        return held

    def _held_back(self, endpoint: Endpoint, each: Claim, now_ms: int) -> AttemptResult | None:
        if not each.alert.is_end:
            muted = muted_until(self._database, each.alert.customer, now_ms) if self._some_are_muted else None
            if muted is not None:
                return _put_off(each, muted[0], now_ms, "muted", f"muted ({muted[1]})")
            quiet = _quiet_of(endpoint, each.alert.zone)
            if quiet is not None and (over_ms := quiet.over_ms(now_ms)) > now_ms:
                return _put_off(each, over_ms, now_ms, "quiet_hours", f"quiet hours of {quiet.zone}")
            room = self._room_ms(endpoint, each, now_ms)
            if room > now_ms:
                return _put_off(each, room, now_ms, "budget", "the contact budget of the customer is used up")
        return _unsent(each, now_ms, "holdout", "") if each.alert.is_held_out else None

    def _room_ms(self, endpoint: Endpoint, each: Claim, now_ms: int) -> int:
        """When the contact budget of the customer has room."""
        budget, alert = self._endpoints.budget, each.alert
        if budget is None or not endpoint.contact:
            return now_ms
        sent = contacts_of(self._database, alert.customer, self._contact_names)
        rivals = rivals_of(self._database, alert, endpoint.name, now_ms)
        own = Rival(each.seq, alert.at_stake_minor or 0, alert.episode)
        return room_ms(budget, own, sent, rivals, now_ms)


def _quiet_of(endpoint: Endpoint, zone: str) -> QuietHours | None:
    """The quiet hours by the customer's clock; by that of the business where it is not known."""
    if endpoint.quiet is None or not endpoint.contact or (known := _zone(zone)) is None:
        return endpoint.quiet
    return replace(endpoint.quiet, zone=known)


@lru_cache(maxsize=1_024)
def _zone(name: str) -> ZoneInfo | None:
    """The zone of a name; None for a text that is none: producers send what customers stated."""
    try:
        return ZoneInfo(name) if name else None
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        return None
    except KeyError:
        return None


def _put_off(each: Claim, until_ms: int, now_ms: int, why: SuppressedBy, words: str) -> AttemptResult:
    """A delivery that waits for something, or expires before it."""
    if until_ms >= FOREVER_MS:
        return _unsent(each, now_ms, why, words)
    if each.alert.expires_ms is not None and each.alert.expires_ms <= until_ms:
        return _unsent(each, now_ms, why, f"{words} until it expires")
    return AttemptResult(
        seq=each.seq,
        endpoint=each.endpoint,
        ended_ms=now_ms,
        accepted=False,
        reason=why,
        due_ms=until_ms,
        detail=f"{words}, until {rfc3339(until_ms)}",
        counts=False,
    )


def _unsent(each: Claim, now_ms: int, why: SuppressedBy, words: str) -> AttemptResult:
    """A delivery that ends without an attempt."""
    return AttemptResult(
        seq=each.seq,
        endpoint=each.endpoint,
        ended_ms=now_ms,
        accepted=False,
        outcome="suppressed",
        reason=why,
        due_ms=now_ms,
        detail=words,
        counts=False,
    )
