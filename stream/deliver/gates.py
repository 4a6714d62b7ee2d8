"""What holds back a delivery whose turn it is: consent that was taken back, a mute, quiet hours, the contact
budget, an experiment.

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
from stream.deliver.plan.contact import Budget, Rival, room_ms
from stream.deliver.plan.head import read_head
from stream.deliver.plan.outcome import SuppressedBy
from stream.deliver.plan.quiet import QuietHours
from stream.deliver.queue.contacts import Waiting, contacts_of, mark_sent, waiting_of
from stream.deliver.queue.database import Database
from stream.deliver.queue.mutes import Words, words_about
from stream.deliver.queue.rows import AttemptResult, Claim


class Gates:
    """Of all endpoints, for one queue."""

    def __init__(self, database: Database, endpoints: Endpoints) -> None:
        self._database, self._endpoints = database, endpoints
        self._contact_names = endpoints.held_to_budget()

    def pass_through(self, claims: Sequence[Claim], now_ms: int) -> dict[int, AttemptResult]:
        """Number of the alert -> what becomes of a delivery that is held back; the others are sent now.

        Within a transaction. All claims are of one endpoint. Those that pass are noted before anything is
        sent.
        """
        held: dict[int, AttemptResult] = {}
        if not claims:
            return held
        endpoint = self._endpoints.by_name[claims[0].endpoint]
        gone: list[int] = []
        asked = (each.alert.customer for each in claims if not each.alert.is_end)
        words = words_about(self._database, asked, now_ms)
        room = self._room_of(endpoint, claims, now_ms)
        for each in sorted(claims, key=lambda claim: (-(claim.alert.at_stake_minor or 0), claim.seq)):
            result = self._held_back(endpoint, each, words, room, now_ms)
            if result is None or result.reason == "holdout":
                gone.append(each.seq)
                if room is not None:  # the next one is looked at with this contact
                    room.note(each, now_ms)
            if result is not None:
                held[each.seq] = result
        mark_sent(self._database, endpoint.name, gone, now_ms)
        return held

    def _room_of(self, endpoint: Endpoint, claims: Sequence[Claim], now_ms: int) -> _Room | None:
        """The contact budgets of the customers of these claims; None where none holds."""
        budget = self._endpoints.budget
        if budget is None or not endpoint.contact:
            return None
        customers = [each.alert.customer for each in claims if not each.alert.is_end]
        contacts = contacts_of(self._database, customers, self._contact_names)
        return _Room(budget, contacts, waiting_of(self._database, customers, endpoint.name, now_ms))

    def _held_back(
        self, endpoint: Endpoint, each: Claim, words: Words, room: _Room | None, now_ms: int
    ) -> AttemptResult | None:
        if not each.alert.is_end:
            if endpoint.contact and (purpose := _taken_back(each, words)):
                return _unsent(each, now_ms, "consent", f"consent to {purpose} was taken back")
            muted = words.mutes.get(each.alert.customer)
            if muted is not None:
                return _put_off(each, muted[0], now_ms, "muted", f"muted ({muted[1]})")
            quiet = _quiet_of(endpoint, each.alert.zone)
            if quiet is not None and (over_ms := quiet.over_ms(now_ms)) > now_ms:
                return _put_off(each, over_ms, now_ms, "quiet_hours", f"quiet hours of {quiet.zone}")
            from_ms = now_ms if room is None else room.from_ms(each, now_ms)
            if from_ms > now_ms:
                return _put_off(
                    each, from_ms, now_ms, "budget", "the contact budget of the customer is used up"
                )
        return _unsent(each, now_ms, "holdout", "") if each.alert.is_held_out else None


class _Room:
    """The contact budgets of some customers within one transaction."""

    def __init__(
        self, budget: Budget, contacts: dict[str, dict[str, int]], waiting: Sequence[Waiting]
    ) -> None:
        self._budget, self._contacts, self._waiting = budget, contacts, waiting

    def from_ms(self, each: Claim, now_ms: int) -> int:
        """When the contact budget of the customer has room."""
        alert = each.alert
        rivals = [
            rival
            for customer, rival in self._waiting
            if customer == alert.customer and rival.episode != alert.episode
        ]
        own = Rival(each.seq, alert.at_stake_minor or 0, alert.episode)
        return room_ms(self._budget, own, self._contacts[alert.customer], rivals, now_ms)

    def note(self, each: Claim, now_ms: int) -> None:
        """It is sent now; its end is no contact."""
        if not each.alert.is_end:
            self._contacts[each.alert.customer].setdefault(each.alert.episode, now_ms)


def _taken_back(each: Claim, words: Words) -> str:
    """The purpose that the alert needs consent to and the customer refused after it; empty: none.

    A refusal from before the alert, and read before it, is older than the consent that the alert states.
    """
    customer = each.alert.customer
    if not any(name == customer for name, _ in words.refusals):
        return ""
    purpose = read_head(each.body).purpose  # few customers are among them, so the body is read again
    at_ms, read_ms = words.refusals.get((customer, purpose), (-1, -1))
    return purpose if purpose and (at_ms >= each.alert.at_ms or read_ms >= each.read_ms) else ""


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
