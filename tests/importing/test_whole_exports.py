"""The ready mappings on complete exports, with all fields that their makers document."""

from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.importing import imported, lines_of, of_ready
from tests.support.status_history import live

SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,"
    "Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,"
    "Lineitem taxable,Lineitem fulfillment status,Billing Name,Cancelled at,Payment Method,Refunded Amount,"
    "Vendor,Id"
)
BLANK_ROW = dict.fromkeys(SHOPIFY.split(","), "")


def shopify_rows(name, email, status, at, lines, **first):
    """An order as Shopify exports it: the fields of the order stand on its first line only."""
    for number, (quantity, product, price) in enumerate(lines):
        row = BLANK_ROW | {"Name": name, "Email": email, "Created at": at}
        row |= {"Lineitem quantity": quantity, "Lineitem name": product, "Lineitem price": price}
        row |= {"Lineitem requires shipping": "true", "Lineitem taxable": "true", "Vendor": "Leaf"}
        if number == 0:
            row |= {"Financial Status": status, "Currency": "EUR", "Shipping": "0.00", "Taxes": "0.00"}
            row |= {name.replace("_", " "): value for name, value in first.items()}
        yield ",".join(row.values())


def test_a_whole_shopify_export(tmp_path):
    at = "2025-10-07 09:50:26 +0200"
    goods = [("3", "Masque - 34g", "34.90"), ("1", "Serum", "59.80"), ("1", "Sample (gift)", "0.00")]
    rows = [
        *shopify_rows(
            *("#1", "s@x.fr", "paid", at, goods),
            **{"Total": "53.91", "Discount_Code": "WELCOME10", "Discount_Amount": "110.59"},
        ),
        *shopify_rows(
            *("#2", "s@x.fr", "partially_refunded", at, goods[:1]),
            **{"Total": "104.70", "Refunded_Amount": "34.90"},
        ),
        *shopify_rows("#3", "t@x.fr", "voided", at, goods[:2], **{"Total": "164.50", "Cancelled_at": at}),
        *shopify_rows("#4", "", "pending", at, goods[:1], **{"Total": "104.70"}),
    ]
    done = of_ready(tmp_path, "shopify-orders", "\n".join([SHOPIFY, *rows]) + "\n", "orders_export.csv")
    orders = [e["data"] for e in done.of("purchase.completed")]

    assert [(o["order_id"], o["total_minor"], len(o["products"])) for o in orders] == [
        ("#1", 5391, 3),
        ("#2", 10470, 1),
    ]
    assert (orders[0]["discount_minor"], orders[0]["coupon"], orders[0]["currency"]) == (
        *(11059, "WELCOME10", "EUR"),
    )
    (refund,) = done.of("purchase.refunded")
    assert (refund["data"]["order_id"], refund["data"]["refund_minor"]) == ("#2", 3490)
    (cancelled,) = done.of("purchase.cancelled")
    assert (cancelled["data"]["order_id"], cancelled["time"][:19]) == ("#3", "2025-10-07T07:50:26")
    assert (done.summary.in_other_events, done.summary.ignored, done.rejects) == (2, 1, [])


def ga4_event(name, params, items=(), **more):
    """A row of `events_YYYYMMDD` as BigQuery exports it to JSON: its integers are text."""
    return {
        **{"event_date": "20240611", "event_timestamp": "1718064000123456", "event_name": name},
        "event_params": [{"key": key, "value": value} for key, value in params.items()],
        **{"user_id": None, "user_pseudo_id": "1234567890.1717000000", "platform": "WEB"},
        "device": {"category": "mobile"},
        "items": list(items),
        **more,
    }


def test_a_day_of_ga4(tmp_path):
    item = {
        **{"item_id": "SKU_1", "item_name": "Jacket", "item_brand": "Acme", "item_category": "Apparel"},
        **{"price": 34.99, "quantity": "2", "item_revenue": 69.98, "price_in_usd": 37.5},
    }
    params = {"currency": {"string_value": "EUR"}, "ga_session_id": {"int_value": "1718063990"}}
    money = {"total_item_quantity": "2", "purchase_revenue": 69.98, "tax_value": 5.0, "shipping_value": 3.5}
    none = {"transaction_id": "(not set)"}
    text = lines_of(
        ga4_event("session_start", params),
        ga4_event("view_item", params, [item | {"quantity": None}], ecommerce=none),
        ga4_event("add_to_cart", params, [item], ecommerce=none),
        ga4_event("purchase", params, [item], ecommerce={**money, "transaction_id": "T_12345"}),
        ga4_event("refund", params, [item], ecommerce={"transaction_id": "T_12345", "refund_value": 34.99}),
        ga4_event("view_search_results", {"search_term": {"string_value": "jacket"}}),
        ga4_event("scroll", {"percent_scrolled": {"int_value": "90"}}),
    )
    done = of_ready(tmp_path, "ga4-bigquery", text, "events_20240611.json")
    (bought,), (refund,) = done.of("purchase.completed"), done.of("purchase.refunded")

    assert done.rejects == []
    assert (bought["subject"], bought["time"]) == ("1234567890.1717000000", "2024-06-11T00:00:00.123000Z")
    assert (bought["data"]["total_minor"], bought["data"]["currency"]) == (6998, "EUR")
    assert [(p["price_minor"], p["quantity"]) for p in bought["data"]["products"]] == [(3499, 2)]
    assert (refund["data"]["order_id"], refund["data"]["refund_minor"]) == ("T_12345", 3499)
    assert done.of("engagement.product_viewed")[0]["data"]["price_minor"] == 3499
    assert done.of("engagement.searched")[0]["data"]["query"] == "jacket"
    assert done.summary.ignored == 1


GAME = {"product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "name": "Monopoly: 3rd Edition"}
CARDS = {"product_id": "505bd76785ebb509fc183733", "sku": "46493-32", "name": "Uno Card Game"}
SEGMENT_CALL = {
    **{"type": "track", "channel": "server", "event": "Order Completed", "messageId": "ajs-1"},
    **{"userId": "019mr8mf4r", "anonymousId": "507f191e", "originalTimestamp": "2024-03-01T10:04:05.5Z"},
    **{"timestamp": "2024-03-01T10:04:06Z", "receivedAt": "2024-03-01T10:04:09Z", "version": 2},
    "context": {"library": {"name": "analytics.js"}, "campaign": {"name": "TPS", "source": "Newsletter"}},
    "properties": {
        **{"checkout_id": "fksd", "order_id": "50314b8e", "affiliation": "Google Store", "total": 27.5},
        **{
            "subtotal": 22.5,
            "revenue": 25.0,
            "shipping": 3,
            "tax": 2,
            "discount": 2.5,
            "coupon": "hasbros",
        },
        "currency": "USD",
        "products": [
            GAME | {"price": 19, "quantity": 1, "category": "Games"},
            CARDS | {"price": 3, "quantity": 2, "category": "Games"},
        ],
    },
}


def test_a_shopify_export_without_the_column_of_refunded_amounts(tmp_path):
    at, goods = "2025-10-07 09:50:26 +0200", [("1", "Serum", "5.00"), ("1", "Masque", "6.00")]
    rows = [
        *shopify_rows("#1", "s@x.fr", "refunded", at, goods, Total="11.00"),
        *shopify_rows("#2", "s@x.fr", "partially_refunded", at, goods, Total="11.00"),
    ]
    column = SHOPIFY.split(",").index("Refunded Amount")
    lines = [line.split(",") for line in (SHOPIFY, *rows)]
    text = "\n".join(",".join([*cells[:column], *cells[column + 1 :]]) for cells in lines) + "\n"
    done = of_ready(tmp_path, "shopify-orders", text, "orders_export.csv")
    (refund,) = done.of("purchase.refunded")

    assert (refund["data"]["order_id"], refund["data"]["refund_minor"]) == ("#1", 1100)
    assert (done.summary.parts_unknown, done.rejects) == (1, [])


def test_a_shopify_export_that_a_spreadsheet_saved_with_fewer_columns_is_still_one(tmp_path):
    head = (
        "Name;Email;Financial Status;Currency;Total;Refunded Amount;Created at;Lineitem quantity;"
        "Lineitem name;Lineitem price"
    )
    text = f"""{head}
#1;s@x.fr;paid;EUR;1.249,50;0,00;27.01.2026 10:00;1;Öl;1.200,00
#1;s@x.fr;;;;;27.01.2026 10:00;1;"Tee; grün";49,50
#2;s@x.fr;partially_refunded;EUR;33,45;10,00;28.01.2026 10:00;1;Käse;33,45
#3;t@x.fr;voided;EUR;33,45;0,00;29.01.2026 10:00;1;Käse;33,45
"""
    (tmp_path / "export.csv").write_text(text, encoding="utf-8")
    proposal = suggested_mapping(tmp_path / "export.csv", as_json=False)
    done = imported(tmp_path, text, proposal)

    assert proposal.startswith("# ready mapping: shopify-orders")
    assert live(done) == {"#1": 124950, "#2": 2345}
    assert done.rejects == []


def test_a_whole_segment_call_and_one_of_rudderstack(tmp_path):
    refund = {
        **SEGMENT_CALL,
        **{"event": "Order Refunded", "messageId": "ajs-2", "originalTimestamp": "2024-03-05T08:00:00.000Z"},
        "properties": {
            "order_id": "50314b8e",
            "total": 6,
            "currency": "USD",
            "products": [CARDS | {"price": 3}],
        },
    }
    visitor = {**SEGMENT_CALL, "userId": None, "messageId": "ajs-3"}
    done = of_ready(tmp_path, "segment-track", lines_of(SEGMENT_CALL, refund, visitor), "track.jsonl")
    bought, back = done.events

    assert (bought["id"], bought["time"]) == ("ajs-1", "2024-03-01T10:04:05.500000Z")
    data = bought["data"]
    assert (data["total_minor"], data["tax_minor"], data["shipping_minor"]) == (2750, 200, 300)
    assert (data["discount_minor"], data["coupon"], data["affiliation"]) == (250, "hasbros", "Google Store")
    assert data["campaign"] == {"id": "TPS", "name": "TPS", "source": "Newsletter"}
    assert [(p["product_id"][:3], p["price_minor"], p["quantity"]) for p in data["products"]] == [
        ("507", 1900, 1),
        ("505", 300, 2),
    ]
    assert (back["id"], back["data"]["order_id"], back["data"]["refund_minor"]) == ("ajs-2", "50314b8e", 600)
    assert {reason for _, reason in done.reasons()} == {"customer_missing"}


def test_amazon_reviews_of_2023(tmp_path):
    review = {
        **{"rating": 2.0, "title": "Broke", "text": "Broke after a week.", "images": [], "asin": "B01"},
        **{"parent_asin": "B00", "user_id": "AFKZENTNBQ7A7V7UXW5JJI6UGRYQ", "timestamp": 1588687728923},
        **{"helpful_vote": 0, "verified_purchase": True},
    }
    (event,) = of_ready(tmp_path, "amazon-reviews", lines_of(review), "Gift_Cards.jsonl").events

    assert (event["subject"], event["time"]) == (
        "AFKZENTNBQ7A7V7UXW5JJI6UGRYQ",
        "2020-05-05T14:08:48.923000Z",
    )
    assert (event["data"]["rating"], event["data"]["review_body"]) == (2.0, "Broke after a week.")


def test_online_retail_the_second(tmp_path):
    text = (
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
        "489434,85048,15CM GLASS BALL 20 LIGHTS,12,2009-12-01 07:45:00,6.95,13085.0,United Kingdom\n"
        "C489449,22087,PAPER BUNTING WHITE LACE,-12,2009-12-01 10:33:00,2.95,16321.0,Australia\n"
        "A506401,B,Adjust bad debt,1,2010-04-29 13:36:00,-53594.36,,United Kingdom\n"
    )
    done = of_ready(tmp_path, "online-retail", text, "online_retail_II.csv")

    assert [e["data"].get("total_minor") for e in done.of("purchase.completed")] == [8340]
    assert [e["data"]["refund_minor"] for e in done.of("purchase.refunded")] == [3540]
    assert done.reasons() == [(4, "customer_missing")]
