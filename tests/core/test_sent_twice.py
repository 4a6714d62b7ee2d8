"""What counts twice when a history is sent again, long after its ids were forgotten, as the runbook says."""

from stream.core.facts.purchases import ORDERS_KEPT
from tests.support.builders import basis, bought, reviewed, visited
from tests.support.laws import lived


def sent_twice(orders: int):
    """A customer of so many weekly orders, with visits and reviews; after one sending and after two."""
    purchases = [bought(week * 7.0, 2_500, event_id=f"b{week}") for week in range(orders)]
    others = [visited(week * 7.0 + 1, event_id=f"v{week}") for week in range(orders)]
    words = [reviewed(week * 7.0 + 2, 5, event_id=f"r{week}") for week in range(orders)]
    life = sorted([*purchases, *others, *words], key=lambda event: event.time)
    once, _ = lived(life, basis())
    twice, _ = lived([*life, *life], basis())
    return once, twice


def test_money_counts_once_while_the_orders_are_kept():
    once, twice = sent_twice(ORDERS_KEPT)

    assert twice.buying == once.buying


def test_orders_that_newer_ones_pushed_out_count_again():
    once, twice = sent_twice(ORDERS_KEPT + 5)

    assert once.buying.sums.orders == ORDERS_KEPT + 5
    assert twice.buying.sums.orders == ORDERS_KEPT + 10


def test_engagement_and_feedback_of_forgotten_ids_count_again():
    once, twice = sent_twice(20)

    remembered = 2  # of the last eight days
    assert twice.feedback.reviews == 2 * once.feedback.reviews - remembered
    assert twice.engagement.sessions == 2 * once.engagement.sessions - remembered
