from datetime import UTC, datetime, timedelta

from stream.core.events.event import FEEDBACK, PurchaseCompleted, Reviewed
from stream.core.events.payload import Product, Purchase
from stream.demo.moods import SORE_SHARE, YEAR, mood, with_feedback
from stream.importing.in_time import in_time

MUG = Product(product_id="mug", quantity=1, price_minor=100, category="Home")


def baskets(households, weeks=50):
    begins = datetime(2017, 1, 2, tzinfo=UTC)
    return [
        PurchaseCompleted(
            id=f"basket-{week}-{household}",
            source="/test",
            subject=f"household-{household}",
            time=begins + timedelta(weeks=week, minutes=household),
            data=Purchase(order_id=f"{week}-{household}", total_minor=100, currency="USD", products=(MUG,)),
        )
        for week in range(weeks)
        for household in range(households)
    ]


def test_feedback_is_added_in_time_order_and_the_baskets_stay_as_they_are():
    bought = baskets(60)
    played = list(with_feedback(bought, seed=1))
    said = [event for event in played if isinstance(event, FEEDBACK)]

    assert [event for event in played if event.source == "/test"] == bought
    assert played == sorted(played, key=in_time)
    assert len(said) > 60
    assert {event.source for event in said} == {"/generated"}
    assert max(event.time for event in said) < YEAR[1]
    assert len({event.id for event in played}) == len(played)


def test_the_seed_decides_what_is_said():
    assert list(with_feedback(baskets(9), 1)) == list(with_feedback(baskets(9), 1))
    assert list(with_feedback(baskets(9), 1)) != list(with_feedback(baskets(9), 2))


def test_sore_households_are_few_and_speak_badly_while_it_lasts():
    moods = {f"household-{n}": mood(1, f"household-{n}") for n in range(2_000)}
    sore = [one for one in moods.values() if one.theme]

    assert abs(len(sore) / len(moods) - SORE_SHARE) < 0.03
    low = [
        event
        for event in with_feedback(baskets(300), 1)
        if isinstance(event, Reviewed) and event.data.rating <= 2 and moods[event.subject].theme
    ]
    inside = [
        e for e in low if moods[e.subject].from_at <= e.time <= moods[e.subject].to_at + timedelta(days=9)
    ]

    assert len(inside) > 0.8 * len(low)
