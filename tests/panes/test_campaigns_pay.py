"""Whether a campaign pays is said in words, with its uncertainty; and bars are shares of something named."""

import re

import pytest

from stream.core.units import DAY_MS
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from stream.panes.campaigns import won_by
from stream.panes.currencies import priced
from stream.panes.grown import grown
from stream.panes.pays import NOT_KNOWN, PAYS, PAYS_NOT, does_it_pay, used_by
from stream.panes.won import won
from tests.support.studies import report_of


@pytest.fixture(scope="module")
def numbers():
    shop = Shop(seed=3, customers=120, days=540)
    events = shop_events(shop, planned_lives(shop))
    return report_of(events, events[-1].time_ms // DAY_MS * DAY_MS)


@pytest.mark.parametrize(
    ("low_minor", "high_minor", "verdict"),
    [(1_000, 3_000, PAYS), (999, 3_000, NOT_KNOWN), (200, 1_000, NOT_KNOWN), (200, 999, PAYS_NOT)],
)
def test_a_campaign_pays_where_the_whole_interval_of_its_value_is_above_its_cost(
    numbers, low_minor, high_minor, verdict
):
    more = {"worth_low_minor": low_minor, "worth_high_minor": high_minor, "cost_per_customer_minor": 1_000}
    one = {**numbers["campaigns"][0], "customers": 9, "worth_minor": 1_500, "ratio": 1.5, **more}

    page = won_by({**priced(numbers), "campaigns": [one], "channels": []})

    assert does_it_pay(one) == verdict
    assert f'data-label="worth its cost" class=text>{verdict}</td>' in page


def test_how_many_orders_must_have_come_because_of_a_campaign_for_it_to_pay_is_told(numbers):
    def one(cost_minor):
        use = {"name": "spring", "title": "", "reached": 0, "redeemed": 5, "orders": 7, "came": 0}
        return used_by({**money, "campaign_use": [{**use, "paid_minor": 10_000, "cost_minor": cost_minor}]})

    money = {**priced(numbers), "basis": {**numbers["basis"], "margin": 0.3}}
    assert "if 40% came because of it" in one(1_200)
    assert "no, even if all came because of it" in one(3_100)
    assert "yes, it cost nothing" in one(0)
    assert "not known without its cost" in one(None)


def widths(html):
    return [float(width) for width in re.findall(r'<rect width="([\d.]+)" height="10"/></svg>', html)]


def test_bars_of_counts_that_differ_little_are_shares_of_the_whole_and_not_all_full(numbers):
    places = {name: 100 + n for n, name in enumerate(numbers["retention"]["by_tier"])}
    tiers = grown({**priced(numbers), "development": {**numbers["development"], "tiers": places}})
    channels = {name: {"customers": 9, "new": 100 + n} for n, name in enumerate(("mail", "shop", "web"))}
    acquired = won({**priced(numbers), "acquisition": {**numbers["acquisition"], "channels": channels}})

    for bars in (widths(tiers), widths(acquired)[:3]):
        assert len(bars) >= 3
        assert sum(bars) == pytest.approx(100, abs=1)
    assert "of all with a tier" in tiers
    assert "of all new" in acquired
