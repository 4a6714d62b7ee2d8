"""The ids of events are of their own content: an export that begins later, or has more, repeats them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.importing import HEADER, INVOICES, imported

BOUGHT = "1,mug,2,2020-01-01,2.00,ann\n1,pot,1,2020-01-01,5.00,ann\n"
NOTE = "C7,mug,-1,2020-03-01,2.00,ann\n"
FIRST, SECOND = "1,mug,-1,2020-02-01,2.00,ann\n", "1,pot,-1,2020-03-01,5.00,ann\n"
EVENTS = (
    INVOICES.replace("[constants]", 'event = "what"\n[constants]')
    + """
[events]
sale = "purchase.completed"
back = "purchase.refunded"
"""
)
WHAT = HEADER.replace("\n", ",what\n")


def ids(done) -> dict[str, int]:
    """Refund id -> amount."""
    return {e["data"]["refund_id"]: e["data"]["refund_minor"] for e in done.of("purchase.refunded")}


def test_a_return_has_one_id_whether_its_order_is_in_the_export_or_not(tmp_path):
    whole = imported(tmp_path, HEADER + BOUGHT + NOTE)
    later = imported(tmp_path, HEADER + NOTE)

    assert ids(whole) == ids(later) != {}
    assert [e["data"]["order_id"] for e in later.of("purchase.refunded")] == ["unmatched-C7"]


def test_a_later_return_of_an_order_is_a_refund_of_its_own(tmp_path):
    first_night = imported(tmp_path, HEADER + BOUGHT + FIRST)
    second_night = imported(tmp_path, HEADER + BOUGHT + FIRST + SECOND)

    assert len(ids(first_night)) == 1
    assert len(ids(second_night)) == 2
    assert ids(first_night).items() <= ids(second_night).items()
    assert sum(ids(second_night).values()) == 700


def test_the_lines_of_a_credit_note_of_one_time_are_one_refund(tmp_path):
    done = imported(tmp_path, HEADER + BOUGHT + NOTE + NOTE.replace("mug", "pot").replace("2.00", "5.00"))

    assert [*ids(done).values()] == [700]


@pytest.mark.parametrize("begin", [0, 1])
def test_refund_events_of_one_order_have_ids_of_their_times(tmp_path, begin):
    backs = [f"1,mug,1,2020-0{month}-01,{month}.00,ann,back\n" for month in (2, 3, 4)]
    whole = imported(tmp_path, WHAT + "1,mug,9,2020-01-01,2.00,ann,sale\n" + "".join(backs), mapping=EVENTS)
    later = imported(tmp_path, WHAT + "".join(backs[begin:]), mapping=EVENTS)

    assert len(ids(whole)) == 3
    assert ids(later).items() <= ids(whole).items()
    assert sum(ids(later).values()) == (900, 700)[begin]


@st.composite
def shops(draw):
    """Orders and returns in order of time, one line each; how many of them a later export leaves out."""
    lines = []
    for day in range(draw(st.integers(2, 20))):
        customer, product = draw(st.sampled_from(("ann", "bob"))), draw(st.sampled_from(("mug", "pot")))
        back = draw(st.booleans())
        order = f"{'C' if draw(st.booleans()) and back else ''}{draw(st.integers(0, 4))}"
        date = f"2020-{day % 9 + 1:02}-{day + 1:02}" if back else f"2020-01-{day + 1:02}"
        lines.append(f"{order},{product},{-1 if back else 1},{date},2.00,{customer}\n")
    return lines, draw(st.integers(0, len(lines) - 1))


@given(shops())
def test_every_refund_of_a_later_export_has_the_id_and_amount_that_it_had(tmp_path_factory, shop):
    lines, left_out = shop
    lines = sorted(set(lines), key=lambda line: line.split(",")[3])
    folder = tmp_path_factory.mktemp("exports")
    whole = imported(folder, HEADER + "".join(lines), name="whole.csv")
    later = imported(folder, HEADER + "".join(lines[left_out:]), name="later.csv")

    begin = lines[min(left_out, len(lines) - 1)].split(",")[3]
    assert {
        event["id"]: event["data"]["refund_minor"]
        for event in later.of("purchase.refunded")
        if event["time"][:10] > begin
    }.items() <= ids(whole).items()
