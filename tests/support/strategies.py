"""Lives of one customer, as hypothesis draws them: anything in any mix, or a loyal buyer who falls silent."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from hypothesis import strategies as st

from stream.core.events import event as ev
from stream.core.events.event import RANK, Event
from tests.support import builders as make

MINUTE = 1 / 1_440
TEXTS = (None, "Great quality!", "The delivery was late and the staff rude.", "Too expensive", "ok")
CATEGORIES = ("toys", "books", "garden", None)
ORDERS = tuple(f"o{number}" for number in range(6))

STATUSES: tuple[make.ConsentStatus, ...] = ("grant", "deny", "revoked")


def instants(days_max: float) -> st.SearchStrategy[float]:
    """Days after the start, to the minute, so that instants do coincide."""
    return st.integers(0, int(days_max * 1_440)).map(lambda minutes: minutes * MINUTE)


@st.composite
def events(draw: st.DrawFn, day: float, event_id: str) -> Event:
    """One event of any type that concerns a customer, at an instant; orders and tickets recur."""
    order, text = draw(st.sampled_from(ORDERS)), draw(st.sampled_from(TEXTS))
    category, score = draw(st.sampled_from(CATEGORIES)), draw(st.integers(0, 10))
    money = draw(st.integers(0, 60_000))
    makers: list[Callable[[], Event]] = [
        lambda: make.bought(day, money, event_id=event_id, category=category, discount=money // 9),
        lambda: make.bought(day, money, event_id=event_id, category=category),
        lambda: make.bought(day, money, order, event_id=event_id, category=category),
        lambda: make.bought(day, money, event_id=event_id, currency="EUR"),
        lambda: make.refunded(day, order, money, event_id=event_id),
        lambda: make.cancelled(day, order, event_id=event_id),
        lambda: make.reviewed(day, 1 + score / 2.5, text, event_id=event_id),
        lambda: make.answered(day, score, event_id=event_id),
        lambda: make.complained(day, f"t{score % 3}", text, event_id=event_id),
        lambda: make.resolved(day, f"t{score % 3}", event_id=event_id),
        lambda: make.visited(day, event_id=event_id),
        lambda: make.viewed(day, category or "toys", event_id=event_id),
        lambda: make.mailed(day, event_id=event_id),
        lambda: make.mailed(day, ev.MessageClicked, event_id=event_id),
        lambda: make.mailed(day, ev.MessageUnsubscribed, event_id=event_id),
        lambda: make.consented(day, STATUSES[score % 3], event_id=event_id),
        lambda: make.identified(day, f"k{score}", event_id=event_id),
    ]
    return draw(st.sampled_from(makers))()


@st.composite
def mixtures(draw: st.DrawFn, count_max: int = 25, days_max: float = 500.0) -> list[Event]:
    """Any events of one customer, in no order."""
    days = draw(st.lists(instants(days_max), min_size=1, max_size=count_max))
    return [draw(events(day, f"e{number}")) for number, day in enumerate(days)]


@st.composite
def loyal_lives(draw: st.DrawFn, noise_max: int = 8) -> list[Event]:
    """A regular buyer of some value who falls silent, with anything else in between; in time order."""
    gap = draw(st.floats(1.5, 21.0))
    count = draw(st.integers(5, 24))
    minor = draw(st.integers(1_000, 40_000))
    purchases: list[Event] = [
        make.bought(number * gap + draw(instants(gap / 3)), minor, event_id=f"b{number}")
        for number in range(count)
    ]
    days = draw(st.lists(instants(count * gap * 1.5), max_size=noise_max))
    noise = [draw(events(day, f"e{number}")) for number, day in enumerate(days)]
    return in_time_order(purchases + noise)


def in_time_order(lives: list[Event]) -> list[Event]:
    """Sorted by event time, then the topic's rank, then the id: the order in which inputs are merged."""
    return sorted(lives, key=lambda event: (event.time_ms, RANK[type(event)], event.id))


@st.composite
def tied_lives(draw: st.DrawFn, count_max: int = 14) -> list[Event]:
    """Any events of one customer at few instants, in no order: some twice, some ids under two bodies."""
    days = st.integers(0, 6).map(lambda number: number * 20.0 + (number % 3) * MINUTE)
    numbers = st.integers(0, count_max)
    life = [draw(events(draw(days), f"e{draw(numbers)}")) for _ in range(draw(st.integers(1, count_max)))]
    life += [make.bought(number * 5.0, 40_000, event_id=f"b{number}") for number in range(draw(numbers))]
    return life + draw(st.lists(st.sampled_from(life), max_size=3))


def of_customer(event: Event, customer: str) -> Event:
    """The same event of another customer."""
    return msgspec.structs.replace(event, subject=customer, id=f"{customer}-{event.id}")
