"""An event changes the facts of its customer: one small function for each event type, in one table.

Facts are sums, latest values and bounded sets, so that they come out the same in any order of arrival.
Nothing here judges.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

from stream.core.events import event as ev
from stream.core.events.payload import Acquired
from stream.core.facts import engagement as engaged
from stream.core.facts.feedback import with_nps, with_opinion, with_resolution, with_ticket
from stream.core.facts.interests import with_look, with_products
from stream.core.facts.meaning import Meaning
from stream.core.facts.memory.order_match import source_mark
from stream.core.facts.profile import BUYING, ENGAGEMENT, FEEDBACK, IDENTITY, INTERESTS, Identity, Profile
from stream.core.facts.purchases import with_cancellation, with_purchase, with_refund
from stream.core.text.sentiment import feedback_sentiment
from stream.core.text.themes import feedback_themes
from stream.core.units import calendar_month

NPS_TOP = 10.0
"""Answers to NPS surveys are kept on the scale 0 to 10."""
ACQUIRED_YEAR_MIN, ACQUIRED_YEAR_MAX = 1900, 2099
"""Years in which a customer may have been won. Some systems write the year 1 for unknown."""
CONSENTS_KEPT = 24
"""Purposes for which a profile remembers consent, those stated last."""


class News(IntEnum):
    """What an event means for the judgement of its customer."""

    NONE = 0
    """Nothing: no rule looks at what it changed."""
    SOFT = 1
    """Can only lower the churn risk (engagement), so that it can end an alert but never start one. It is
    considered at the next midnight of the business while an alert is open, else at the next review
    (docs/decisions/0004)."""
    HARD = 2
    """The customer is judged at once."""
    CORRECTION = 3
    """The event corrects the past (refund, cancellation, late purchase). The customer is judged at once,
    and an alert that loses its cause ends as `retracted`, not as `cleared`."""


NONE, SOFT, HARD, CORRECTION = News
"""Module names, because a look-up in the class costs 0.1 us. An engagement event needs three and costs 4
us."""


Fold = Callable[[Profile, int, Any, Meaning], News]
"""Adds an event to a profile, in place. The integer is the event's time in milliseconds."""


def fold(profile: Profile, event: ev.Event, at_ms: int, meaning: Meaning) -> News:
    """Add one event to the facts of its customer, in place, and say what it means for the judgement."""
    kind = type(event)
    if not profile.first_seen_ms or at_ms < profile.first_seen_ms:
        profile.first_seen_ms = at_ms
    touch = TOUCHES.get(kind)
    if touch is not None and _is_later(at_ms, touch, profile.touch_at_ms, profile.touch):
        profile.touch_at_ms, profile.touch = at_ms, touch
    return FOLDS[kind](profile, at_ms, event, meaning)


def _is_later(at_ms: int, name: str, known_ms: int, known: str) -> bool:
    """Whether (at_ms, name) is later than what is known; of two at one instant the greater name counts."""
    return at_ms > known_ms or (at_ms == known_ms and name > known)


def _purchase(profile: Profile, at_ms: int, event: ev.PurchaseCompleted, meaning: Meaning) -> News:
    buying = profile.buying
    if _is_later(at_ms, event.id, buying.event_at_ms, buying.event_id):
        buying.event_at_ms, buying.event_id = at_ms, event.id
    corrected = with_purchase(buying, at_ms, event.data, source_mark(event.source), meaning)
    with_products(profile.interests, at_ms, event.data, meaning.money)
    return CORRECTION if corrected else HARD


def _refund(profile: Profile, at_ms: int, event: ev.PurchaseRefunded, meaning: Meaning) -> News:
    with_refund(profile.buying, at_ms, event.data, source_mark(event.source), meaning)
    return CORRECTION


def _cancellation(profile: Profile, at_ms: int, event: ev.PurchaseCancelled, meaning: Meaning) -> News:
    with_cancellation(profile.buying, at_ms, event.data, source_mark(event.source), meaning)
    return CORRECTION


def _engage(change: Callable[..., None], news: News = SOFT) -> Fold:
    def engage(profile: Profile, at_ms: int, event: Any, meaning: Meaning) -> News:
        change(profile.engagement, at_ms, event, calendar_month(meaning.calendar.local_day(at_ms)))
        return news

    return engage


def _look(change: Callable[..., None], strength: float) -> Fold:
    def look(profile: Profile, at_ms: int, event: Any, meaning: Meaning) -> News:
        change(profile.engagement, at_ms, event, calendar_month(meaning.calendar.local_day(at_ms)))
        with_look(profile.interests, at_ms, event.data.category, strength)
        return SOFT

    return look


def _opinion(profile: Profile, at_ms: int, event: Any, meaning: Meaning) -> None:
    data = event.data
    sentiment = feedback_sentiment(data, meaning.reader.analyser)
    themes = feedback_themes(data, meaning.reader, sentiment or 0.0)
    month = calendar_month(meaning.calendar.local_day(at_ms))
    with_opinion(profile.feedback, at_ms, event.id, sentiment, themes, month=month)


def _review(profile: Profile, at_ms: int, event: ev.Reviewed, meaning: Meaning) -> News:
    feedback = profile.feedback
    feedback.reviews += 1
    if at_ms > feedback.reviewed_at_ms:
        feedback.reviewed_at_ms = at_ms
    _opinion(profile, at_ms, event, meaning)
    return HARD


def _survey(profile: Profile, at_ms: int, event: ev.SurveyAnswered, meaning: Meaning) -> News:
    answer = event.data
    if answer.survey.kind == "nps":
        with_nps(profile.feedback, at_ms, answer.score * NPS_TOP / (answer.score_max or NPS_TOP))
    _opinion(profile, at_ms, event, meaning)
    return HARD


def _ticket(profile: Profile, at_ms: int, event: ev.TicketOpened, meaning: Meaning) -> News:
    with_ticket(profile.feedback, at_ms, event.data.ticket_id)
    _opinion(profile, at_ms, event, meaning)
    return HARD


def _complaint(profile: Profile, at_ms: int, event: ev.Complained, meaning: Meaning) -> News:
    profile.feedback.complaints += 1
    return _ticket(profile, at_ms, event, meaning)  # type: ignore[arg-type]


def _resolution(profile: Profile, at_ms: int, event: ev.TicketResolved, meaning: Meaning) -> News:
    with_resolution(profile.feedback, at_ms, event.data.ticket_id)
    return HARD


def _identity(profile: Profile, at_ms: int, event: ev.CustomerIdentified, meaning: Meaning) -> News:
    identity, data = profile.identity, event.data
    for purpose, status in (data.consent or {}).items():
        _consent_to(identity, at_ms, purpose, status)
    _forget_consents(identity)
    if data.acquired is not None:
        campaign, channel = data.acquired.campaign or "", data.acquired.channel or ""
        stated = (at_ms, campaign, channel)
        if stated > (identity.acquired_stated_ms, identity.campaign, identity.channel):
            identity.acquired_stated_ms, identity.campaign, identity.channel = stated
            identity.acquired_ms = _acquired_ms(data.acquired, at_ms)
    known = (at_ms, data.country or "", data.timezone or "")
    if (data.country or data.timezone) and known > (identity.stated_ms, identity.country, identity.timezone):
        identity.stated_ms, identity.country, identity.timezone = known
    return HARD


def _acquired_ms(acquired: Acquired, stated_ms: int) -> int:
    """When the customer was won; the time of the statement where the event has no plausible one."""
    at = acquired.at
    if at is None or not ACQUIRED_YEAR_MIN <= at.year <= ACQUIRED_YEAR_MAX:
        return stated_ms
    return round(at.timestamp() * 1_000)


def _consent(profile: Profile, at_ms: int, event: ev.ConsentChanged, meaning: Meaning) -> News:
    _consent_to(profile.identity, at_ms, event.data.purpose, event.data.status)
    _forget_consents(profile.identity)
    return HARD


def _consent_to(identity: Identity, at_ms: int, purpose: str, status: str) -> None:
    """The later statement counts; of two at one instant the one that does not consent."""
    stated = (at_ms, status)
    known = identity.consent.get(purpose)
    if known is None or (at_ms, status != "grant", status) > (known[0], known[1] != "grant", known[1]):
        identity.consent[purpose] = stated


def _forget_consents(identity: Identity) -> None:
    """Keep the purposes that were stated last."""
    surplus = len(identity.consent) - CONSENTS_KEPT
    if surplus > 0:
        stated = sorted((statement, purpose) for purpose, statement in identity.consent.items())
        for _, purpose in stated[:surplus]:
            del identity.consent[purpose]


def _action(profile: Profile, at_ms: int, event: ev.ActionTaken, meaning: Meaning) -> News:
    profile.identity.actions += 1
    profile.identity.action_at_ms = max(profile.identity.action_at_ms, at_ms)
    return NONE


def _outcome(profile: Profile, at_ms: int, event: ev.ActionResulted, meaning: Meaning) -> News:
    _count_outcome(profile.identity.outcomes, event.data.outcome, 1)
    return NONE


def _count_outcome(outcomes: dict[str, int], outcome: str, more: int) -> None:
    outcomes[outcome] = outcomes.get(outcome, 0) + more
    if not outcomes[outcome]:
        del outcomes[outcome]


def _undone(profile: Profile, at_ms: int, event: ev.ActionUndone, meaning: Meaning) -> News:
    """What was said is taken back from the counts, in whatever order the two arrive."""
    identity, undoes = profile.identity, event.data.undoes
    if undoes == "taken":
        identity.actions -= 1
    elif undoes != "acknowledged":
        _count_outcome(identity.outcomes, undoes, -1)
    return NONE


class Folding(NamedTuple):
    """How events of one type change the profile of their customer."""

    fold: Fold
    sections: int
    """The sections of the profile that may change, as a bit mask (profile.SECTIONS)."""
    own: bool = True
    """Whether the customer did it; the last own event before a silence is the profile's last touch."""


EVENTS_FOLDED: dict[type[ev.Event], Folding] = {
    ev.PurchaseCompleted: Folding(_purchase, BUYING | INTERESTS),
    ev.PurchaseRefunded: Folding(_refund, BUYING, own=False),
    ev.PurchaseCancelled: Folding(_cancellation, BUYING),
    ev.SessionStarted: Folding(_engage(engaged.with_session), ENGAGEMENT),
    ev.ProductViewed: Folding(_look(engaged.with_view, 1.0), ENGAGEMENT | INTERESTS),
    ev.ProductAdded: Folding(_look(engaged.with_addition, 2.0), ENGAGEMENT | INTERESTS),
    ev.ProductRemoved: Folding(_engage(engaged.with_view), ENGAGEMENT),
    ev.Wishlisted: Folding(_look(engaged.with_addition, 2.0), ENGAGEMENT | INTERESTS),
    ev.Searched: Folding(_look(engaged.with_search, 0.5), ENGAGEMENT | INTERESTS),
    ev.CheckoutStarted: Folding(_engage(engaged.with_checkout), ENGAGEMENT),
    ev.MessageDelivered: Folding(_engage(engaged.with_delivery, NONE), ENGAGEMENT, own=False),
    ev.MessageOpened: Folding(_engage(engaged.with_opening), ENGAGEMENT),
    ev.MessageClicked: Folding(_engage(engaged.with_click), ENGAGEMENT),
    ev.MessageBounced: Folding(_engage(engaged.with_bounce, NONE), ENGAGEMENT, own=False),
    ev.MessageComplained: Folding(_engage(engaged.with_spam_report, HARD), ENGAGEMENT),
    ev.MessageUnsubscribed: Folding(_engage(engaged.with_unsubscription, HARD), ENGAGEMENT),
    ev.LoyaltyJoined: Folding(_engage(engaged.with_joining), ENGAGEMENT),
    ev.LoyaltyRedeemed: Folding(_engage(engaged.with_redemption), ENGAGEMENT),
    ev.PromotionClicked: Folding(_engage(engaged.with_promotion), ENGAGEMENT),
    ev.PromotionRedeemed: Folding(_engage(engaged.with_redemption), ENGAGEMENT),
    ev.Reviewed: Folding(_review, FEEDBACK),
    ev.SurveyAnswered: Folding(_survey, FEEDBACK),
    ev.TicketOpened: Folding(_ticket, FEEDBACK),
    ev.TicketResolved: Folding(_resolution, FEEDBACK, own=False),
    ev.Complained: Folding(_complaint, FEEDBACK),
    ev.CustomerIdentified: Folding(_identity, IDENTITY, own=False),
    ev.ConsentChanged: Folding(_consent, IDENTITY),
    ev.ActionTaken: Folding(_action, IDENTITY, own=False),
    ev.ActionResulted: Folding(_outcome, IDENTITY, own=False),
    ev.ActionUndone: Folding(_undone, IDENTITY, own=False),
}
"""The table of event types that change a customer's profile; a new type needs an entry here."""

NOT_FOLDED: frozenset[type[ev.Event]] = frozenset(
    {
        ev.CustomerErased,
        ev.CostRecorded,
        ev.ActionAcknowledged,
        ev.CustomerMuted,
        ev.CustomerUnmuted,
        ev.ClockTicked,
        ev.ModelPublished,
        ev.PolicyPublished,
    }
)
"""The other types. Erasure is in core/step.py. That an alert was seen, and whether alerts reach anybody, are
for those who show or deliver alerts: no fact of the customer. The rest are about no single customer."""

FOLDS = {kind: folding.fold for kind, folding in EVENTS_FOLDED.items()}
CHANGES = {kind: folding.sections for kind, folding in EVENTS_FOLDED.items()}
TOUCHES = {kind: ev.type_name(kind) for kind, folding in EVENTS_FOLDED.items() if folding.own}
