"""Webhooks of orders as records, and what --suggest and the import say of columns of statuses."""

from click.testing import CliRunner

from stream.commands.main import main
from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.importing import imported, lines_of, orders
from tests.support.status_history import HEADER, HISTORY, is_accounted_for, line, live

WEBHOOKS = """
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


def test_of_an_order_that_is_one_record_the_latest_record_counts(tmp_path):
    text = lines_of(
        hook(1, "pending", 1, "mug", "pot"), hook(1, "paid", 2, "mug", "pot"),
        hook(1, "paid", 3, "mug", "pan"),
        hook(2, "paid", 2, "mug"), hook(2, "refunded", 4, "mug"),
        hook(3, "paid", 2, "mug", "pot"), hook(3, "voided", 5, "mug", "pot"),
        hook(4, "paid", 6, "mug", back="2.00"), hook(4, "paid", 3, "mug"),
    )  # fmt: skip
    done = imported(tmp_path, text, WEBHOOKS, "hooks.jsonl")

    assert live(done) == {"1": 2000, "2": 0, "4": 800}
    first = next(e for e in done.of("purchase.completed") if e["data"]["order_id"] == "1")
    assert [product["product_id"] for product in first["data"]["products"]] == ["mug", "pan"]
    assert is_accounted_for(done)


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

    assert "€10.00  cancelled" in answer.output


def test_statuses_of_woocommerce_mean_the_same_with_the_mark_of_its_database(tmp_path):
    words = ("completed", "processing", "cancelled", "refunded", "on-hold", "failed", "checkout-draft")
    text = "Order ID,Order Date,Customer Email,Order Status,Order Total,Currency\n" + "".join(
        f"{number},2026-01-{number + 10},a{number}@x.org,wc-{word},10.00,EUR\n"
        for number, word in enumerate(words, start=1)
    )
    proposal = suggestion(tmp_path, text)
    done = imported(tmp_path, text, proposal)

    assert 'event = "Order Status"' in proposal
    assert 'whole_orders = ["wc-refunded"]' in proposal
    assert live(done) == {"1": 1000, "2": 1000, "4": 0}
    assert is_accounted_for(done)


def test_a_status_that_stands_on_the_first_line_of_an_order_only_is_told_with_its_remedy(tmp_path):
    text = "Order ID,Order Date,Email,Status,SKU,Qty,Price\n" + "".join(
        f"{number},2026-01-{number + 10},a@x.org,paid,mug,1,10.00\n"
        f"{number},2026-01-{number + 10},a@x.org,,pot,1,5.00\n"
        for number in range(1, 4)
    )
    proposal = suggestion(tmp_path, text)
    mended = 'fill_down = ["event"]\n' + proposal

    assert "'Status' is blank on 3 of 6 lines, which are rejected" in proposal
    assert 'fill_down = ["event"]' in proposal
    assert orders(imported(tmp_path, text, mended)) == {"1": 1500, "2": 1500, "3": 1500}
    assert "is blank on" not in suggestion(tmp_path, text.replace("a@x.org,,", "a@x.org,paid,"))
