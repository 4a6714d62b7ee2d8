"""Exports of further makers: what was read as something else in silence when they were first tried."""

import tomllib

import pytest

from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.importing import imported, lines_of, of_ready, orders, refunds
from tests.support.status_history import live

SHOPWARE = """\
orderNumber;orderDateTime;stateMachineState.name;transactions.stateMachineState.name;amountTotal;orderCustomer.email;\
lineItems.productNumber;lineItems.quantity;lineItems.totalPrice;lineItems.tax;currency.isoCode
10001;2026-02-21 10:11:12;Offen;Bezahlt;55.00;ann@x.ch;SW-1;2;55.00;7.7;CHF
10002;2026-02-23 11:00:00;Abgeschlossen;Erstattet;27.50;bob@x.ch;SW-1;1;27.50;7.7;CHF
10003;2026-02-24 11:00:00;Storniert;Abgebrochen;27.50;bob@x.ch;SW-1;1;27.50;7.7;CHF
"""


def proposal(folder, text, name="export.csv"):
    (folder / name).write_text(text)
    return suggested_mapping(folder / name, as_json=False)


def test_of_two_states_of_shopware_that_of_the_payment_counts(tmp_path):
    text = proposal(tmp_path, SHOPWARE)
    done = imported(tmp_path, SHOPWARE, text)

    assert live(done) == {"10001": 5500, "10002": 0}
    assert "tax" not in tomllib.loads(text)["columns"]
    assert "'stateMachineState.name' is not used (Abgeschlossen, Offen, Storniert)" in text


def charge(number, kind, created, charge_id, amount, refunded, customer="cus_1"):
    about = {"id": charge_id, "amount": amount, "amount_refunded": refunded, "created": 1_769_000_000}
    about |= {"currency": "eur", "customer": customer, "status": "succeeded", "object": "charge"}
    return {"id": f"evt_{number}", "type": kind, "created": created, "data": {"object": about}}


STRIPE = (
    charge(1, "charge.succeeded", 1_769_000_000, "ch_1", 5_000, 0),
    charge(2, "charge.refunded", 1_769_100_000, "ch_1", 5_000, 1_000),
    charge(3, "charge.refunded", 1_769_200_000, "ch_1", 5_000, 3_000),
    charge(4, "charge.succeeded", 1_769_300_000, "ch_2", 700, 0, "cus_2"),
    charge(5, "charge.updated", 1_769_300_001, "ch_2", 700, 0, "cus_2"),
    charge(6, "payment_intent.created", 1_769_300_002, "pi_3", 900, 0, "cus_2"),
)


def test_webhooks_of_stripe_are_recognised_and_tell_the_money_of_a_charge_once(tmp_path):
    text = proposal(tmp_path, lines_of(*STRIPE), "hooks.jsonl")
    done = of_ready(tmp_path, "stripe-events", lines_of(*STRIPE), "hooks.jsonl")

    assert text.startswith("# ready mapping: stripe-events")
    assert orders(done) == {"ch_1": 5_000, "ch_2": 700}
    assert refunds(done) == [("ch_1", 3_000)]
    assert [event["time"][:19] for event in done.of("purchase.refunded")] == ["2026-01-23T20:26:40"]
    assert (done.summary.ignored, done.summary.repeated, done.rejects) == (1, 3, [])


BIGCOMMERCE = [
    {
        **{"id": number, "date_created": f"Tue, {day} Jan 2026 10:00:00 +0000", "customer_id": 7},
        **{"status": status, "currency_code": "USD"},
        **{"total_inc_tax": "25.50", "refunded_amount": back},
        "products": [{"product_id": 1, "quantity": 1, "price_inc_tax": "25.50"}],
    }
    for number, day, status, back in (
        (100, 20, "Shipped", "0.0000"), (101, 27, "Partially Refunded", "10.0000"),
        (102, 27, "Incomplete", "0.0000"),
    )
]  # fmt: skip


def test_orders_of_bigcommerce_have_their_number_and_their_total(tmp_path):
    text = proposal(tmp_path, lines_of(*BIGCOMMERCE), "orders.jsonl")
    done = imported(tmp_path, lines_of(*BIGCOMMERCE), text, "orders.jsonl")

    assert live(done) == {"100": 2550, "101": 1550}
    assert done.summary.ignored == 1


NEWEST_FIRST = """\
Order ID,Customer ID,Order Date,Order Status,SKU,Qty,Item Total
3,c2,2026-01-25,Shipped,mug,1,10.00
3,c2,2026-01-25,Paid,mug,1,10.00
2,c2,2026-01-24,Cancelled,mug,1,10.00
2,c2,2026-01-24,Paid,mug,1,10.00
1,c1,2026-01-23,Paid,pot,1,20.00
"""


def test_in_a_file_with_the_newest_at_the_top_the_upper_line_is_the_later_status(tmp_path):
    done = imported(tmp_path, NEWEST_FIRST, proposal(tmp_path, NEWEST_FIRST))

    assert live(done) == {"1": 2000, "3": 1000}
    assert done.summary.revived_by_place == 0


def test_a_zone_in_a_column_of_its_own_counts_beside_a_time_with_a_clock(tmp_path):
    text = "Order ID,Customer ID,Order Date,TimeZone,Total\n1,c,2026-01-25 23:30:00,CET,5.00\n"
    done = imported(tmp_path, text, proposal(tmp_path, text))

    assert [event["time"][:16] for event in done.events] == ["2026-01-25T22:30"]


@pytest.mark.parametrize(
    "at", ["2026-01-25T23:30:00+01:00", "2026-01-25T22:30:00Z", "2026-01-25 23:30:00 CET"]
)
def test_a_time_with_a_zone_of_its_own_needs_no_column_of_zones(tmp_path, at):
    text = f"Order ID,Customer ID,Order Date,Time Zone,Total\n1,c,{at},CET,5.00\n"
    done = imported(tmp_path, text, proposal(tmp_path, text))

    assert [event["time"][:16] for event in done.events] == ["2026-01-25T22:30"]


@pytest.mark.parametrize("name", ["amount_cents", "Total (in cents)", "total_price_minor", "price_in_pence"])
def test_names_of_columns_say_that_amounts_are_in_minor_units(tmp_path, name):
    text = f"order_id,customer_id,order_date,{name}\n1,c,2026-01-25,1250\n2,c,2026-01-26,900\n"

    assert orders(imported(tmp_path, text, proposal(tmp_path, text))) == {"1": 1250, "2": 900}


def test_amounts_that_are_all_whole_are_doubted(tmp_path):
    header = "order_id,customer_id,order_date,total,currency\n"
    whole, yen, parts = (
        proposal(tmp_path, header + f"1,c,2026-01-25,{first},{code}\n2,c,2026-01-26,900,{code}\n")
        for first, code in (("1250", "EUR"), ("1250", "JPY"), ("12.50", "EUR"))
    )

    assert "All amounts are whole numbers: if they are cents, set minor_units = true" in whole
    assert "whole numbers" not in yen + parts


@pytest.mark.parametrize(
    ("column", "values"),
    [("Line Type", "Sale,Payment"), ("amount-type", "ItemPrice,ItemFees"), ("Void?", "false,true")],
)
def test_a_column_that_says_what_a_line_is_about_is_told_where_it_is_not_used(tmp_path, column, values):
    first, second = values.split(",")
    header = f"order_id,customer_id,order_date,total,{column}\n"
    text = f"{header}1,c,2026-01-25,1.50,{first}\n2,c,2026-01-26,2.50,{second}\n"

    assert f"{column!r} is not used" in proposal(tmp_path, text)


def test_values_of_the_event_column_that_are_not_named_can_be_ignored(tmp_path):
    mapping = """
source = "/s"
[columns]
order = "order"
customer = "customer"
time = "time"
order_total = "total"
event = "kind"
[constants]
currency = "EUR"
[events]
paid = "purchase.completed"
"*" = "ignore"
"""
    text = "order,customer,time,total,kind\n1,c,2026-01-25,5.00,paid\n2,c,2026-01-25,5.00,other\n"
    done = imported(tmp_path, text, mapping)

    assert (orders(done), done.summary.ignored, done.rejects) == ({"1": 500}, 1, [])
    assert parse_mapping(mapping, "m").events["*"] == "ignore"


EBAY = """\
Transaction creation date,Type,Order number,Buyer username,Item ID,Quantity,Net amount,Transaction currency
"Jan 20, 2026",Order,11-1,ann_b,123,1,17.50,USD
"Jan 21, 2026",Other fee,--,--,--,--,-3.00,USD
"Jan 22, 2026",Payout,--,--,--,--,-14.50,USD
"Jan 25, 2026",Refund,11-1,ann_b,123,1,-7.50,USD
"""


def test_fees_and_payouts_of_ebay_are_no_orders_of_a_customer_called_dash(tmp_path):
    done = imported(tmp_path, EBAY, proposal(tmp_path, EBAY))
    by_hand = imported(tmp_path, "id,who,at,sum\n1,--,2026-01-25,5.00\n", BY_HAND)

    assert (orders(done), refunds(done)) == ({"11-1": 1750}, [("11-1", 750)])
    assert (done.summary.ignored, done.rejects) == (2, [])
    assert by_hand.reasons() == [(2, "customer_missing")]


BY_HAND = """
source = "/s"
[columns]
order = "id?"
customer = "who"
time = "at"
order_total = "sum"
[constants]
currency = "EUR"
"""


@pytest.mark.parametrize("name", ["Total", "Grand total", "Summe", "GESAMT"])
def test_the_last_line_of_a_report_is_no_customer(tmp_path, name):
    text = f"who,at,sum\nann,2026-01-25,5.00\n{name},2026-01-31,5.00\n"

    assert imported(tmp_path, text, BY_HAND).reasons() == [(3, "customer_missing")]


TRANSACTIONS = """\
Order,Customer Email,Kind,Created At,Status,Amount,Currency
5001,ann@x.org,authorization,2026-01-20 10:00,success,50.00,EUR
5001,ann@x.org,capture,2026-01-21 10:00,success,50.00,EUR
5001,ann@x.org,refund,2026-01-25 10:00,success,15.00,EUR
5002,bob@x.org,sale,2026-01-22 10:00,failure,70.00,EUR
5002,bob@x.org,sale,2026-01-22 10:05,success,70.00,EUR
5003,bob@x.org,sale,2026-01-23 10:05,failure,90.00,EUR
"""


def test_authorisations_and_failures_of_transactions_are_no_payments(tmp_path):
    done = imported(tmp_path, TRANSACTIONS, proposal(tmp_path, TRANSACTIONS))

    assert (orders(done), refunds(done)) == ({"5001": 5000, "5002": 7000}, [("5001", 1500)])


ITEMS = """\
Order ID,Buyer Email,Order Date,Item Status,SKU,Qty,Item Total
1,a@x.org,2026-01-20 10:00,Shipped,mug,1,10.00
1,a@x.org,2026-01-20 10:00,Returned,pot,1,20.00
2,b@x.org,2026-01-26 10:00,Returned,pan,1,30.00
2,b@x.org,2026-01-26 10:00,Returned,mug,1,10.00
"""


def test_of_an_order_of_which_one_line_went_back_that_line_is_refunded(tmp_path):
    done = imported(tmp_path, ITEMS, proposal(tmp_path, ITEMS))

    assert live(done) == {"1": 1000, "2": 0}
    assert refunds(done) == [("1", 2000), ("2", 4000)]
