"""What is read is what is in the file: every line of a file is in a row, or is told by its number."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.mapping.mapping import MappingError
from stream.importing.files.reading.row import FileRow, UnreadableRow
from stream.importing.files.reading.rows import file_rows
from stream.importing.files.suggest.suggest import suggested_mapping
from tests.support.importing import case, imported

PLAIN = """
source = "/s"
[columns]
order = "order"
customer = "customer"
time = "date"
line_total = "total"
[constants]
currency = "EUR"
"""
ROWS = "order,customer,date,total\n1,c1,2026-01-01,10.00\n2,c2,2026-01-02,20.00\n"


def totals(done):
    return [event["data"]["total_minor"] for event in done.of("purchase.completed")]


def with_file_option(mapping, line):
    return f"{mapping}\n[file]\n{line}\n"


def test_quotation_marks_that_begin_a_text_swallow_no_line():
    reviews = case("quotes", "mapping.toml", "reviews.tsv")

    assert [e["data"]["review_id"] for e in reviews.events] == [f"R{n}" for n in range(1, 10)]
    assert [e["time"][:10] for e in reviews.events][5:7] == ["2015-08-30", "2015-08-31"]
    assert reviews.rejects == []


def test_a_file_without_quoting_is_read_as_it_stands(tmp_path):
    text = 'order,customer,date,total\n1,"c1,2026-01-01,10.00\n2,c2",2026-01-02,20.00\n'
    done = imported(tmp_path, text, with_file_option(PLAIN, "quoted = false"))

    assert [e["subject"] for e in done.events] == ['"c1', 'c2"']


def test_a_lone_quotation_mark_is_part_of_its_text():
    done = case("quotes", "c.toml", "c.csv")

    assert totals(done) == [1000, 2000, 3000, 4000, 5000, 6000]
    assert done.rejects == []


def test_a_mark_for_inches_that_closes_a_stray_mark_is_told_by_number(tmp_path):
    text = ROWS + '3,"c3,2026-01-03,30.00\n4,c4,2026-01-04,40.00\n5,screen 15",2026-01-05,50.00\n'
    done = imported(tmp_path, text, PLAIN)

    assert totals(done) == [1000, 2000]
    assert done.reasons() == [(4, "quote_ambiguous"), (5, "quote_ambiguous"), (6, "quote_ambiguous")]
    assert "quoted = false" in done.rejects[0]["detail"]


def test_a_quotation_mark_that_is_never_closed_costs_no_other_line(tmp_path):
    done = imported(tmp_path, ROWS + '3,"c3,2026-01-03,30.00,\n4,c4,2026-01-04,40.00\n', PLAIN)

    assert totals(done) == [1000, 2000, 4000]
    assert done.reasons() == [(4, "quote_unclosed")]


def test_very_many_lines_with_marks_that_are_not_closed_are_read_one_by_one(tmp_path):
    lines = "".join(f'{n},c{n},2026-01-03,"x"{n}\n' for n in range(20_000))

    done = imported(tmp_path, ROWS + lines, PLAIN)

    assert totals(done) == [1000, 2000]
    assert [line for line, _ in done.reasons()] == list(range(4, 20_004))


def test_line_breaks_inside_a_quoted_cell_stay(tmp_path):
    text = 'order,customer,date,total\n1,"c\n1",2026-01-01,10.00\n2,c2,2026-01-02,?\n'
    done = imported(tmp_path, text, PLAIN)

    assert (totals(done), done.reasons()) == ([1000], [(4, "price_unreadable")])


def test_title_lines_above_the_header(tmp_path):
    text = "Orders of 2026\n\n" + ROWS
    with pytest.raises(MappingError, match=r"line 3 has them: set title_lines = 2 in \[file\]"):
        imported(tmp_path, text, PLAIN)

    assert totals(imported(tmp_path, text, with_file_option(PLAIN, "title_lines = 2"))) == [1000, 2000]


def test_another_delimiter_is_named_in_the_refusal(tmp_path):
    with pytest.raises(MappingError, match="set delimiter = ';'"):
        imported(tmp_path, ROWS.replace(",", ";"), PLAIN)


def test_the_separator_line_of_a_spreadsheet_is_obeyed(tmp_path):
    done = imported(
        tmp_path, "sep=;\r\n" + ROWS.replace(",", ";").replace("\n", "\r\n") + "3;c;;1\r\n", PLAIN
    )

    assert (totals(done), done.reasons()) == ([1000, 2000], [(5, "time_missing")])


def test_a_header_that_repeats_is_no_order(tmp_path):
    done = imported(tmp_path, ROWS + ROWS.replace("1,c1", "7,c7").replace("2,c2", "8,c8"), PLAIN)

    assert (len(totals(done)), done.reasons()) == (4, [(4, "header_repeated")])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("3,c3,2026-01-03,30.00,", ([1000, 2000, 3000], [])),
        ("3,c3,2026-01-03,30.00,,,", ([1000, 2000, 3000], [])),
        ("3,c3,2026-01-03,30.00,x", ([1000, 2000], [(4, "columns_differ")])),
        (",,,", ([1000, 2000], [(4, "blank_line")])),
    ],
)
def test_ragged_lines_are_read_or_told(tmp_path, line, expected):
    done = imported(tmp_path, ROWS + line + "\n", PLAIN)

    assert (totals(done), done.reasons()) == expected


def test_cells_left_out_at_the_end_are_told_with_the_remedy_and_read_when_asked(tmp_path):
    text = "order,customer,date,total,note\n1,c1,2026-01-01,10.00\n"
    rejecting = imported(tmp_path, text, PLAIN)
    read = imported(tmp_path, text, with_file_option(PLAIN, "ragged = true"))

    assert (totals(rejecting), rejecting.reasons()) == ([], [(2, "columns_differ")])
    assert "ragged = true" in rejecting.rejects[0]["detail"]
    assert totals(read) == [1000]


def test_a_header_that_ends_in_a_delimiter(tmp_path):
    done = imported(tmp_path, ROWS.replace("total\n", "total,\n"), PLAIN)

    assert totals(done) == [1000, 2000]


RECORDS = [
    {"order": 1, "customer": "c1", "date": "2026-01-01", "total": 10.1},
    {"order": 2, "customer": "c2", "date": "2026-01-02", "total": 20},
]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        json.dumps({"orders": RECORDS}),
        json.dumps({"count": 2, "orders": RECORDS}, indent=1),
        "\ufeff" + json.dumps(RECORDS),
        "\n".join(map(json.dumps, RECORDS)),
    ],
)
def test_json_documents_are_read_as_json_lines_are(tmp_path, text):
    done = imported(tmp_path, text, PLAIN, "orders.json")

    assert (totals(done), done.rejects) == ([1010, 2000], [])


def test_the_list_of_records_can_be_named(tmp_path):
    text = json.dumps({"a": {"data": RECORDS}, "b": [{"x": 1}]})
    done = imported(tmp_path, text, with_file_option(PLAIN, 'records = "a.data"'), "orders.json")

    assert totals(done) == [1010, 2000]


CELLS = st.text(st.sampled_from('a",\n\r1 ;'), max_size=6)
NAMES = ("p", "q", "r")
MAPPED = f"""
[columns]
customer = "{NAMES[0]}"
time = "{NAMES[1]}"
text = "{NAMES[2]}"
"""


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4).map(",".join), max_size=12), st.booleans())
def test_every_line_of_a_file_is_in_a_row_or_is_told(tmp_path_factory, lines, quoted):
    path: Path = tmp_path_factory.mktemp("lines") / "any.csv"
    path.write_text("\n".join([",".join(NAMES), *lines]) + "\n", newline="")
    mapping = parse_mapping(f"{MAPPED}[file]\nquoted = {str(quoted).lower()}\n", "any.toml")
    in_file = path.read_bytes().decode().replace("\r\n", "\n").replace("\r", "\n").count("\n")

    rows = list(file_rows(path, mapping))
    breaks = sum(
        value.replace("\r\n", "\n").replace("\r", "\n").count("\n")
        for row in rows
        if isinstance(row, FileRow)
        for value in row.values.values()
    )
    rejected = sum(row.lines for row in rows if isinstance(row, UnreadableRow))
    read = sum(isinstance(row, FileRow) for row in rows)
    assert 1 + rejected + read + breaks == in_file
    assert [row.line for row in rows] == sorted({row.line for row in rows})


PROTECTED = [
    '"=""1""","=""0001""","=""2026-01-01""","=""10.00"""',
    '="2",="0001",="2026-01-02",="20.00"',
    "3,0001,2026-01-03,30.00",
]
"""Cells as programs write them so that a spreadsheet leaves them as they are: numbers with leading zeros."""


def test_a_cell_that_is_protected_from_a_spreadsheet_is_what_it_protects(tmp_path):
    done = imported(tmp_path, "\n".join(["order,customer,date,total", *PROTECTED, ""]), PLAIN)

    assert [each["subject"] for each in done.events] == ["0001"] * 3
    assert [each["data"]["order_id"] for each in done.events] == ["1", "2", "3"]
    assert totals(done) == [1000, 2000, 3000]


def test_a_file_of_protected_cells_gets_a_mapping(tmp_path):
    header = '"=""order_id""","=""customer_id""","=""order_date""","=""total"""'
    path = tmp_path / "export.csv"
    path.write_text("\n".join([header, *PROTECTED, ""]), encoding="utf-8")

    done = imported(tmp_path, path.read_text(), suggested_mapping(path, as_json=False))

    assert totals(done) == [1000, 2000, 3000]


@pytest.mark.parametrize("text", ['="a', "=1+1", '="', '="a"b"'])
def test_a_cell_that_only_begins_like_a_protected_one_stays(tmp_path, text):
    row = (
        f"1,c1,2026-01-01,10.00,{text}"
        if text.count('"') % 2
        else f'1,c1,2026-01-01,10.00,"{text.replace(chr(34), chr(34) * 2)}"'
    )
    done = imported(
        tmp_path,
        f"order,customer,date,total,name\n{row}\n",
        PLAIN.replace("[constants]", 'name = "name"\nproduct = "name"\n[constants]'),
    )

    (event,) = done.events
    assert event["data"]["products"][0]["product_id"] == text


@pytest.mark.parametrize("word", ["Total", "Summe", "Zwischensumme", "Gesamt", "GRAND TOTAL", "Subtotal"])
def test_a_line_of_sums_is_no_order(tmp_path, word):
    done = imported(tmp_path, f"{ROWS}{word},all,2026-01-03,30.00\n", PLAIN)

    assert totals(done) == [1000, 2000]
    assert [each["reason"] for each in done.rejects] == ["order_missing"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04\x14\x00\x00\x00", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), "workbook"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj", "PDF"),
        (b"<html><body><table><tr><td>order</td></tr></table>", "HTML"),
        (b"\xef\xbb\xbf<!DOCTYPE html>\n<html>", "HTML"),
    ],
)
def test_what_is_no_table_of_text_is_named_whatever_the_file_is_called(tmp_path, content, what):
    path = tmp_path / "orders.csv"
    path.write_bytes(content)

    with pytest.raises(MappingError, match=f"{what}.*save") as refused:
        suggested_mapping(path, as_json=False)
    assert len(str(refused.value)) < 300
    with pytest.raises(MappingError, match=f"{what}.*save"):
        list(file_rows(path, parse_mapping(PLAIN, "m")))
