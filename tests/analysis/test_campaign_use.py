"""What became of campaigns that won nobody: who redeemed them, what was paid with them, what they cost."""

import json
import random
from typing import Any

import pytest

from stream.analysis.business.campaign_use import joined_uses
from stream.analysis.business.ledger import read_ledger
from stream.core.events import event as ev
from stream.core.events import payload as pl
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.panes.pays import COST_LINE
from stream.panes.report import business_page
from stream.panes.summary import summary_sentences
from stream.wire.decode import decode_line
from tests.support.builders import at, bought, cancelled, when
from tests.support.studies import report_of

SPRING = pl.Campaign(id="spring", name="Spring coupons")
END = 400


def envelope(day: float, name: str, customer: str) -> dict[str, Any]:
    return {"id": name, "source": "/shop", "subject": customer, "time": when(day)}


def mailed(day: float, customer: str, campaign: pl.Campaign = SPRING) -> ev.Event:
    data = pl.MessageTouch(message_id=f"m-{customer}-{campaign.id}", channel="mail", campaign=campaign)
    return ev.MessageDelivered(data=data, **envelope(day, f"m-{customer}-{campaign.id}", customer))


def redeemed(day: float, customer: str, campaign: pl.Campaign = SPRING, name: str = "") -> ev.Event:
    data = pl.Promotion(promotion_id="coupon", campaign=campaign)
    name = name or f"r-{customer}-{campaign.id}-{day}"
    return ev.PromotionRedeemed(data=data, **envelope(day, name, customer))


def naming(day: float, customer: str, minor: int, campaign: str) -> ev.Event:
    event = bought(day, minor, customer=customer)
    data = {name: getattr(event.data, name) for name in event.data.__struct_fields__}
    return ev.PurchaseCompleted(
        data=pl.Purchase(**{**data, "campaign": pl.Campaign(id=campaign)}),
        **envelope(day, event.id, customer),
    )


def cost(day: float, campaign: str, minor: int) -> ev.Event:
    period = pl.Period(from_=when(day - 30), to=when(day))
    data = pl.MarketingCost(
        campaign=pl.Campaign(id=campaign), period=period, spend_minor=minor, currency="USD"
    )
    return ev.CostRecorded(data=data, **envelope(day, f"cost-{campaign}-{day}", campaign))


def shop() -> list[ev.Event]:
    """Eight customers who buy each month; two redeem a coupon of spring, one order names `banner`."""
    events: list[ev.Event] = []
    for number in range(8):
        who = f"c{number}"
        events += [
            bought(30 * place + number, 1_000, customer=who, order=f"o{number}-{place}")
            for place in range(13)
        ]
        events.append(mailed(1, who))
    events += [
        redeemed(61.2, "c1"),  # on the day of an order of 10.00
        redeemed(61.2, "c1", name="a second coupon"),
        redeemed(91.2, "c1"),
        redeemed(62.3, "c2"),
        redeemed(70.0, "c2"),  # on a day without an order
        naming(200, "c3", 4_000, "banner"),
    ]
    return sorted(events, key=lambda one: one.time_ms)


def report(events: list[ev.Event]) -> dict[str, Any]:
    return report_of(sorted(events, key=lambda one: one.time_ms), at(END) // DAY_MS * DAY_MS)


def of(numbers: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in numbers["campaign_use"] if one["name"] == name)


def test_a_campaign_that_won_nobody_has_who_was_reached_who_redeemed_it_and_what_was_paid_with_it():
    spring = of(report([*shop(), cost(100, "spring", 300)]), "spring")

    assert spring == {
        "name": "spring", "title": "Spring coupons", "reached": 8, "came": 0, "redeemed": 2, "redemptions": 5,
        "customers": 2, "orders": 3, "paid_minor": 3_000, "cost_minor": 300,
    }  # fmt: skip


def test_an_order_that_names_a_campaign_belongs_to_it_and_one_that_names_and_redeems_counts_once():
    numbers = report([*shop(), redeemed(200.1, "c3", pl.Campaign(id="banner"))])

    banner = of(numbers, "banner")
    assert (banner["orders"], banner["paid_minor"], banner["redeemed"], banner["cost_minor"]) == (
        1,
        4_000,
        1,
        None,
    )


def test_a_cancelled_order_and_an_event_that_comes_again_are_in_no_number_of_a_campaign():
    again = [one for one in shop() if type(one) is ev.PromotionRedeemed]

    assert of(report([*shop(), *again]), "spring") == of(report(shop()), "spring")
    assert of(report([*shop(), cancelled(63, "o1-2", customer="c1")]), "spring")["orders"] == 2


def test_what_became_of_campaigns_is_the_same_in_parts_of_the_customers():
    events, policy = [*shop(), redeemed(62.35, "c2", pl.Campaign(id="spring", name="A name"))], Policy()
    whole = read_ledger(sorted(events, key=lambda one: one.time_ms), (), policy).used
    random.Random(3).shuffle(events)
    parts = [
        read_ledger(
            sorted((one for one in events if hash_of(one.subject) == part), key=lambda one: one.time_ms),
            (),
            policy,
        ).used
        for part in range(3)
    ]

    assert joined_uses(parts) == whole
    assert whole["spring"].title == "A name"


def hash_of(customer: str) -> int:
    return sum(customer.encode()) % 3


def test_the_page_says_what_was_paid_with_a_campaign_and_how_often_that_covers_its_cost():
    page = business_page(report([*shop(), cost(100, "spring", 300)]))

    assert "spring (Spring coupons)" in page
    assert "nobody is known to have come through" not in page
    assert "3.0 times" in page  # a margin of 30% of 30.00, for 3.00
    assert "2 customers redeemed it, and 3 orders with it came to $30.00" in page


def test_where_no_cost_is_known_the_page_says_how_to_give_it_and_that_line_does_what_it_says():
    page = business_page(report(shop()))

    assert "cost not known" in page
    assert "stream report EVENTS costs.jsonl --publish FOLDER" in page
    event = decode_line(COST_LINE.encode())
    assert isinstance(event, ev.CostRecorded)
    line = json.loads(COST_LINE)
    assert (event.subject, event.data.spend_minor, event.data.currency) == ("spring", 120_000, "EUR")
    assert line["data"]["period"]["to"] == line["time"]


def test_a_report_of_an_earlier_version_without_these_numbers_is_shown():
    numbers = report(shop())
    del numbers["campaign_use"]

    assert "Who used a campaign" not in business_page(numbers)
    assert summary_sentences(numbers)[3].startswith("Which campaign pays is not known")


def test_a_campaign_that_only_reached_customers_says_that_what_it_brought_is_not_known():
    events = [*shop(), *(mailed(2, f"c{number}", pl.Campaign(id="letter")) for number in range(5))]

    page = business_page(report(events))

    assert "1 campaign reached customers, but what was bought with it is not known" in page


@pytest.mark.parametrize("minor", [0, 1_500])
def test_a_campaign_whose_orders_do_not_cover_its_cost_is_named(minor):
    page = business_page(report([*shop(), cost(100, "spring", 300), cost(101, "banner", minor)]))

    assert ("Of 1 of the 2 with a cost it is less than the cost, such as banner" in page) is bool(minor)
