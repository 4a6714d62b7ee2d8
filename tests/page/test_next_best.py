"""The category to offer a customer next in words, with its reason."""

import msgspec
import pytest

from stream.core.facts.interests import AlsoBought, Interests
from stream.page.screens.one_customer.next_best import next_words
from stream.page.screens.one_customer.screen import customer_screen
from tests.support.dashboard_pages import stored_profile
from tests.support.narrow import not_none

ALSO = AlsoBought(
    ("bread", "butter", "nails", "wine"),
    ((1.0, 0.8, 0.1, 0.3), (0.9, 1.0, 0.0, 0.5), (0.2, 0.1, 1.0, 0.1), (0.6, 0.7, 0.1, 1.0)),
)
"""Row: who buys this; column: the share of them who buy that."""


@pytest.fixture
def buyer(shop):
    """A profile that the page knows, of somebody who buys bread; the view and a reading."""
    store, view = shop
    with store.reading() as reading:
        (customer,) = reading.one("SELECT customer FROM customers WHERE orders > 3 ORDER BY customer LIMIT 1")
        profile = stored_profile(reading, customer)
        profile.interests = Interests(bought={"bread": 1.0})
        yield profile, view, reading


def report(view, also=ALSO):
    return {"as_of_ms": view.as_of_ms, "development": {"also_bought": msgspec.to_builtins(also)}}


def test_the_words_name_the_category_the_reason_the_shares_and_the_day(buyer):
    profile, view, _ = buyer

    words = next_words(profile, report(view), view)

    assert "To offer next: butter. 80% of the customers who buy bread, as they do, buy it too" in words
    assert view.date(view.as_of_ms) in words


@pytest.mark.parametrize("numbers", [None, {}, {"development": {}}, {"development": {"also_bought": 3}}])
def test_what_was_not_published_is_said_with_the_command(buyer, numbers):
    profile, view, _ = buyer

    assert "`stream report --publish`" in next_words(profile, numbers, view)


def test_who_has_no_category_gets_no_words(buyer):
    profile, view, _ = buyer
    profile.interests = Interests()

    assert next_words(profile, report(view), view) == ""


def test_the_page_of_a_customer_shows_them(buyer):
    profile, view, reading = buyer

    screen = customer_screen(reading, profile.customer, view, report(view))

    assert not_none(screen).next_best == next_words(
        stored_profile(reading, profile.customer), report(view), view
    )
