"""Overlapping exports joined into one file: an order that is written again counts once, and it is said."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.importing import HEADER, INVOICES, Imported, imported

MUG, POT, PAN, CUP = (
    "1,mug,1,2020-01-01,2.00,ann\n",
    "1,pot,1,2020-01-01,5.00,ann\n",
    "2,pan,1,2020-01-03,7.00,ann\n",
    "3,cup,1,2020-01-04,1.00,bob\n",
)
BACK = "1,mug,-1,2020-01-05,2.00,ann\n"


def every_line(done):
    lines = done.summary.as_dict()["lines"]
    return lines.pop("in") == sum(lines.values())


def paid(done) -> dict[str, int]:
    return {e["data"]["order_id"]: e["data"]["total_minor"] for e in done.of("purchase.completed")}


@pytest.mark.parametrize(
    ("text", "repeated", "orders"),
    [
        (MUG + POT + PAN + PAN.replace("2,", "9,") + MUG + POT + PAN, 3, {"1": 700, "2": 700, "9": 700}),
        (MUG + PAN + MUG + PAN, 2, {"1": 200, "2": 700}),
        (MUG + PAN + POT + CUP + MUG + PAN + POT + CUP, 4, {"1": 700, "2": 700, "3": 100}),
        (MUG + MUG + PAN + MUG + MUG, 2, {"1": 400, "2": 700}),
        (MUG + PAN + MUG + POT, 1, {"1": 700, "2": 700}),
        (MUG + PAN + MUG + CUP + MUG, 2, {"1": 200, "2": 700, "3": 100}),
        (MUG + HEADER + MUG, 1, {"1": 200}),
        (MUG + CUP.replace(",1,", ",x,") + MUG, 1, {"1": 200}),  # a rejected order stands between
        (MUG + POT + HEADER + MUG + POT + PAN, 2, {"1": 700, "2": 700}),
    ],
)
def test_an_order_that_is_written_again_in_a_later_place_counts_once(tmp_path, text, repeated, orders):
    done = imported(tmp_path, HEADER + text)

    assert paid(done) == orders
    assert done.summary.repeated == repeated
    assert every_line(done)


@pytest.mark.parametrize(
    ("text", "orders"),
    [
        (MUG + MUG + PAN, {"1": 400, "2": 700}),
        (MUG + POT + MUG, {"1": 900}),
        (MUG + PAN + MUG + CUP + POT, {"1": 900, "2": 700, "3": 100}),
        (MUG + PAN + POT, {"1": 700, "2": 700}),
        (MUG + MUG + PAN + MUG, {"1": 600, "2": 700}),
        (MUG + PAN + MUG.replace("2.00", "3.00"), {"1": 500, "2": 700}),
        (MUG + PAN + MUG.replace("ann", "bob"), {"2": 700}),
    ],
)
def test_equal_lines_that_may_be_meant_so_all_count(tmp_path, text, orders):
    done = imported(tmp_path, HEADER + text)

    assert done.summary.repeated == 0
    assert paid(done).items() >= orders.items()
    assert every_line(done)


def test_what_went_back_counts_once_as_well(tmp_path):
    done = imported(tmp_path, HEADER + MUG + BACK + PAN + MUG + BACK)

    assert done.summary.as_dict()["refunds_minor"] == {"GBP": 200}
    assert done.summary.repeated == 2
    assert every_line(done)


def test_a_return_that_is_new_in_the_later_export_counts(tmp_path):
    done = imported(tmp_path, HEADER + MUG + PAN + MUG + BACK + PAN)

    assert paid(done) == {"1": 200, "2": 700}
    assert done.summary.as_dict()["refunds_minor"] == {"GBP": 200}


JSON_ROWS = """
items = "lines"
[columns]
order = "id"
customer = "who"
time = "at"
product = "items.sku"
quantity = "items.n"
unit_price = "items.price"
[constants]
currency = "EUR"
[file]
format = "jsonl"
"""


def test_an_order_that_is_one_record_is_repeated_where_the_record_comes_again(tmp_path):
    order = {"id": "1", "who": "ann", "at": "2020-01-01", "lines": [{"sku": "mug", "n": 1, "price": "2.00"}]}
    other = {**order, "id": "2"}
    edited = {**order, "lines": [{"sku": "mug", "n": 3, "price": "2.00"}]}
    path = tmp_path / "orders.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (order, other, order, order, edited)))

    done = Imported(JSON_ROWS, path)

    assert paid(done) == {"1": 200, "2": 200}
    assert done.summary.repeated == 2
    assert done.reasons() == [(5, "order_repeated")]


def test_orders_without_a_number_may_be_equal(tmp_path):
    mapping = INVOICES + '[orders]\nmissing = "own"\n'
    line = ",mug,1,2020-01-01,2.00,ann\n"

    done = imported(tmp_path, HEADER + line + PAN + line, mapping=mapping)

    assert sum(paid(done).values()) == 1_100
    assert done.summary.repeated == 0


@st.composite
def exports(draw):
    """An export of whole orders, one after the other, and where a second one begins and ends in it."""
    lines = []
    for number in range(draw(st.integers(2, 8))):
        lines.append(
            "".join(
                f"{number},p{draw(st.integers(0, 2))},1,2020-01-{number + 1:02},1.00,c{number % 2}\n"
                for _ in range(draw(st.integers(1, 3)))
            )
        )
    begin = draw(st.integers(0, len(lines) - 2))
    return lines, begin


@given(exports())
def test_joining_two_overlapping_exports_gives_what_one_export_gives(tmp_path_factory, export):
    """Where the second begins with another order than the one the first ended with."""
    lines, begin = export
    folder = tmp_path_factory.mktemp("joined")
    whole = imported(folder, HEADER + "".join(lines), name="whole.csv")
    joined = imported(folder, HEADER + "".join([*lines, *lines[begin:]]), name="joined.csv")

    assert joined.outgoing == whole.outgoing
    assert joined.summary.repeated == "".join(lines[begin:]).count("\n")


def test_an_order_that_is_ignored_stands_between_as_well(tmp_path):
    mapping = INVOICES.replace("[constants]", 'event = "name"\n[constants]') + (
        '\n[events]\n"open" = "purchase.completed"\n"gone" = "ignore"\n'
    )
    lines = [("1", "open"), ("2", "gone"), ("1", "open"), ("1", "gone"), ("1", "open")]
    text = "".join(f"{number},mug,1,2020-01-01,2.00,ann,{state}\n" for number, state in lines)

    done = imported(tmp_path, HEADER.rstrip() + ",name\n" + text, mapping)

    assert paid(done) == {
        "1": 400
    }  # the last two are one place: what is ignored of the order itself is no border
    assert done.summary.repeated == 1
