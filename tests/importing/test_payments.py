"""Exports of payments: refunds name their payment elsewhere, fees and transfers are no orders."""

import pytest

from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.mapping.mapping import MappingError
from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.importing import imported, orders, refunds

PAYPAL = (
    "Date,Time,TimeZone,Name,Type,Status,Currency,Gross,Fee,Net,From Email Address,To Email Address,"
    "Transaction ID,Reference Txn ID,Balance Impact\n"
)
BUYER, SHOP = "ann@x.org", "me@shop.com"


def paypal(day, kind, gross, number, reference="", status="Completed", buyer=BUYER, zone="America/New_York"):
    """A line as PayPal writes it: money that leaves the account is from the shop, also a refund."""
    sender, receiver = (SHOP, buyer) if gross.startswith("-") else (buyer, SHOP)
    impact = "Debit" if gross.startswith("-") else "Credit"
    return (
        f"01/{day}/2024,22:30:00,{zone},X,{kind},{status},USD,{gross},0.00,{gross},{sender},{receiver},"
        f"{number},{reference},{impact}\n"
    )


FILE = PAYPAL + "".join(
    [
        paypal(15, "Express Checkout Payment", "25.00", "P1"),
        paypal(16, "Website Payment", "40.00", "P2", buyer="bob@x.org"),
        paypal(17, "Payment Refund", "-5.00", "R1", "P1"),
        paypal(18, "General Withdrawal", "-50.00", "W1"),
        paypal(19, "General Currency Conversion", "3.00", "C1", "P2"),
        paypal(20, "Express Checkout Payment", "60.00", "P3", status="Denied"),
        paypal(21, "Express Checkout Payment", "70.00", "P4", status="Pending"),
        paypal(22, "Mobile Payment", "-9.00", "S1", buyer="supplier@y.org"),
        paypal(23, "Subscription Payment", "8.00", "P5", "I-SUB1", zone="PST"),
        paypal(24, "Subscription Payment", "8.00", "P6", "I-SUB1"),
        paypal(25, "Payment Reversal", "-40.00", "R2", "P2", buyer="bob@x.org"),
    ]
)


def proposal(folder, text):
    (folder / "Download.csv").write_text(text)
    return suggested_mapping(folder / "Download.csv", as_json=False)


def test_of_a_paypal_download_payments_are_orders_and_refunds_go_back_from_theirs(tmp_path):
    done = imported(tmp_path, FILE, proposal(tmp_path, FILE))

    assert orders(done) == {"P1": 2500, "P2": 4000, "P5": 800, "P6": 800}
    assert refunds(done) == [("P1", 500), ("P2", 4000)]
    assert {event["subject"] for event in done.events} == {BUYER, "bob@x.org"}
    assert (done.summary.ignored, done.rejects) == (5, [])


def test_the_column_of_zones_gives_the_zone_of_each_line(tmp_path):
    done = imported(tmp_path, FILE, proposal(tmp_path, FILE))
    times = {event["data"]["order_id"]: event["time"][:16] for event in done.of("purchase.completed")}

    assert (times["P1"], times["P5"]) == ("2024-01-16T03:30", "2024-01-24T06:30")


def test_zones_that_cannot_be_read_are_told(tmp_path):
    text = proposal(tmp_path, PAYPAL + paypal(15, "Website Payment", "25.00", "P1", zone="BST"))

    assert "'TimeZone' is not used (BST): times without a zone are taken in the zone of [time]." in text


def test_types_that_are_not_known_are_told(tmp_path):
    lines = [paypal(15, "Website Payment", "25.00", "P1"), paypal(16, "Moon Payment", "1.00", "P2")]
    text = proposal(tmp_path, PAYPAL + "".join(lines))

    assert "'Type' is not used (Moon Payment, Website Payment): lines count whatever it says." in text


def test_a_balance_of_stripe_counts_charges_and_refunds_only(tmp_path):
    text = "id,Type,Source,Amount,Fee,Net,Currency,Created (UTC),Customer Email,Parent Charge ID\n" + "".join(
        f"txn{number},{kind},{source},{amount},0.00,{amount},eur,2024-01-{14 + number} 10:00,{who},{parent}\n"
        for number, (kind, source, amount, who, parent) in enumerate(
            (
                ("charge", "ch_1", "30.00", "ann@x.org", ""),
                ("refund", "re_1", "-10.00", "ann@x.org", "txn1"),
                ("stripe_fee", "fee_1", "-1.00", "", ""),
                ("payout", "po_1", "-19.00", "", ""),
            ),
            start=1,
        )
    )
    done = imported(tmp_path, text, proposal(tmp_path, text))

    assert (orders(done), refunds(done)) == ({"txn1": 3000}, [("txn1", 1000)])
    assert (done.summary.ignored, done.rejects) == (2, [])


SKIPPING = """
source = "/s"
[columns]
order = "order"
customer = "customer"
time = "time"
order_total = "total"
[constants]
currency = "EUR"
[skip]
kind = ["Test", "draft"]
"""


def test_lines_are_ignored_by_the_text_of_any_column(tmp_path):
    text = "order,customer,time,total,kind\n1,ann,2024-01-01,5.00,test\n2,ann,2024-01-02,6.00,\n"
    done = imported(tmp_path, text, SKIPPING)

    assert (orders(done), done.summary.ignored) == ({"2": 600}, 1)
    with pytest.raises(MappingError, match="there is no column 'kind'"):
        imported(tmp_path, text.replace(",kind", ",sort"), SKIPPING)


@pytest.mark.parametrize(("choice", "back"), [("refund", [("1", 500)]), ("ignore", [])])
def test_a_negative_total_is_a_refund_or_money_that_was_sent(tmp_path, choice, back):
    mapping = SKIPPING.partition("[skip]")[0] + f'[returns]\nnegative_total = "{choice}"\n'
    done = imported(tmp_path, "order,customer,time,total\n1,ann,2024-01-01,-5.00\n", mapping)

    assert [(order.removeprefix("unmatched-"), amount) for order, amount in refunds(done)] == back


def test_a_field_of_refunds_must_be_a_field():
    with pytest.raises(MappingError, match="'payment' is no field"):
        parse_mapping(SKIPPING + '[refund_columns]\npayment = "x"\n', "m")
