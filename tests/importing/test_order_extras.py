"""What is true of the order is not of the line: totals, discounts and refunds survive a refused line."""

import pytest

from stream.importing.files.cautions import cautions
from stream.importing.files.mapping.load import load_mapping, parse_mapping
from tests.support.importing import HEADER, case, imported, orders, refunds

ORDERS = """
source = "/s"
[columns]
order = "order"
customer = "customer"
time = "date"
product = "product"
quantity = "qty"
unit_price = "price"
order_total = "total?"
tax = "tax?"
shipping = "shipping?"
discount = "discount?"
refunded = "refunded?"
coupon = "coupon?"
event = "status?"
[constants]
currency = "EUR"
[events]
paid = "purchase.completed"
back = "purchase.refunded"
gone = "purchase.completed"
partly = "purchase.completed"
[returns]
whole_orders = ["gone"]
parts_of_orders = ["partly"]
"""
AS_OF_MS = 1_764_460_800_000
"""2025-11-30."""
FIRST = "order,customer,date,product,qty,price,"


def read(folder, header, *rows, mapping=ORDERS):
    mapping = mapping if "status" in header else mapping.replace('event = "status?"\n', "")
    return imported(folder, "\n".join([FIRST + header, *rows]) + "\n", mapping)


def test_the_totals_of_an_order_survive_its_refused_first_line():
    done = case("first-line-refused", "shopify-orders", "orders_export.csv")

    assert orders(done) == {"#1001": 9500, "#1002": 6000, "#1003": 9500}
    assert refunds(done) == [("#1001", 3000), ("#1002", 6000), ("#1003", 3000)]
    first, _, third = (e["data"] for e in done.of("purchase.completed"))
    assert first | {"order_id": ""} == third | {"order_id": ""}
    assert first["coupon"] == "TEN"
    assert sorted(done.reasons()) == [(2, "quantity_zero"), (4, "identifier_too_long"), (7, "quantity_zero")]


def test_a_rejected_line_says_what_of_it_counts_for_its_order():
    done = case("first-line-refused", "shopify-orders", "orders_export.csv")
    details = {reject["line"]: reject["detail"] for reject in done.rejects}

    assert "what it says of its order counts: order_total" in details[2]
    assert done.summary.refused_that_tell == len(done.rejects)
    sentences = "\n".join(cautions(load_mapping("shopify-orders"), done.summary))
    assert f"{len(done.rejects)} rejected lines say something of their whole order" in sentences


def test_a_rejected_line_that_says_nothing_of_its_order_is_not_told_so(tmp_path):
    done = imported(tmp_path, HEADER + "1,mug,0,2020-01-01,2.00,ann\n")

    assert (done.summary.refused_that_tell, done.rejects[0]["detail"]) == (0, "0")


@pytest.mark.parametrize("fault", ["1,ann,?,a,1,1.00,9.00,X", "1,ann,2026-01-01,a,1,?,9.00,X"])
def test_a_line_refused_for_its_time_or_price_keeps_the_extras_of_its_order(tmp_path, fault):
    done = read(tmp_path, "total,coupon", fault, "1,ann,2026-01-02,b,1,5.00,,")

    assert orders(done) == {"1": 900}
    assert done.of("purchase.completed")[0]["time"] == "2026-01-02T00:00:00Z"
    assert done.of("purchase.completed")[0]["data"]["coupon"] == "X"
    assert len(done.rejects) == 1


def test_an_order_with_a_total_counts_although_every_line_of_it_is_refused(tmp_path):
    done = read(tmp_path, "total", "1,ann,2026-01-01,a,0,1.00,9.00", "2,ann,2026-01-01,a,0,1.00,")

    assert orders(done) == {"1": 900}
    assert [reason for _, reason in done.reasons()] == ["quantity_zero"] * 2
    assert done.summary.in_orders == 0


@pytest.mark.parametrize("mapping", ["net.toml", "gross.toml"])
def test_tax_and_discount_of_each_line_are_summed(mapping):
    done = case("tax-per-line", mapping, "items.csv")

    assert orders(done) == {"TX1": 1831, "TX2": 1358}
    assert refunds(done) == [("TX2", 679)]
    assert done.rejects == []


def test_an_amount_that_all_lines_repeat_is_of_the_order(tmp_path):
    rows = [f"1,ann,2026-01-01,{name},1,5.00,1.20,4.90" for name in "ab"]

    assert orders(read(tmp_path, "tax,shipping", *rows)) == {"1": 1000 + 120 + 490}


def test_amounts_that_differ_within_one_order_are_summed_in_all_orders(tmp_path):
    rows = [
        *("1,ann,2026-01-01,a,1,5.00,0.50", "1,ann,2026-01-01,b,1,5.00,0.50"),
        *("2,ann,2026-01-02,a,1,5.00,0.50", "2,ann,2026-01-02,b,1,9.00,0.90"),
    ]

    assert orders(read(tmp_path, "tax", *rows)) == {"1": 1100, "2": 1540}


def test_a_mapping_can_say_that_an_amount_is_told_per_line(tmp_path):
    rows = ["1,ann,2026-01-01,a,1,5.00,0.50", "1,ann,2026-01-01,b,1,5.00,0.50"]
    done = read(tmp_path, "tax", *rows, mapping=ORDERS + '[orders]\nper_line = ["tax"]\n')

    assert orders(done) == {"1": 1100}


def test_a_tax_refused_with_its_line_is_not_paid(tmp_path):
    rows = ["1,ann,2026-01-01,a,0,5.00,0.50", "1,ann,2026-01-01,b,1,9.00,0.90"]
    done = read(tmp_path, "tax", *rows, mapping=ORDERS + '[orders]\nper_line = ["tax"]\n')

    assert orders(done) == {"1": 990}


def test_discounts_with_and_without_a_minus_are_the_same(tmp_path):
    plus, minus = (
        read(tmp_path, "discount", f"1,ann,2026-01-01,a,1,5.00,{discount}") for discount in ("1.50", "-1.50")
    )

    assert plus.events == minus.events
    assert orders(plus) == {"1": 350}


def test_the_tax_of_a_voucher_line_lowers_the_tax(tmp_path):
    rows = ["1,ann,2026-01-01,a,1,10.00,1.00", "1,ann,2026-01-01,voucher,1,-2.00,-0.20"]

    assert orders(read(tmp_path, "tax", *rows)) == {"1": 880}


def test_a_negative_tax_on_goods_that_were_bought_is_refused(tmp_path):
    done = read(tmp_path, "tax", "1,ann,2026-01-01,a,1,10.00,-1.00")

    assert done.reasons() == [(2, "amount_out_of_range")]


def test_a_total_below_zero_is_a_refund(tmp_path):
    rows = ["1,ann,2026-01-01,,,,25.00", "2,ann,2026-01-02,,,,30.00", "1,ann,2026-01-05,,,,-5.00"]
    done = read(tmp_path, "total", *rows)

    assert (orders(done), refunds(done)) == ({"1": 2500, "2": 3000}, [("1", 500)])
    assert done.rejects == []


def test_a_refund_row_may_have_negative_amounts(tmp_path):
    rows = ["1,ann,2026-01-01,,,,25.00,2.00,paid", "1,ann,2026-01-05,,,,-25.00,-2.00,back"]
    done = read(tmp_path, "total,tax,status", *rows)

    assert (orders(done), refunds(done), done.rejects) == ({"1": 2500}, [("1", 2500)], [])


def test_a_credit_note_gives_its_tax_back_too(tmp_path):
    rows = ["1,ann,2026-01-01,a,1,10.00,1.90", "C1,ann,2026-01-05,a,-1,10.00,-1.90"]

    assert refunds(read(tmp_path, "tax", *rows)) == [("1", 1190)]


def test_a_return_inside_an_order_has_no_part_of_what_the_whole_order_repeats(tmp_path):
    rows = ["1,ann,2026-01-01,a,2,10.00,4.90", "1,ann,2026-01-05,a,-1,10.00,4.90"]
    done = read(tmp_path, "shipping", *rows)

    assert (orders(done), refunds(done)) == ({"1": 2490}, [("1", 1000)])


def test_a_status_without_an_amount_refunds_the_whole_order(tmp_path):
    rows = [
        "1,ann,2026-01-01,a,1,10.00,gone",
        "2,ann,2026-01-02,a,1,10.00,partly",
        "3,ann,2026-01-03,a,1,1.00,paid",
    ]
    done = read(tmp_path, "status", *rows)

    assert (len(orders(done)), refunds(done)) == (3, [("1", 1000)])
    assert done.summary.parts_unknown == 1


def test_a_refund_that_names_only_its_order_gives_back_what_is_left(tmp_path):
    rows = [
        *("1,ann,2026-01-01,a,1,10.00,,paid", "1,ann,2026-01-02,,,,4.00,back", "1,ann,2026-01-03,,,,,back"),
        *("9,ann,2026-01-03,,,,,back", "1,ann,2026-01-04,,,,,back"),
    ]
    done = read(tmp_path, "refunded,status", *rows)

    assert refunds(done) == [("1", 400), ("1", 600)]
    assert len({e["id"] for e in done.events}) == 3
    assert sorted(done.reasons()) == [(5, "refund_without_amount"), (6, "refund_without_amount")]
    assert done.summary.in_refunds == 2


def test_a_number_that_starts_again_is_another_order(tmp_path):
    rows = ["1,ann,2025-01-05,a,1,10.00,", "1,ann,2025-01-09,b,1,1.00,", "1,ann,2026-01-05,a,1,20.00,"]
    done = read(tmp_path, "coupon", *rows)

    assert orders(done) == {"1": 1100, "1@2026-01-05": 2000}
    assert len({e["id"] for e in done.events}) == 2
    assert done.summary.orders_restarted == 1


def test_an_order_whose_lines_are_of_several_days_is_told(tmp_path):
    rows = ["1,ann,2025-01-05 10:00,a,1,3.50,3.50", "1,ann,2025-01-06 09:00,a,1,3.50,3.50"]
    together = ["2,bob,2025-01-05 10:00,a,1,3.50,7.00", "2,bob,2025-01-05 10:05,b,1,3.50,7.00"]
    spread, close = read(tmp_path, "total", *rows), read(tmp_path, "total", *together)

    assert [len(orders(done)) for done in (spread, close)] == [1, 1]
    sentences = [cautions(parse_mapping(ORDERS, "m"), done.summary) for done in (spread, close)]
    assert ["set restarts_daily = true in [orders]" in str(one) for one in sentences] == [True, False]
    assert ['(order = "order+Day", of a day without a clock)' in str(one) for one in sentences] == [
        True,
        False,
    ]


def test_a_refund_that_names_a_number_used_again_is_of_the_latest_order_before_it(tmp_path):
    rows = [
        *("1,ann,2025-01-05,a,1,10.00,,paid", "1,ann,2025-02-05,,,,4.00,back"),
        *("1,ann,2026-01-05,a,1,20.00,,paid", "1,ann,2026-02-05,,,,,back"),
    ]
    done = read(tmp_path, "refunded,status", *rows)

    assert orders(done) == {"1": 1000, "1@2026-01-05": 2000}
    assert refunds(done) == [("1", 400), ("1@2026-01-05", 2000)]


def test_the_number_of_an_order_can_be_made_of_several_columns(tmp_path):
    mapping = ORDERS.replace('order = "order"', 'order = "coupon+order"').replace('coupon = "coupon?"\n', "")
    rows = ["1,ann,2026-01-05,a,1,10.00,north", "1,ann,2026-01-05,a,1,20.00,south"]

    assert orders(read(tmp_path, "coupon", *rows, mapping=mapping)) == {"north-1": 1000, "south-1": 2000}


def test_a_negative_total_on_a_refused_line_is_no_order(tmp_path):
    done = read(tmp_path, "total", "1,ann,,a,1,1.00,-9.00", "2,ann,,a,1,1.00,9.00")

    assert (done.events, done.reasons()) == ([], [(2, "time_missing"), (3, "time_missing")])


def test_a_refund_with_the_number_of_its_order_proves_nothing_of_other_orders(tmp_path):
    rows = [
        *("1,ann,2026-01-01,a,1,5.00,9.00,paid", "1,ann,2026-01-05,,,,4.00,back"),
        *("2,bob,2026-01-02,a,1,5.00,9.00,paid", "2,bob,2026-01-02,b,1,4.00,9.00,paid"),
    ]
    done = read(tmp_path, "total,status", *rows)

    assert (orders(done), refunds(done)) == ({"1": 900, "2": 900}, [("1", 400)])


def test_a_number_that_starts_again_proves_nothing_of_other_orders(tmp_path):
    rows = [
        *("1,ann,2025-01-01,a,1,5.00,9.00", "1,ann,2026-01-05,a,1,5.00,7.00"),
        *("2,bob,2026-01-02,a,1,5.00,9.00", "2,bob,2026-01-02,b,1,4.00,9.00"),
    ]

    assert orders(read(tmp_path, "total", *rows)) == {"1": 900, "1@2026-01-05": 700, "2": 900}


def test_an_order_of_the_future_does_not_count_by_its_total_either(tmp_path):
    text = FIRST + "total\n1,ann,2024-05-03,a,1,10.00,10.00\n2,ann,2090-05-03,a,1,70.00,70.00\n"
    done = imported(tmp_path, text, ORDERS.replace('event = "status?"\n', ""), now_ms=AS_OF_MS)

    assert orders(done) == {"1": 1000}
    assert done.reasons() == [(3, "time_in_future")]


def test_customers_are_counted_and_one_for_all_orders_is_doubted(tmp_path):
    lines = [f"{n},ann,2025-01-{n + 1:02},a,1,3.50,3.50" for n in range(25)]
    one, two = (
        read(tmp_path, "total", *lines),
        read(tmp_path, "total", *lines, "99,bob,2025-01-05,a,1,3.50,3.50"),
    )

    assert [done.summary.buyers for done in (one, two)] == [1, 2]
    doubts = [
        "all orders are of one customer" in str(cautions(parse_mapping(ORDERS, "m"), d.summary))
        for d in (one, two)
    ]
    assert doubts == [True, False]
