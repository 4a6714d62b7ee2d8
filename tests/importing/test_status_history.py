"""Exports with one line for each status of an order: the order counts once, by its latest status."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.importing.files.cautions import cautions
from stream.importing.files.mapping.load import parse_mapping
from tests.support.importing import Imported, imported, orders
from tests.support.status_history import HEADER, HISTORY, WITH_UPDATED, is_accounted_for, line, live


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
    sentences = "\n".join(cautions(parse_mapping(HISTORY, "m"), by_file.summary))
    assert "1 orders count although a line says cancelled" in sentences
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


def test_the_import_says_how_many_lines_are_later_statuses(tmp_path):
    done = imported(tmp_path, HEADER + line("Paid") + line("Shipped"), HISTORY)

    sentences = "\n".join(cautions(parse_mapping(HISTORY, "m"), done.summary))
    assert "1 lines differ from one of their order in status only" in sentences
    assert 'status_lines = "each"' in sentences


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
