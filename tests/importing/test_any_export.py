"""Mappings times files: every line is accounted for, counted without the parser; money in is money out."""

import csv
import io
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.importing import Imported

FACTS = ("tax", "shipping", "discount", "order_total")
AMOUNT = st.integers(0, 5_000).map(lambda cents: Decimal(cents) / 100)


class Line(NamedTuple):
    price: Decimal
    quantity: int
    is_refused: bool


class Order(NamedTuple):
    customer: str
    lines: tuple[Line, ...]
    facts: dict[str, Decimal]
    is_per_line: bool
    """Tax and discount are amounts of each line; the last of them differs, which proves it."""


class Layout(NamedTuple):
    delimiter: str
    decimal: str
    quoting: int
    mark: str
    titles: int
    repeated_header: bool
    extra_cell: bool
    sep_line: bool
    line_total: bool


LINES = st.builds(Line, AMOUNT, st.integers(1, 4), st.sampled_from([False, False, False, True]))
ORDERS = st.builds(
    Order,
    st.sampled_from(["ann", "bob", "c 3", "É"]),
    st.lists(LINES, min_size=1, max_size=4).map(tuple),
    st.dictionaries(st.sampled_from(FACTS), AMOUNT),
    st.booleans(),
)
LAYOUTS = st.builds(
    Layout,
    st.sampled_from(",;\t|"),
    st.sampled_from(".,"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["", "€", "EUR "]),
    st.integers(0, 2),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
HEADER = ("no", "who", "day", "thing", "pieces", "price", *FACTS)


def mapping_of(layout, orders):
    is_per_line = any(order.is_per_line for order in orders)
    return f"""
source = "/any"
[columns]
order = "no"
customer = "who"
time = "day"
product = "thing"
quantity = "pieces"
{"line_total" if layout.line_total else "unit_price"} = "price"
{"".join(f'{fact} = "{fact}"' + chr(10) for fact in FACTS)}
[constants]
currency = "EUR"
[money]
decimal = "{layout.decimal}"
[orders]
per_line = {'["tax", "discount"]' if is_per_line else "[]"}
[file]
title_lines = {0 if layout.sep_line else layout.titles}
delimiter = {layout.delimiter!r}
""".replace("'\\t'", '"\\t"')


def facts_of_line(order, at):
    """The cells of a line: what its whole order says stands on the first line, tax and discount on each."""
    shown = {} if at else dict(order.facts)
    if order.is_per_line:
        shown |= {name: order.facts[name] for name in ("tax", "discount") if name in order.facts}
    return shown


def text_of(layout, orders):
    out = io.StringIO()
    if layout.sep_line:
        out.write(f"sep={layout.delimiter}\n")
    else:
        out.write("a title\n" * layout.titles)
    writer = csv.writer(out, delimiter=layout.delimiter, quoting=layout.quoting, lineterminator="\n")
    writer.writerow(HEADER)
    for number, order in enumerate(orders, start=1):
        if layout.repeated_header and number == 2:
            writer.writerow(HEADER)
        for at, line in enumerate(order.lines):
            shown = facts_of_line(order, at)
            row = [f"N{number}", order.customer, f"2024-01-{number:02}", f"p{at}"]
            row += ["0" if line.is_refused else str(line.quantity), layout.mark + money(line.price, layout)]
            row += [money(shown[fact], layout) if fact in shown else "" for fact in FACTS]
            writer.writerow([*row, ""] if layout.extra_cell else row)
    return out.getvalue()


def money(amount, layout):
    return f"{amount:.2f}".replace(".", layout.decimal)


def paid(order, layout):
    """What was paid for an order, in cents; None where no line and no total of it is left."""
    kept = [line for line in order.lines if not line.is_refused]
    if "order_total" in order.facts:
        return cents(order.facts["order_total"])
    if not kept:
        return None
    worth = sum((line.price * (1 if layout.line_total else line.quantity) for line in kept), Decimal(0))
    times = len(kept) if order.is_per_line else 1
    worth += order.facts.get("tax", 0) * times + order.facts.get("shipping", 0)
    return cents(max(worth - order.facts.get("discount", 0) * times, Decimal(0)))


def cents(amount):
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))


@settings(max_examples=60, deadline=None)
@given(st.lists(ORDERS, max_size=6), LAYOUTS)
def test_money_in_is_money_out_and_every_line_is_accounted_for(tmp_path_factory, orders, layout):
    if any(order.is_per_line for order in orders):
        orders = [order._replace(is_per_line=True) for order in orders]
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(text_of(layout, orders).encode())
    done = Imported(mapping_of(layout, orders), path)
    summary = done.summary
    above = 2 if layout.sep_line else layout.titles + 1

    in_file = path.read_bytes().count(b"\n") - above
    accounted = summary.in_orders + summary.in_refunds + summary.ignored + summary.repeated
    assert in_file == summary.lines == accounted + summary.rejected.total()
    refused = sum(line.is_refused for order in orders for line in order.lines)
    repeated = layout.repeated_header and len(orders) >= 2
    assert summary.rejected == {
        name: count
        for name, count in (("quantity_zero", refused), ("header_repeated", int(repeated)))
        if count
    }
    expected = {f"N{n}": paid(order, layout) for n, order in enumerate(orders, start=1)}
    got = {e["data"]["order_id"]: e["data"]["total_minor"] for e in done.of("purchase.completed")}
    assert got == {number: amount for number, amount in expected.items() if amount is not None}
    assert {e["data"]["currency"] for e in done.events} <= {"EUR"}
    for event in done.of("purchase.completed"):
        order = orders[int(event["data"]["order_id"][1:]) - 1]
        assert len(event["data"]["products"]) == sum(not line.is_refused for line in order.lines)


CELL = st.text(st.sampled_from("01,.;-+E€\"' \t\nAZé\x00"), max_size=5) | st.sampled_from(
    [
        "",
        "2024-01-01",
        "1.00",
        "ann",
        "N1",
        "0",
        "guest",
        "1E+10",
        "paid",
        "back",
        "shipped",
        "void",
        "x@y.z",
        "-3",
        "(2.50)",
        "¥5",
    ]
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "order",
            "product",
            "name",
            "quantity",
            "unit_price",
            "line_total",
            *FACTS,
            "refunded",
            "event",
            "status",
            "updated",
            "coupon",
        ]
    ),
    st.sampled_from(["a", "b", "c", "d", "a|b", "b+c", "d?", "e?"]),
    max_size=7,
)
OPTIONS = st.fixed_dictionaries(
    {
        "file.quoted": st.sampled_from(["true", "false"]),
        "file.ragged": st.sampled_from(["true", "false"]),
        "returns.unmatched": st.sampled_from(['"refund"', '"reject"']),
        "returns.negative_quantity": st.sampled_from(["true", "false"]),
        "orders.status_lines": st.sampled_from(['"one"', '"each"']),
        "orders.missing": st.sampled_from(['"reject"', '"own"']),
        "customer.whole_number": st.sampled_from(["true", "false"]),
        "customer.lowercase": st.sampled_from(["true", "false"]),
    }
)


@settings(max_examples=150, deadline=None)
@given(FIELDS, OPTIONS, st.lists(st.lists(CELL, min_size=1, max_size=5), max_size=8), st.booleans())
def test_nothing_crashes_and_nothing_is_lost_whatever_the_mapping_and_the_file(
    tmp_path_factory, fields, options, table, fill_down
):
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes("\n".join(["a,b,c,d", *(",".join(row) for row in table)]).encode() + b"\n")
    mapping = 'source = "/any"\n'
    if fill_down and "order" in fields:
        mapping += 'fill_down = ["order", "customer", "time"]\n'
    mapping += "".join(f"{name} = {value}\n" for name, value in options.items())
    mapping += '[columns]\ncustomer = "a|d"\ntime = "b"\n'
    mapping += "".join(f'{field} = "{column}"\n' for field, column in fields.items())
    mapping += '[constants]\ncurrency = "EUR"\n'
    if "event" in fields:
        mapping += '[events]\npaid = "purchase.completed"\nback = "purchase.refunded"\n"" = "ignore"\n'
        mapping += 'shipped = "purchase.completed"\nvoid = "purchase.cancelled"\n'
    done = Imported(mapping, path)
    summary = done.summary

    accounted = summary.in_orders + summary.in_refunds + summary.in_other_events + summary.ignored
    assert summary.lines == accounted + summary.repeated + summary.rejected.total()
    assert summary.rejected.total() == len(done.rejects)
    assert len({(e["source"], e["id"]) for e in done.events}) == len(done.events)
    paid_out = sum(e["data"]["total_minor"] for e in done.of("purchase.completed"))
    assert paid_out == sum(summary.orders_minor.values())
