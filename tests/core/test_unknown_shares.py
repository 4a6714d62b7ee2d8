"""What an export does not hold is unknown, not zero: also in means over histories that hold some of it."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events.event import PurchaseCompleted
from stream.core.events.payload import Product
from stream.core.judgement.rules import basket_growth
from stream.core.judgement.standing import standing
from stream.wording.profile import buying_lines, interest_lines, value_lines
from tests.support.builders import at, basis, bought
from tests.support.laws import lived, waited


def bare(day: float, minor: int = 5_000) -> PurchaseCompleted:
    """A purchase of an export without products."""
    return with_products(bought(day, minor, event_id=f"bare{day}"), ())


def with_products(event: PurchaseCompleted, products: tuple[Product, ...]) -> PurchaseCompleted:
    return msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, products=products))


def product(name: str, quantity: int = 1, category: str | None = None, price: int = 100) -> Product:
    return Product(product_id=name, quantity=quantity, price_minor=price, category=category)


def bought_words(*life: PurchaseCompleted) -> str:
    profile, _ = lived(life, basis())
    return " ".join(
        [*buying_lines(profile.buying, at(200), basis().meaning.calendar), *interest_lines(profile, at(200))]
    )


def test_orders_without_products_say_nothing_of_items_or_categories():
    words = bought_words(bare(1), bare(20))

    assert "Has paid $100.00 so far: $50.00 per order." in words
    assert "item" not in words
    assert "categor" not in words


def test_products_without_a_category_say_nothing_of_categories():
    one = with_products(bought(1, event_id="a"), (product("p", 2), product("q")))
    single = with_products(bought(9, event_id="b"), (product("p", 2),))

    words = bought_words(one, single)

    assert "per order, for 2.5 items on average." in words
    assert "categor" not in words


def test_a_mixed_history_has_means_over_what_is_known():
    known = with_products(bought(1, event_id="a"), (product("p", 3, "toys"), product("q", 1, "books")))
    half = with_products(bought(5, event_id="b"), (product("p", 1, "toys"), product("q", 1, None)))

    words = bought_words(known, half, bare(20), bare(40))

    assert "per order, for 3.0 items from 1.5 categories on average." in words


def test_the_mean_price_of_an_item_is_that_of_items_with_a_price():
    priced = with_products(bought(1, event_id="a"), (product("p", 2, price=1_000),))
    unpriced = with_products(bought(5, event_id="b"), (product("q", 8, price=0),))

    assert "Pays $10.00 per item on average, $10.00 at most." in bought_words(priced, unpriced)


def test_orders_without_a_price_are_in_no_mean_basket_and_make_no_growth():
    life = [bare(number * 10.0, 0) for number in range(6)] + [
        bare(100.0 + number, 4_000) for number in range(6)
    ]
    profile, _ = lived(life, basis())

    assert "Has paid $240.00 so far: $40.00 per order." in bought_words(*life)
    assert basket_growth(profile) < 1e-9


def test_a_customer_whose_orders_have_no_price_is_worth_nobody_knows_what():
    profile, _ = lived([bare(number * 10.0, 0) for number in range(6)], basis())
    words = buying_lines(profile.buying, at(60), basis().meaning.calendar)

    assert "No order of theirs has a price: what they paid, and what they are worth, is not known." in words
    assert not any("$" in line for line in [*words, *value_lines_of(profile)])


def value_lines_of(profile):
    return value_lines(profile, standing(profile, at(60), basis()), basis())


def test_an_alert_about_such_a_customer_has_no_money_at_stake():
    policy = basis('[churn_risk]\ntier_min = "bronze"\n')
    life = [bare(number * 7.0, 0) for number in range(12)]
    profile, alerts = lived(life, policy)
    alerts += waited(profile, at(300), policy)[1]

    assert [alert.type for alert in alerts][:1] == ["churn_risk.raised"]
    assert alerts[0].data.value_at_risk is None


@given(st.permutations(range(5)), st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_what_is_known_is_counted_in_any_order(order, counts):
    events = [
        with_products(
            bought(1.0 + number, event_id=f"e{number}"),
            tuple(product(f"p{place}", 1, "toys" if place else None) for place in range(count)),
        )
        for number, count in enumerate(counts)
    ]
    sums = lived([events[place] for place in order], basis())[0].buying.sums

    assert (sums.units, sums.units_known) == (sum(counts), sum(count > 0 for count in counts))
    assert (sums.mix, sums.mix_known) == (
        sum(count > 1 for count in counts),
        sum(count > 1 for count in counts),
    )
