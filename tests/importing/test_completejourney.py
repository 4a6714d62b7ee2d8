from collections import Counter
from datetime import UTC, datetime

import pandas as pd
import pytest

from stream.core.events.event import (
    CostRecorded,
    CustomerIdentified,
    Event,
    MessageDelivered,
    PromotionRedeemed,
    PurchaseCompleted,
)
from stream.importing.datasets.completejourney import completejourney_events
from stream.importing.event_order import event_order

LINE = {"store_id": 7, "quantity": 1, "retail_disc": 0.0, "coupon_disc": 0.0, "coupon_match_disc": 0.0}
LINES = [
    # two lines of one basket; 0.29 * 100 is not 29 in floating point
    {"household_id": 1, "basket_id": 10, "product_id": 100, "sales_value": 0.29, "coupon_disc": 0.5},
    {
        "household_id": 1,
        "basket_id": 10,
        "product_id": 101,
        "sales_value": 10.0,
        "quantity": 3,
        "retail_disc": 0.1,
    },
    # a coupon's own line, and fuel measured in thousandths
    {"household_id": 1, "basket_id": 10, "product_id": 102, "sales_value": 0.01, "quantity": 0},
    {"household_id": 2, "basket_id": 11, "product_id": 103, "sales_value": 20.0, "quantity": 12_000},
]
TIMES = ["2017-03-04 02:00:00"] * 3 + ["2017-03-01 12:00:00"]  # the first is March 3rd in the shop


@pytest.fixture
def folder(tmp_path):
    lines = pd.DataFrame([{**LINE, **line} for line in LINES])
    lines["transaction_timestamp"] = pd.to_datetime(TIMES)
    day = pd.to_datetime(["2017-03-03"])
    tables = {
        "transactions": lines,
        "products": pd.DataFrame(
            {"product_id": [100, 101], "department": ["GROCERY"] * 2, "product_category": ["SOUP", None]}
        ),
        "campaigns": pd.DataFrame({"campaign_id": [5, 6], "household_id": [1, 1]}),
        "campaign_descriptions": pd.DataFrame(
            {"campaign_id": [5, 6], "campaign_type": ["Type A", "Type B"], "start_date": [*day, *day]}
        ),
        "coupons": pd.DataFrame({"coupon_upc": [70, 80], "product_id": [999, 100], "campaign_id": [5, 6]}),
        "coupon_redemptions": pd.DataFrame(
            {
                "household_id": [1, 1],
                "coupon_upc": [70, 80],
                "campaign_id": [5, 6],
                "redemption_date": [*day, *day],
            }
        ),
    }
    for name, table in tables.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def test_a_basket_is_one_purchase_whose_total_is_the_exact_sum_of_its_lines(folder):
    events = list(completejourney_events(folder))
    fuel, basket = of(PurchaseCompleted, events)

    assert events == sorted(events, key=event_order)
    assert (basket.subject, basket.data.order_id, basket.data.total_minor) == (
        "household-1",
        "10",
        29 + 1000 + 1,
    )
    assert basket.data.discount_minor == 50 + 10
    assert basket.time == datetime(2017, 3, 4, 2, tzinfo=UTC)
    assert [(p.product_id, p.quantity, p.price_minor, p.category) for p in basket.data.products] == [
        ("100", 1, 29, "GROCERY/SOUP"),
        ("101", 3, 333, "GROCERY/OTHER"),
    ]
    assert [(p.quantity, p.price_minor) for p in fuel.data.products] == [(1, 2000)]


def test_mailings_and_redemptions_are_engagement_on_the_shops_own_day(folder):
    events = list(completejourney_events(folder))

    assert {m.time for m in of(MessageDelivered, events)} == {datetime(2017, 3, 3, 5, tzinfo=UTC)}
    assert {r.time for r in of(PromotionRedeemed, events)} == {datetime(2017, 3, 4, 2, tzinfo=UTC)}
    assert [e.subject for e in of(CustomerIdentified, events)] == ["household-2", "household-1"]


def test_a_coupons_cost_goes_to_the_campaign_whose_coupon_names_the_product(folder):
    (cost,) = of(CostRecorded, completejourney_events(folder))

    assert (cost.subject, cost.data.spend_minor) == ("campaign-6", 50)
    assert cost.time == cost.data.period.to == datetime(2017, 4, 1, 4, tzinfo=UTC)


@pytest.mark.data
def test_the_whole_year_adds_up_to_the_packages_own_numbers():
    kinds: Counter[type[Event]] = Counter()
    households: set[str] = set()
    ids: set[str] = set()
    total, cost = 0, 0
    for event in completejourney_events():
        kinds[type(event)] += 1
        ids.add(event.id)
        if isinstance(event, PurchaseCompleted):
            total += event.data.total_minor
            households.add(event.subject)
        elif isinstance(event, CostRecorded):
            cost += event.data.spend_minor

    assert kinds == {
        PurchaseCompleted: 155_848,
        MessageDelivered: 6_589,
        PromotionRedeemed: 2_102,
        CustomerIdentified: 2_469,
        CostRecorded: 56,
    }
    assert (total, cost, len(households), len(ids)) == (459_603_958, 3_090_255, 2_469, 167_064)
