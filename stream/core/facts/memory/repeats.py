"""Whether an event is new to its customer, came before, or cannot be told from one that did.

Within what is remembered of ids (seen.py) that is exact. Of an event from before that, what it says may tell:
orders, refunds and cancellations have numbers of their own and are kept one by one, and a statement that is
in force already changes nothing. What nothing tells is `unsure`, and is not added: counted twice would be
wrong in silence, left out is said (docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec.structs import replace

from stream.core.events import event as ev
from stream.core.facts.meaning import Meaning
from stream.core.facts.memory.order_match import known_order, source_mark
from stream.core.facts.profile import Profile
from stream.core.facts.purchases import (
    as_order,
    as_refunded,
    first_refund,
    known_refund,
    of_source,
)
from stream.core.facts.seen import take_in, take_in_anyway

Novelty = Literal["applied", "duplicate", "unsure"]
"""What becomes of an event: it is folded, it is known already, or nobody can tell."""
Tell = Callable[[Profile, int, Any, Meaning], Novelty]
"""Whether an event whose id may be forgotten is new, by what it says and by its time in milliseconds."""


def novelty(profile: Profile, event: ev.Event, at_ms: int, meaning: Meaning) -> Novelty:
    """Whether an event is to be folded; its id is then remembered, in place."""
    kind, source = type(event), event.source
    is_new = take_in(profile, kind, source, event.id, at_ms)
    if is_new is not None:
        return "applied" if is_new else "duplicate"
    tell = TELLS.get(kind)
    found: Novelty = "unsure" if tell is None else tell(profile, at_ms, event, meaning)
    if found == "applied":
        take_in_anyway(profile, kind, source, event.id, at_ms)
    return found


def _purchase(profile: Profile, at_ms: int, event: ev.PurchaseCompleted, meaning: Meaning) -> Novelty:
    """By its number while its order is kept; any order later than those that are not kept is new."""
    buying, source = profile.buying, source_mark(event.source)
    known = known_order(buying.orders, event.data.order_id, source)
    if known is not None:
        is_newer = as_order(at_ms, event.data, source, meaning.money) > of_source(known, source)
        return "applied" if is_newer else "duplicate"
    return "applied" if at_ms > buying.gone_ms else "unsure"


def _refund(profile: Profile, at_ms: int, event: ev.PurchaseRefunded, meaning: Meaning) -> Novelty:
    """By its id while it is kept; a new one as long as none of its order, or none at all, is gone."""
    buying, source = profile.buying, source_mark(event.source)
    known = known_refund(buying, event.data.refund_id, source)
    if known is not None:
        back = as_refunded(at_ms, event.data, source, meaning.money)
        if replace(back, order_id=known.order_id) == known:  # its order was named otherwise
            return "duplicate"
        return "duplicate" if first_refund(known, back) == known else "applied"
    if at_ms <= buying.refunds_gone_ms:
        return "unsure"
    is_kept = known_order(buying.orders, event.data.order_id, source) is not None
    return "applied" if is_kept or not buying.gone_ms else "unsure"


def _cancellation(profile: Profile, at_ms: int, event: ev.PurchaseCancelled, meaning: Meaning) -> Novelty:
    """A second time changes nothing, also where it is no longer known."""
    number, buying = event.data.order_id, profile.buying
    known = buying.cancelled_by.get(number, {})
    before_ms = known.get(source_mark(event.source), -1 if known else buying.cancelled.get(number, -1))
    return "duplicate" if at_ms <= before_ms else "applied"


def _consent(profile: Profile, at_ms: int, event: ev.ConsentChanged, meaning: Meaning) -> Novelty:
    known = profile.identity.consent.get(event.data.purpose)
    return "duplicate" if known == (at_ms, event.data.status) else "applied"


def _unsubscription(profile: Profile, at_ms: int, event: ev.MessageUnsubscribed, meaning: Meaning) -> Novelty:
    channel = profile.engagement.channels.get(event.data.channel)
    return "duplicate" if channel is not None and at_ms <= channel.unsubscribed_at_ms else "applied"


def _joining(profile: Profile, at_ms: int, event: ev.LoyaltyJoined, meaning: Meaning) -> Novelty:
    return "duplicate" if at_ms == profile.engagement.joined_at_ms else "unsure"


def _resolution(profile: Profile, at_ms: int, event: ev.TicketResolved, meaning: Meaning) -> Novelty:
    known_ms = profile.feedback.resolved.get(event.data.ticket_id)
    return "duplicate" if known_ms is not None and known_ms <= at_ms else "applied"


def _statement(profile: Profile, at_ms: int, event: ev.Event, meaning: Meaning) -> Novelty:
    """The latest statement is in force: an earlier one, or the same again, changes nothing."""
    return "applied"


TELLS: dict[type[ev.Event], Tell] = {
    ev.PurchaseCompleted: _purchase,
    ev.PurchaseRefunded: _refund,
    ev.PurchaseCancelled: _cancellation,
    ev.ConsentChanged: _consent,
    ev.CustomerIdentified: _statement,
    ev.MessageUnsubscribed: _unsubscription,
    ev.LoyaltyJoined: _joining,
    ev.TicketResolved: _resolution,
}
"""Events that say themselves whether they are new; of others only the id does."""
