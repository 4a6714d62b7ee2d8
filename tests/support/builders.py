"""Events, one line each: time in days after 2024-01-01, money in minor units, the customer `c`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import Any, Literal

import msgspec

from stream.core.events import event as ev
from stream.core.events import payload as pl
from stream.core.judgement.basis import Basis
from stream.core.model.document import sealed
from stream.core.model.record import RiskLayer, RiskSegment, Term
from stream.core.units import DAY_MS
from stream.model_file import default_model
from stream.policy_file import default_policy, parse_policy

START = datetime(2024, 1, 1, tzinfo=UTC)
START_MS = round(START.timestamp() * 1_000)
SHOP = "/shop"

ConsentStatus = Literal["grant", "deny", "revoked"]

_numbers = count()


@lru_cache(maxsize=16)
def basis(policy: str = "") -> Basis:
    """The default model with the default policy, or with the changes of a policy text."""
    return Basis(parse_policy(policy) if policy else default_policy(), default_model())


@lru_cache(maxsize=1)
def learnt_basis() -> Basis:
    """A basis whose model has a learnt risk layer, with a weight for every kind of event."""
    weights = {
        **{"churn_logit": 0.8, "silence": 0.4, "lateness": 0.5, "age": 0.05},
        **{"recent": -0.3, "engagement": -0.4, "frequency": -0.2, "span": -0.05, "monetary": -0.05},
        **{"sentiment": -0.4, "returns": 0.5, "tickets": 0.4},
    }
    terms = tuple(Term(feature=name, weight=weight, centre=0.5) for name, weight in weights.items())
    layer = RiskLayer(
        segments=(RiskSegment(frequency_min=0, intercept=-1.0, terms=terms),), learnt="a test's"
    )
    return Basis(default_policy(), sealed(msgspec.structs.replace(default_model(), risk=layer, version="")))


@lru_cache(maxsize=1)
def stubborn_basis() -> Basis:
    """A basis whose learnt layer is hardly moved by orders, as one that was fitted to a short history."""
    weights = {"churn_logit": 0.2, "age": 0.3, "silence": 0.2, "frequency": 0.3, "regularity": 0.8}
    terms = tuple(Term(feature=name, weight=weight) for name, weight in weights.items())
    layer = RiskLayer(
        segments=(RiskSegment(frequency_min=0, intercept=-0.2, terms=terms),), learnt="a test's"
    )
    return Basis(default_policy(), sealed(msgspec.structs.replace(default_model(), risk=layer, version="")))


@lru_cache(maxsize=1)
def history_basis() -> Basis:
    """A basis whose learnt layer looks at the purchase history alone: at no silence, no feedback."""
    terms = (Term(feature="age", weight=0.9), Term(feature="frequency", weight=-0.1))
    layer = RiskLayer(
        segments=(RiskSegment(frequency_min=0, intercept=-2.4, terms=terms),), learnt="a test's"
    )
    return Basis(default_policy(), sealed(msgspec.structs.replace(default_model(), risk=layer, version="")))


def at(day: float) -> int:
    """Milliseconds of an instant given in days after the start."""
    return START_MS + round(day * DAY_MS)


def when(day: float) -> datetime:
    return START + timedelta(milliseconds=round(day * DAY_MS))


def _envelope(day: float, event_id: str | None, customer: str) -> dict[str, Any]:
    return {"id": event_id or f"e{next(_numbers)}", "source": SHOP, "subject": customer, "time": when(day)}


def from_source(source: str, event: ev.Event) -> Any:
    """The same event from another system."""
    return msgspec.structs.replace(event, source=source)


def bought(
    day: float,
    minor: int = 5_000,
    order: str | None = None,
    *,
    category: str | None = "toys",
    currency: str = "USD",
    discount: int = 0,
    event_id: str | None = None,
    customer: str = "c",
) -> ev.PurchaseCompleted:
    envelope = _envelope(day, event_id, customer)
    line = pl.Product(product_id="p", quantity=1, price_minor=minor, category=category)
    purchase = pl.Purchase(
        order_id=order or f"o-{envelope['id']}",
        total_minor=minor,
        currency=currency,
        products=(line,),
        discount_minor=discount,
    )
    return ev.PurchaseCompleted(data=purchase, **envelope)


def refunded(day: float, order: str, minor: int, *, event_id: str | None = None) -> ev.PurchaseRefunded:
    envelope = _envelope(day, event_id, "c")
    data = pl.Refund(refund_id=f"r-{envelope['id']}", order_id=order, refund_minor=minor, currency="USD")
    return ev.PurchaseRefunded(data=data, **envelope)


def cancelled(
    day: float, order: str, *, event_id: str | None = None, customer: str = "c"
) -> ev.PurchaseCancelled:
    return ev.PurchaseCancelled(data=pl.Cancellation(order_id=order), **_envelope(day, event_id, customer))


def reviewed(
    day: float, stars: float, text: str | None = None, *, event_id: str | None = None
) -> ev.Reviewed:
    envelope = _envelope(day, event_id, "c")
    data = pl.Review(review_id=f"v-{envelope['id']}", rating=stars, rating_max=5, review_body=text)
    return ev.Reviewed(data=data, **envelope)


def answered(day: float, score: float, *, event_id: str | None = None) -> ev.SurveyAnswered:
    envelope = _envelope(day, event_id, "c")
    survey = pl.Survey(id="s", kind="nps")
    data = pl.SurveyAnswer(response_id=f"a-{envelope['id']}", survey=survey, score=score)
    return ev.SurveyAnswered(data=data, **envelope)


def complained(
    day: float, ticket: str, text: str | None = None, *, event_id: str | None = None
) -> ev.Complained:
    return ev.Complained(data=pl.Ticket(ticket_id=ticket, text=text), **_envelope(day, event_id, "c"))


def resolved(day: float, ticket: str, *, event_id: str | None = None) -> ev.TicketResolved:
    return ev.TicketResolved(data=pl.TicketResolution(ticket_id=ticket), **_envelope(day, event_id, "c"))


def visited(day: float, *, event_id: str | None = None) -> ev.SessionStarted:
    return ev.SessionStarted(data=pl.Session(session_id="s"), **_envelope(day, event_id, "c"))


def viewed(day: float, category: str, *, event_id: str | None = None) -> ev.ProductViewed:
    touch = pl.ProductTouch(product_id="p", category=category)
    return ev.ProductViewed(data=touch, **_envelope(day, event_id, "c"))


def mailed(
    day: float, kind: Callable[..., ev.Event] = ev.MessageDelivered, *, event_id: str | None = None
) -> ev.Event:
    touch = pl.MessageTouch(message_id="m", channel="email")
    return kind(data=touch, **_envelope(day, event_id, "c"))


def consented(day: float, status: ConsentStatus, *, event_id: str | None = None) -> ev.ConsentChanged:
    data = pl.Consent(purpose="marketing", status=status)
    return ev.ConsentChanged(data=data, **_envelope(day, event_id, "c"))


def identified(day: float, campaign: str, *, event_id: str | None = None) -> ev.CustomerIdentified:
    data = pl.Identity(acquired=pl.Acquired(campaign=campaign, channel="search"), country="NL")
    return ev.CustomerIdentified(data=data, **_envelope(day, event_id, "c"))


def erased(day: float, *, event_id: str | None = None) -> ev.CustomerErased:
    return ev.CustomerErased(**_envelope(day, event_id, "c"))
