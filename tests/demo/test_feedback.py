from datetime import UTC, datetime, timedelta

from stream.core.events.event import FEEDBACK, PurchaseCompleted, Reviewed
from stream.core.events.payload import Product, Purchase
from stream.demo.feedback import UNHAPPY_SHARE, YEAR, unhappy_period, with_feedback
from stream.importing.event_order import event_order

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
    feedback = [event for event in played if isinstance(event, FEEDBACK)]

    assert [event for event in played if event.source == "/test"] == bought
    assert played == sorted(played, key=event_order)
    assert len(feedback) > 60
    assert {event.source for event in feedback} == {"/generated"}
    assert max(event.time for event in feedback) < YEAR[1]
    assert len({event.id for event in played}) == len(played)


def test_the_seed_decides_the_feedback():
    assert list(with_feedback(baskets(9), 1)) == list(with_feedback(baskets(9), 1))
    assert list(with_feedback(baskets(9), 1)) != list(with_feedback(baskets(9), 2))


def test_few_households_are_unhappy_and_their_bad_reviews_fall_into_that_period():
    periods = {f"household-{n}": unhappy_period(1, f"household-{n}") for n in range(2_000)}
    unhappy = [period for period in periods.values() if period.theme]

    assert abs(len(unhappy) / len(periods) - UNHAPPY_SHARE) < 0.03
    bad_reviews = [
        event
        for event in with_feedback(baskets(300), 1)
        if isinstance(event, Reviewed) and event.data.rating <= 2 and periods[event.subject].theme
    ]
    inside = [
        e
        for e in bad_reviews
        if periods[e.subject].from_at <= e.time <= periods[e.subject].to_at + timedelta(days=9)
    ]

    assert len(inside) > 0.8 * len(bad_reviews)
