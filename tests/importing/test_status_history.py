"""Exports with one line for each status of an order: the order counts once, by its latest status."""

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.commands.main import main
from stream.importing.files.cautions import cautions
from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.importing import Imported, imported, lines_of, orders, refunds

HISTORY = """
source = "/shop"
[columns]
order = "order"
customer = "customer"
time = "time"
event = "status"
product = "product"
quantity = "quantity"
line_total = "amount"
updated = "updated?"
status = "shipment?"
[constants]
currency = "EUR"
quantity = "1"
[returns]
whole_orders = ["Refunded"]
[events]
Pending = "ignore"
Paid = "purchase.completed"
Shipped = "purchase.completed"
Delivered = "purchase.completed"
Refunded = "purchase.completed"
Cancelled = "purchase.cancelled"
"""
HEADER = "order,customer,time,status,product,quantity,amount\n"
WITH_UPDATED = "order,customer,time,status,product,quantity,amount,updated\n"


def line(status, product="mug", amount="10.00", day=1, order=1, quantity=1):
    return f"{order},ann,2026-03-{day:02},{status},{product},{quantity},{amount}\n"


def live(done):
    """What counts of each order in the end: paid less refunded, without cancelled orders."""
    gone = {event["data"]["order_id"] for event in done.of("purchase.cancelled")}
    left = {number: paid for number, paid in orders(done).items() if number not in gone}
    for number, back in refunds(done):
        left[number] -= back
    return left


def is_accounted_for(done):
    lines = done.summary.as_dict()["lines"]
    return lines.pop("in") == sum(lines.values())


@pytest.mark.parametrize(
    ("text", "worth", "repeated"),
    [
        (line("Paid") + line("Shipped") + line("Delivered"), {"1": 1000}, 2),
        (line("Paid", day=1) + line("Shipped", day=2) + line("Delivered", day=5), {"1": 1000}, 2),
        (line("Paid", day=1) + line("Delivered", day=31), {"1": 1000}, 1),
        (line("Pending") + line("Paid") + line("Shipped"), {"1": 1000}, 1),
        (line("Paid") + line("Paid"), {"1": 2000}, 0),
        (line("Paid") * 2 + line("Shipped") * 2, {"1": 2000}, 2),
        (line("Paid") * 2 + line("Shipped"), {"1": 2000}, 1),
        (line("Paid") + line("Paid", "pot") + line("Shipped", "pot"), {"1": 2000}, 1),
        (line("Paid") + line("Shipped", amount="11.00"), {"1": 2100}, 0),
        (line("Paid") + line("Paid", order=2) + line("Shipped") + line("Shipped", order=2),
         {"1": 1000, "2": 1000}, 2),
    ],
)  # fmt: skip
def test_lines_that_differ_in_their_status_only_are_one_line(tmp_path, text, worth, repeated):
    done = imported(tmp_path, HEADER + text, HISTORY)

    assert orders(done) == worth
    assert done.summary.repeated == done.summary.later_statuses == repeated
    assert is_accounted_for(done)


def test_the_order_has_the_time_of_its_first_status(tmp_path):
    done = imported(tmp_path, HEADER + line("Shipped", day=4) + line("Paid", day=2), HISTORY)

    assert [event["time"][:10] for event in done.of("purchase.completed")] == ["2026-03-02"]


@pytest.mark.parametrize(
    "text",
    [
        line("Paid") + line("Cancelled"),
        line("Paid", day=1) + line("Shipped", day=2) + line("Cancelled", day=3),
        line("Cancelled", day=3) + line("Paid", day=1),
        line("Paid") + line("Cancelled", product="", amount="", quantity=""),
        line("Paid") + line("Cancelled", amount="0.00", quantity=0),
        line("Paid") * 2 + line("Cancelled") * 2,
        line("Paid") + line("Paid", "pot") + line("Cancelled") + line("Cancelled", "pot"),
        line("Paid") + line("Paid", order=2) + line("Paid") + line("Cancelled") + line("Cancelled", order=2),
    ],
)
def test_a_later_cancelled_line_cancels_the_order(tmp_path, text):
    done = imported(tmp_path, HEADER + text, HISTORY)

    assert live(done) == {}
    assert len(done.of("purchase.cancelled")) == len(done.of("purchase.completed")) > 0
    assert sum(done.summary.cancelled_minor.values()) == sum(orders(done).values())
    assert is_accounted_for(done)


def test_an_order_that_is_cancelled_from_the_start_is_told_so_that_what_was_sent_before_is_taken_back(
    tmp_path,
):
    done = imported(tmp_path, HEADER + line("Cancelled") + line("Cancelled", "pot"), HISTORY)

    (event,) = done.events
    assert (event["type"], event["data"]["order_id"]) == ("purchase.cancelled", "1")
    assert (event["id"], done.summary.in_other_events, done.summary.buyers) == ("cancellation-1-ann", 2, 0)


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        (line("Paid") + line("Paid", "pot", "5.00") + line("Cancelled", "pot", "5.00"), {"1": 1000}),
        (line("Shipped") + line("Cancelled", "pot", "5.00"), {"1": 1000}),
        (line("Paid") * 2 + line("Cancelled"), {"1": 1000}),
    ],
)
def test_a_cancelled_line_of_an_order_that_goes_on_is_left_out(tmp_path, text, worth):
    done = imported(tmp_path, HEADER + text, HISTORY)

    assert (live(done), done.of("purchase.cancelled")) == (worth, [])
    assert is_accounted_for(done)


def test_an_order_that_is_paid_after_it_was_cancelled_counts(tmp_path):
    text = line("Paid", day=1) + line("Cancelled", day=2) + line("Shipped", day=3)
    done = imported(tmp_path, HEADER + text, HISTORY)
    by_file = imported(tmp_path, HEADER + line("Cancelled") + line("Paid"), HISTORY)

    assert live(done) == live(by_file) == {"1": 1000}
    said = "\n".join(cautions(parse_mapping(HISTORY, "m"), by_file.summary))
    assert "1 orders count although a line says cancelled" in said
    assert done.summary.revived_by_place == 0


def test_a_later_refund_has_the_time_of_its_line(tmp_path):
    done = imported(tmp_path, HEADER + line("Paid", day=1) + line("Refunded", day=9), HISTORY)

    assert live(done) == {"1": 0}
    assert [event["time"][:10] for event in done.of("purchase.refunded")] == ["2026-03-09"]


def test_the_time_of_the_change_decides_not_the_place_in_the_file(tmp_path):
    newest_first = (
        "1,ann,2026-03-01,Cancelled,mug,1,10.00,2026-03-05\n1,ann,2026-03-01,Paid,mug,1,10.00,2026-03-01\n"
    )
    done = imported(tmp_path, WITH_UPDATED + newest_first, HISTORY)

    assert live(done) == {}
    assert [event["time"][:10] for event in done.events] == ["2026-03-01", "2026-03-05"]


def test_lines_that_differ_in_the_time_of_the_change_only_are_one_line(tmp_path):
    text = "1,ann,2026-03-01,Paid,mug,1,10.00,{}\n"
    done = imported(tmp_path, WITH_UPDATED + text.format("2026-03-02") + text.format("2026-03-05"), HISTORY)
    unread = imported(tmp_path, WITH_UPDATED + text.format("soon"), HISTORY)
    later = imported(tmp_path, WITH_UPDATED + text.format("2026-03-09"), HISTORY, now_ms=1_772_600_000_000)

    assert orders(done) == {"1": 1000}
    assert unread.reasons() == [(2, "time_unreadable")]
    assert later.reasons() == [(2, "time_in_future")]


def test_a_second_column_of_statuses_tells_statuses_as_well(tmp_path):
    header = "order,customer,time,status,product,quantity,amount,shipment\n"
    text = "1,ann,2026-03-01,Paid,mug,1,10.00,{}\n"
    done = imported(tmp_path, header + text.format("unfulfilled") + text.format("fulfilled"), HISTORY)

    assert orders(done) == {"1": 1000}


def test_equal_lines_are_pieces_of_their_own_where_the_mapping_says_so(tmp_path):
    mapping = HISTORY + '[orders]\nstatus_lines = "each"\n'
    done = imported(tmp_path, HEADER + line("Paid") + line("Shipped") + line("Cancelled"), mapping)

    assert live(done) == {"1": 2000}
    assert (done.summary.later_statuses, done.summary.ignored) == (0, 1)


def test_totals_of_the_order_are_those_of_its_latest_status(tmp_path):
    mapping = HISTORY.replace('line_total = "amount"', 'order_total = "amount"').replace(
        'product = "product"\nquantity = "quantity"\n', 'refunded = "back"\n'
    )
    text = "order,customer,time,status,amount,back\n" + "".join(
        f"{order},ann,2026-03-01,{status},{amount},{back}\n"
        for order, status, amount, back in (
            (1, "Paid", "50.00", ""), (1, "Shipped", "45.00", ""), (1, "Delivered", "45.00", "20.00"),
            (2, "Paid", "7.00", ""), (2, "Shipped", "7.00", ""),
        )
    )  # fmt: skip
    done = imported(tmp_path, text, mapping)

    assert live(done) == {"1": 2500, "2": 700}
    assert done.summary.summed_per_line == ()


def test_the_latest_status_counts_over_several_files(tmp_path):
    paths = []
    for number, text in enumerate(
        (line("Paid") + line("Paid", order=2), line("Cancelled") + line("Shipped", order=2))
    ):
        paths.append(tmp_path / f"{number}.csv")
        paths[-1].write_text(HEADER + text)
    done = Imported(HISTORY, *paths)

    assert live(done) == {"2": 1000}
    assert is_accounted_for(done)


def test_of_an_order_that_is_one_record_the_latest_record_counts(tmp_path):
    mapping = """
source = "/hooks"
items = "line_items"
[columns]
order = "id"
customer = "email"
time = "created_at"
updated = "updated_at"
event = "financial_status"
product = "items.sku"
quantity = "items.quantity"
unit_price = "items.price"
refunded = "back"
[constants]
currency = "EUR"
[returns]
whole_orders = ["refunded"]
[events]
pending = "ignore"
paid = "purchase.completed"
refunded = "purchase.completed"
voided = "purchase.cancelled"
"""

    def hook(number, status, day, *products, **more):
        return {
            **{"id": number, "email": "ann@x.org", "created_at": "2026-03-01T10:00:00Z"},
            **{"updated_at": f"2026-03-{day:02}T10:00:00Z", "financial_status": status},
            "line_items": [{"sku": name, "quantity": 1, "price": "10.00"} for name in products],
            **more,
        }

    text = lines_of(
        hook(1, "pending", 1, "mug", "pot"), hook(1, "paid", 2, "mug", "pot"),
        hook(1, "paid", 3, "mug", "pan"),
        hook(2, "paid", 2, "mug"), hook(2, "refunded", 4, "mug"),
        hook(3, "paid", 2, "mug", "pot"), hook(3, "voided", 5, "mug", "pot"),
        hook(4, "paid", 6, "mug", back="2.00"), hook(4, "paid", 3, "mug"),
    )  # fmt: skip
    done = imported(tmp_path, text, mapping, "hooks.jsonl")

    assert live(done) == {"1": 2000, "2": 0, "4": 800}
    first = next(e for e in done.of("purchase.completed") if e["data"]["order_id"] == "1")
    assert [product["product_id"] for product in first["data"]["products"]] == ["mug", "pan"]
    assert is_accounted_for(done)


def test_the_import_says_how_many_lines_are_later_statuses(tmp_path):
    done = imported(tmp_path, HEADER + line("Paid") + line("Shipped"), HISTORY)

    said = "\n".join(cautions(parse_mapping(HISTORY, "m"), done.summary))
    assert "1 lines differ from one of their order in status only" in said
    assert 'status_lines = "each"' in said


def suggestion(folder, text):
    (folder / "export.csv").write_text(text)
    return suggested_mapping(folder / "export.csv", as_json=False)


SHOP = "Order ID,Email,Order Date,Status,SKU,Qty,Line Total,Updated at\n"


def sold(order, status, updated, sku="mug", total="10.00"):
    return f"{order},a{order}@x.org,2026-01-{order + 20},{status},{sku},1,{total},2026-02-{updated:02}\n"


def test_a_proposed_mapping_counts_each_order_once_and_says_so(tmp_path):
    text = SHOP + "".join(
        sold(order, status, day)
        for day, (order, statuses) in enumerate(
            ((1, "Paid Shipped Delivered"), (2, "Paid Cancelled"), (3, "Pending Paid")), start=1
        )
        for status in statuses.split()
    )
    proposal = suggestion(tmp_path, text)
    done = imported(tmp_path, text, proposal)

    assert 'updated = "Updated at"' in proposal
    assert "Lines of one order differ in 'Status' only" in proposal
    assert live(done) == {"1": 1000, "3": 1000}


def test_a_second_status_is_proposed_where_lines_differ_in_it_only(tmp_path):
    text = SHOP.replace("Updated at", "Fulfillment Status") + "".join(
        f"{order},a@x.org,2026-01-2{order},paid,mug,1,10.00,{status}\n"
        for order, status in ((1, "unfulfilled"), (1, "fulfilled"), (2, "unfulfilled"))
    )
    proposal = suggestion(tmp_path, text)

    assert 'status = "Fulfillment Status"' in proposal
    assert orders(imported(tmp_path, text, proposal)) == {"1": 1000, "2": 1000}


def test_statuses_that_the_mapping_does_not_name_are_told(tmp_path):
    (tmp_path / "x.csv").write_text(HEADER + line("Paid") + line("Shipped"))
    mapping = HISTORY.replace('event = "status"\n', "").partition("[returns]")[0]
    mapping = mapping.replace('updated = "updated?"\nstatus = "shipment?"\n', "")
    (tmp_path / "m.toml").write_text(mapping)
    words = ["import", str(tmp_path / "x.csv"), "--mapping", str(tmp_path / "m.toml")]
    answer = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "out.jsonl")])

    assert "lines of one order differ in 'status' only, and each of them counts" in answer.stderr
    assert 'status = "status"' in answer.stderr


def test_the_summary_says_what_cancelled_orders_were_worth(tmp_path):
    (tmp_path / "x.csv").write_text(HEADER + line("Paid") + line("Cancelled"))
    (tmp_path / "m.toml").write_text(HISTORY)
    words = ["import", str(tmp_path / "x.csv"), "--mapping", str(tmp_path / "m.toml")]
    answer = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "out.jsonl")])

    assert "EUR 10.00  cancelled" in answer.output


STATUS = st.sampled_from(["Paid", "Shipped", "Delivered"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["mug", "pot"]), st.integers(1, 900)), min_size=1, max_size=4),
    st.lists(STATUS, min_size=1, max_size=3, unique=True),
    st.booleans(),
)
def test_a_history_of_statuses_is_worth_what_one_status_is(tmp_path_factory, products, statuses, interleaved):
    folder = tmp_path_factory.mktemp("history")
    lines = {s: [line(s, name, f"{cents / 100:.2f}") for name, cents in products] for s in statuses}
    text = (
        "".join("".join(row) for row in zip(*lines.values(), strict=True))
        if interleaved
        else "".join("".join(of_status) for of_status in lines.values())
    )

    whole = imported(folder, HEADER + text, HISTORY)
    once = imported(folder, HEADER + "".join(lines[statuses[-1]]), HISTORY)

    assert orders(whole) == orders(once)
    assert is_accounted_for(whole)
