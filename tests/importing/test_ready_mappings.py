from collections import Counter
from typing import Any

import pytest

from stream.importing.files.mapping.load import ready_mappings
from tests.support.importing import Imported, lines_of, of_ready
from tests.support.public_data import gift_card_file


def test_online_retail(tmp_path):
    text = (
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,HEART,6,7/1/2011 8:26,2.55,17850.0,United Kingdom\n"
        "C536379,85123A,HEART,-1,7/1/2011 9:41,2.55,17850,United Kingdom\n"
        "536414,22139,,56,2010-12-01 11:52:00,0,,United Kingdom\n"
    )
    done = of_ready(tmp_path, "online-retail", text, "retail.csv")
    bought, refunded = done.events

    assert (bought["subject"], bought["time"], bought["data"]["total_minor"]) == (
        "17850",
        "2011-07-01T07:26:00Z",
        1530,
    )
    assert (refunded["data"]["order_id"], refunded["data"]["refund_minor"]) == ("536365", 255)
    assert done.reasons() == [(4, "customer_missing")]


def test_shopify_orders_carry_their_totals_on_the_first_line(tmp_path):
    text = (
        "Name,Email,Financial Status,Currency,Taxes,Shipping,Discount Code,Discount Amount,Total,Created at,"
        "Lineitem quantity,Lineitem name,Lineitem price,Refunded Amount,Vendor\n"
        "#1,ann@x.org,partially_refunded,USD,1.00,4.90,WELCOME,2.00,23.90,2023-05-01 10:11:12 -0400,"
        "1,Mug,10.00,5.00,Acme\n"
        "#1,ann@x.org,,,,,,,,2023-05-01 10:11:12 -0400,2,Pot,5.00,,Acme\n"
    )
    done = of_ready(tmp_path, "shopify-orders", text, "orders.csv")
    data = done.of("purchase.completed")[0]["data"]

    assert done.rejects == []
    assert (data["total_minor"], data["tax_minor"], data["shipping_minor"], data["discount_minor"]) == (
        2390,
        100,
        490,
        200,
    )
    assert [(p["product_id"], p["quantity"], p["brand"]) for p in data["products"]] == [
        ("Mug", 1, "Acme"),
        ("Pot", 2, "Acme"),
    ]
    assert done.of("purchase.refunded")[0]["data"]["refund_minor"] == 500


SEGMENT_ORDER = {
    **{"order_id": "o1", "total": 27.5, "tax": 2, "currency": "USD"},
    "products": [
        {"product_id": "p1", "price": 19.0, "quantity": 1},
        {"product_id": "p2", "price": 3.25, "quantity": 2},
    ],
}
SEGMENT_CALLS: tuple[tuple[str, Any], ...] = (
    ("Order Completed", SEGMENT_ORDER),
    ("Order Completed", SEGMENT_ORDER),
    ("Product Viewed", {"product_id": "p1", "category": "Games"}),
    ("Order Refunded", {"order_id": "o1", "total": 3.25, "currency": "USD"}),
    ("Email Opened", {"email_id": "e9"}),
    ("Something Else", {}),
)


def test_segment_track_calls(tmp_path):
    common = {
        "userId": "ann",
        "timestamp": "2024-01-01T10:00:00.000Z",
        "context": {"campaign": {"name": "Spring"}},
    }
    text = lines_of(
        *(
            {**common, "messageId": f"m{number}", "event": event, "properties": properties}
            for number, (event, properties) in enumerate(SEGMENT_CALLS, start=1)
        )
    )
    done = of_ready(tmp_path, "segment-track", text, "track.jsonl")
    bought, refunded, viewed, opened = done.events

    assert (bought["id"], bought["data"]["total_minor"]) == ("m1", 2750)
    assert [p["price_minor"] for p in bought["data"]["products"]] == [1900, 325]
    assert (refunded["data"]["order_id"], refunded["data"]["refund_minor"]) == ("o1", 325)
    assert (viewed["type"], viewed["data"]["category"]) == ("engagement.product_viewed", "Games")
    assert (opened["type"], opened["data"]["campaign"]["id"]) == ("engagement.message_opened", "Spring")
    assert sorted(done.reasons()) == [(2, "order_repeated"), (2, "order_repeated"), (6, "event_not_mapped")]


def test_ga4_export(tmp_path):
    at = {"user_pseudo_id": "u.1", "event_timestamp": "1700000000000000"}
    items = [{"item_id": "a", "price": 5, "quantity": 2}, {"item_id": "b", "price": 1.5, "quantity": 1}]
    session = [{"key": "ga_session_id", "value": {"int_value": 42}}]
    text = lines_of(
        {
            **at,
            "event_name": "purchase",
            "ecommerce": {"transaction_id": "t1", "purchase_revenue": 11.5},
            "items": items,
        },
        {**at, "event_name": "begin_checkout", "event_params": session, "items": items},
        {**at, "event_name": "view_item", "event_params": session, "items": items},
        {**at, "event_name": "page_view"},
    )
    done = of_ready(tmp_path, "ga4-bigquery", text, "ga4.json")

    assert done.rejects == []
    assert Counter(e["type"] for e in done.events) == {
        "purchase.completed": 1,
        "engagement.checkout_started": 1,
        "engagement.product_viewed": 2,
    }
    assert done.of("purchase.completed")[0]["data"]["total_minor"] == 1150
    assert done.of("engagement.checkout_started")[0]["data"]["session_id"] == "42"
    assert done.summary.ignored == 2  # the page view, and the checkout's second product


def test_amazon_reviews(tmp_path):
    review = {
        "overall": 4.0,
        "reviewerID": "A1",
        "asin": "B1",
        "reviewText": "Nice",
        "unixReviewTime": 1529193600,
    }
    done = of_ready(tmp_path, "amazon-reviews", lines_of(review), "reviews.json")

    assert done.events[0]["type"] == "feedback.reviewed"
    assert done.events[0]["time"] == "2018-06-17T00:00:00Z"
    assert (done.events[0]["data"]["rating"], done.events[0]["data"]["review_body"]) == (4.0, "Nice")


@pytest.mark.data
def test_real_reviews_are_all_read():
    done = Imported(ready_mappings()["amazon-reviews"], gift_card_file())

    assert (done.summary.lines, done.summary.in_other_events, len(done.rejects)) == (2_972, 2_972, 0)
    assert len({e["subject"] for e in done.events}) == 458
    assert Counter(e["data"]["rating"] for e in done.events)[5.0] == 2_752
