import gzip
from collections import Counter, defaultdict
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.events.event import EVENT_TYPES
from stream.importing.files.external_sort import ExternalSort
from stream.importing.files.summary import ImportSummary
from stream.wire import Rejected, decode_line
from tests.support.importing import HEADER, INVOICES, Imported, imported


def test_lines_of_one_order_become_one_purchase(tmp_path):
    done = imported(
        tmp_path,
        HEADER
        + "1,mug,2,2020-01-05 10:00,2.55,ann\n"
        + "2,cup,1,2020-01-04 10:00,1.00,bob\n"
        + "1,pot,1,2020-01-05 10:01,0.29,ann\n",
    )

    assert [(e["subject"], e["data"]["order_id"], e["data"]["total_minor"]) for e in done.events] == [
        ("bob", "2", 100),
        ("ann", "1", 539),
    ]
    assert done.events[1]["time"] == "2020-01-05T10:00:00Z"
    assert [p["price_minor"] for p in done.events[1]["data"]["products"]] == [255, 29]


def test_a_return_refunds_the_latest_earlier_order_with_enough_pieces_left(tmp_path):
    done = imported(
        tmp_path,
        HEADER
        + "1,mug,5,2020-01-01,2.00,ann\n"
        + "2,mug,1,2020-01-02,2.00,ann\n"
        + "9,mug,9,2020-01-02,2.00,bob\n"
        + "C3,mug,-2,2020-01-03,2.00,ann\n"  # order 2 has one only
        + "C4,mug,-1,2020-01-04,2.00,ann\n"
        + "C5,mug,-4,2020-01-05,2.00,ann\n"  # three are left of order 1
        + "C6,mug,-1,2019-12-31,2.00,ann\n"  # before anything was bought
        + "10,mug,9,2020-01-09,2.00,ann\n",
    )
    refunds = [(e["data"]["order_id"], e["data"]["refund_minor"]) for e in done.of("purchase.refunded")]

    assert refunds == [("unmatched-C6", 200), ("1", 400), ("2", 200), ("unmatched-C5", 800)]
    assert (done.summary.in_refunds, done.summary.refunds_unmatched) == (4, 2)


def test_a_credit_note_over_several_orders_is_one_refund_for_each(tmp_path):
    done = imported(
        tmp_path,
        HEADER
        + "1,mug,1,2020-01-01,2.00,ann\n2,pot,1,2020-01-02,3.00,ann\n"
        + "C3,mug,-1,2020-01-03,2.00,ann\nC3,pot,-1,2020-01-03,3.00,ann\n",
    )

    assert {e["data"]["order_id"]: e["data"]["refund_minor"] for e in done.of("purchase.refunded")} == {
        "1": 200,
        "2": 300,
    }


def test_unmatched_returns_can_be_rejected_instead(tmp_path):
    text = HEADER + "C1,mug,-1,2020-01-03,2.00,ann\n"
    done = imported(tmp_path, text, INVOICES + 'unmatched = "reject"\n')

    assert done.reasons() == [(2, "return_unmatched")]
    assert (done.summary.in_refunds, done.events) == (0, [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,mug,1,2020-01-01,2.00,", "customer_missing"),
        ("1,mug,1,2020-01-01,2.00,nan", "customer_missing"),
        ("1,mug,-1,2020-01-01,0,ann", "return_without_value"),
        ("1,mug,-1,2020-01-01,-1.5,ann", "signs_contradict"),
        ('1,mug,1,2020-01-01,"1,50",ann', "price_unreadable"),
        ("1,mug,1,2020-01-01,,ann", "price_missing"),
        ("1,mug,1,2020-01-01,two,ann", "price_unreadable"),
        ("1,mug,0,2020-01-01,2.00,ann", "quantity_zero"),
        ("1,mug,one,2020-01-01,2.00,ann", "quantity_unreadable"),
        ("1,mug,1000001,2020-01-01,2.00,ann", "quantity_too_large"),
        ("1,mug,,2020-01-01,2.00,ann", "quantity_missing"),
        ("1,mug,1,,2.00,ann", "time_missing"),
        ("1,mug,1,01.01.2020,2.00,ann", "time_unreadable"),
        (",mug,1,2020-01-01,2.00,ann", "order_missing"),
        ("1,,1,2020-01-01,2.00,ann", "product_missing"),
        ("1,mug,1,2020-01-01,2.00", "columns_differ"),
        ("", "blank_line"),
        ("1,m\ufffdg,1,2020-01-01,2.00,ann", "identifier_undecodable"),
        ("1,mug,1,2020-01-01,99999999999999999,ann", "amount_out_of_range"),
        ("1" * 101 + ",mug,1,2020-01-01,2.00,ann", "identifier_too_long"),
    ],
)
def test_a_line_that_cannot_be_an_event_is_rejected_with_its_number_and_reason(tmp_path, line, reason):
    done = imported(
        tmp_path, HEADER + "7,ok,1,2020-01-01,1.00,bob\n" + line + "\n8,ok,1,2020-01-01,1.00,bob\n"
    )

    assert done.reasons() == [(3, reason)]
    assert len(done.events) == 2
    assert done.summary.lines == 3


def test_line_numbers_are_those_of_the_file_even_after_a_quoted_line_break(tmp_path):
    done = imported(tmp_path, HEADER + '1,"a\nmug",1,2020-01-01,1.00,ann\n2,b,1,2020-01-01,x,ann\n')

    assert done.reasons() == [(4, "price_unreadable")]


def test_an_order_has_one_currency(tmp_path):
    mapping = INVOICES.replace("[constants]\n", "").replace('currency = "GBP"', 'currency = "money"')
    text = HEADER.replace("customer\n", "customer,money\n")
    done = imported(tmp_path, text + "1,a,1,2020-01-01,5,ann,JPY\n1,b,1,2020-01-01,5,ann,EUR\n", mapping)

    assert done.reasons() == [(3, "currency_differs")]
    assert done.events[0]["data"]["total_minor"] == 5
    assert done.summary.in_orders == 1


@pytest.mark.parametrize(
    ("lines", "bought", "refunded"),
    [
        (["1,mug,2,2.00", "1,gift,1,0"], [("1", 400, 0)], []),  # a free product is part of its order
        (["1,gift,1,0.00"], [("1", 0, 0)], []),  # or an order of its own
        (["1,mug,2,2.00", "1,voucher,1,-1.50"], [("1", 250, 150)], []),  # a voucher lowers its order
        (["1,voucher,1,-1.50"], [], [("unmatched-1", 150)]),  # without an order to lower it is a credit
        (["1,mug,1,2.00", "1,voucher,1,-5.00"], [("1", 200, 0)], [("unmatched-1", 500)]),
        (["1,cheese,0.735,12.90"], [("1", 948, 0)], []),  # a quantity by weight
        (["1,cheese,0.735,12.90", "C2,cheese,-0.735,12.90"], [("1", 948, 0)], [("1", 948)]),
        (
            ["1,mug,1,2.00", "C2,mug,1,-2.00"],
            [("1", 200, 0)],
            [("1", 200)],
        ),  # a credit note with minus prices
    ],
)
def test_lines_that_are_free_negative_or_by_weight(tmp_path, lines, bought, refunded):
    rows = [
        ",".join((*line.split(",")[:3], f"2020-01-0{n}", line.split(",")[3], "ann\n"))
        for n, line in enumerate(lines, start=1)
    ]
    done = imported(tmp_path, HEADER + "".join(rows))
    orders = [e["data"] for e in done.of("purchase.completed")]

    assert done.rejects == []
    assert [(o["order_id"], o["total_minor"], o.get("discount_minor", 0)) for o in orders] == bought
    refunds = [e["data"] for e in done.of("purchase.refunded")]
    assert [(r["order_id"], r["refund_minor"]) for r in refunds] == refunded


def test_an_amount_without_quantity_is_a_return_when_it_is_below_zero(tmp_path):
    mapping = INVOICES.replace('quantity = "quantity"\n', "").replace("unit_price", "line_total")
    text = HEADER + "1,mug,,2020-01-01,5.00,ann\n2,mug,,2020-01-02,-5.00,ann\n"
    done = imported(tmp_path, text, mapping)

    assert [e["data"]["total_minor"] for e in done.of("purchase.completed")] == [500]
    assert [e["data"]["order_id"] for e in done.of("purchase.refunded")] == ["1"]


LINES = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3", "C4", "C5", ""]),
        st.sampled_from(["mug", "pot", ""]),
        st.sampled_from(["1", "2", "-1", "-3", "0", "x"]),
        st.sampled_from(["2020-01-01", "2020-01-02 10:00", "2021-05-05", "?"]),
        st.decimals(min_value=-1, max_value=50, places=2).map(str),
        st.sampled_from(["ann", "bob", ""]),
    ),
    max_size=30,
)


def _amount(order, quantity, price):
    back = "-" in quantity or order.startswith("C")
    worth = Decimal(price) * 100 * abs(int(quantity))
    return -abs(worth) if back else worth


def _lowering_lines(kept):
    """How many lines are negative in orders whose sum is not: they lower the order and are no product. A
    number that comes again in another year is another order."""
    orders = defaultdict(list)
    for order, _, quantity, day, price, customer in kept:
        if "-" not in quantity and not order.startswith("C"):
            orders[order, customer, day[:4]].append(_amount(order, quantity, price))
    return sum(worth < 0 for worths in orders.values() if sum(worths) >= 0 for worth in worths)


def _of_one_price(line, number):
    """The line with a price that no other has: an order whose lines come again as a whole counts once."""
    price = Decimal(line[4])
    return (*line[:4], str(price + 100 * number if price >= 0 else price - 100 * number), line[5])


@settings(max_examples=60, deadline=None)
@given(LINES)
def test_every_line_is_accounted_for_and_the_money_is_the_sum_of_the_kept_lines(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("lines")
    lines = [_of_one_price(line, number) for number, line in enumerate(lines)]
    done = imported(folder, HEADER + "".join(",".join(line) + "\n" for line in lines))
    summary, refused = done.summary, {line for line, _ in done.reasons()}
    kept = [line for number, line in enumerate(lines, start=2) if number not in refused]
    net = sum(_amount(order, quantity, price) for order, _, quantity, _, price, _ in kept)

    assert summary.lines == len(lines) == summary.in_orders + summary.in_refunds + len(done.rejects)
    assert summary.orders_minor["GBP"] - summary.refunds_minor["GBP"] == net
    assert sum(len(e["data"].get("products", ())) for e in done.events) == len(kept) - _lowering_lines(kept)
    assert len({e["id"] for e in done.events}) == len(done.events)
    for event in done.outgoing:
        assert not isinstance(decode_line(event.value), Rejected)


def test_totals_equal_pandas_to_the_cent_and_disk_changes_nothing(tmp_path, monkeypatch):
    lines = [
        f"{n % 97},p{n % 13},{n % 7 - 1},2020-{n % 12 + 1:02}-03 10:30,{n % 311 / 100},{n % 11 or ''}\n"
        for n in range(3_000)
    ]
    in_memory = imported(tmp_path, HEADER + "".join(lines))
    monkeypatch.setattr(ExternalSort.__init__, "__defaults__", (50,))
    on_disk = Imported(INVOICES, tmp_path / "lines.csv")
    table = pd.read_csv(tmp_path / "lines.csv")
    free_return = (table["quantity"] < 0) & (table["price"] == 0)
    kept = table[(table["quantity"] != 0) & ~free_return & table["customer"].notna()]
    worth = kept["quantity"] * kept["price"]

    assert in_memory.summary.orders_minor["GBP"] == round(worth[kept["quantity"] > 0].sum() * 100)
    assert in_memory.summary.refunds_minor["GBP"] == -round(worth[kept["quantity"] < 0].sum() * 100)
    assert in_memory.summary.in_orders + in_memory.summary.in_refunds == len(kept)
    assert on_disk.events == in_memory.events
    assert [event[:2] for event in on_disk.outgoing] == sorted(event[:2] for event in on_disk.outgoing)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".csv.zst", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_events(tmp_path, suffix):
    text = HEADER + "1,mug,2,2020-01-05 10:00:00,2.55,17\n2,mug,-1,2020-02-05 10:00:00,2.55,17\n"
    plain = imported(tmp_path, text)
    table, path = pd.read_csv(tmp_path / "lines.csv"), tmp_path / f"same{suffix}"
    if suffix.startswith(".csv"):
        table.to_csv(path, index=False, compression={".gz": "gzip"}.get(path.suffix))
        if path.suffix == ".zst":
            from stream.recording.event_file import atomic_writer

            with atomic_writer(path) as out:
                out.write(text.encode())
    elif suffix == ".tsv":
        table.to_csv(path, index=False, sep="\t")
    elif suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_parquet(path)

    assert Imported(INVOICES, path).events == plain.events


def test_several_files_are_one_history(tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + "C2,mug,-1,2020-02-01,2,ann\n")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress((HEADER + "1,mug,1,2020-01-01,2,ann\n").encode()))
    done = Imported(INVOICES, tmp_path / "a.csv", tmp_path / "b.csv.gz")

    assert [e["data"]["order_id"] for e in done.events] == ["1", "1"]


def test_ids_depend_on_the_content_alone(tmp_path):
    text = HEADER + "1,mug,1,2020-01-01,2,ann\nC2,mug,-1,2020-01-02,2,ann\n"

    assert imported(tmp_path, text).events == imported(tmp_path, text, name="other.csv").events


def test_the_types_are_those_of_the_contract(tmp_path):
    done = imported(tmp_path, HEADER + "1,mug,1,2020-01-01,2,ann\n")
    known = {k.__struct_config__.tag for kinds in EVENT_TYPES.values() for k in kinds}

    assert Counter(e["type"] for e in done.events).keys() <= known
    assert set(ImportSummary().rejected) == set()


@pytest.mark.parametrize("cell", ["", " ", "GBP"])
def test_a_constant_beside_a_column_is_the_value_of_blank_cells(tmp_path, cell):
    mapping = INVOICES.replace("[constants]", 'currency = "money"\n[constants]')
    done = imported(tmp_path, HEADER.strip() + f",money\n1,mug,1,2020-01-01,2,ann,{cell}\n", mapping)

    assert [e["data"]["currency"] for e in done.events] == ["GBP"]
