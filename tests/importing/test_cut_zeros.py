"""Ids with zeros that a spreadsheet cut: nothing is merged by guess, and nothing becomes two in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.importing.files.cautions import cautions
from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.values.leading_zeros import ZerosDoubt, padded
from tests.support.importing import HEADER, INVOICES, Imported, imported, orders

WIDTH = INVOICES + "[customer]\nid_width = 5\n"
FIRST = "1,mug,1,2026-01-01,5.00,00123\n2,mug,1,2026-01-02,5.00,00077\n"
SECOND = "3,mug,1,2026-02-01,5.00,123\n4,mug,1,2026-02-02,5.00,4000\n"


def of_two_files(folder, mapping):
    paths = [folder / "january.csv", folder / "february.csv"]
    for path, lines in zip(paths, (FIRST, SECOND), strict=True):
        path.write_text(HEADER + lines)
    return Imported(mapping, *paths)


def sentences(done, mapping=INVOICES):
    return [line for line in cautions(parse_mapping(mapping, "m"), done.summary) if "zeros" in line]


def customers(done):
    return {event["subject"] for event in done.events}


def test_ids_without_their_zeros_are_noticed_and_counted(tmp_path):
    one = imported(tmp_path, HEADER + FIRST + SECOND)
    two = of_two_files(tmp_path, INVOICES)

    for done in (one, two):
        (line,) = sentences(done)
        assert line.startswith("customer ids written with and without zeros in front: 1, such as")
        assert "'00123' and '123'; each is two customers here" in line
        assert "id_width = 5 in [customer]" in line
        assert customers(done) == {"00123", "00077", "123", "4000"}


def test_the_zeros_are_put_back_where_the_mapping_says_so(tmp_path):
    done = of_two_files(tmp_path, WIDTH)

    assert customers(done) == {"00123", "00077", "04000"}
    assert sentences(done, WIDTH) == []


def test_an_id_with_letters_or_of_more_digits_stays_as_it_is(tmp_path):
    lines = "1,mug,1,2026-01-01,5.00,A12\n2,mug,1,2026-01-02,5.00,1234567\n3,mug,1,2026-01-02,5.00,0\n"
    done = imported(tmp_path, HEADER + lines, WIDTH)

    assert customers(done) == {"A12", "1234567"}
    assert done.reasons() == [(4, "customer_missing")]


def test_numbers_of_orders_are_noticed_as_well(tmp_path):
    lines = "0042,mug,1,2026-01-01,5.00,ann\n42,mug,1,2026-01-01,5.00,ann\n"
    wide = INVOICES + "[orders]\nnumber_width = 4\n"
    as_written, done = imported(tmp_path, HEADER + lines), imported(tmp_path, HEADER + lines, wide)

    assert "'0042' and '42'; each is two orders here" in sentences(as_written)[0]
    assert "number_width = 4 in [orders]" in sentences(as_written)[0]
    assert orders(done) == {"0042": 1000}
    assert sentences(done, wide) == []


@pytest.mark.parametrize("ids", [("00123", "00124"), ("123", "1230"), ("A0123", "A123"), ("٠١", "١")])
def test_other_ids_are_no_reason_for_a_word(ids):
    doubt = ZerosDoubt()
    for text in ids:
        doubt.note(text)

    assert doubt.count == 0


@given(st.lists(st.text("0123", min_size=1, max_size=4)))
def test_as_many_are_counted_as_numbers_have_two_texts(ids):
    doubt = ZerosDoubt()
    for text in ids:
        doubt.note(text)

    numbers = {text.lstrip("0") for text in ids}
    assert doubt.count == sum(len({t for t in ids if t.lstrip("0") == one}) > 1 for one in numbers)
    assert len({padded(text, 4) for text in ids}) == len({int(text) for text in ids})


def test_where_not_all_are_remembered_the_count_is_a_least_one():
    doubt = ZerosDoubt(kept_max=2)
    for text in ("1", "2", "3", "01", "02", "03"):
        doubt.note(text)

    assert (doubt.counted, doubt.width) == ("at least 2", 2)
