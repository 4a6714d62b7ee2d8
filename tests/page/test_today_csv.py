"""The list of open alerts for a spreadsheet."""

import csv
import io

import pytest

from stream.page.screens.csv_text import csv_lines
from stream.page.screens.open_list import CSV_HEAD, today_export, today_filters, with_currency
from stream.page.screens.today import today


def exported(store, view, query):
    rows = []
    with store.reading() as reading:
        filters = with_currency(reading, today_filters(query, view), view)
        after = "start"
        while after:
            found, after = today_export(reading, filters, view)
            rows += found
            filters["after"] = after
    return list(csv.reader(io.StringIO(csv_lines([CSV_HEAD, *rows]))))


def test_the_csv_has_the_rows_of_the_list_in_their_order(shop, monkeypatch):
    monkeypatch.setattr("stream.page.screens.open_list.ROWS_READ", 3)
    store, view = shop

    head, *rows = exported(store, view, {})

    with store.reading() as reading:
        screen = today(reading, today_filters({}, view), view)
    assert tuple(head) == CSV_HEAD
    assert [row[0] for row in rows][: len(screen.rows)] == [row.customer for row in screen.rows]
    assert len(rows) == screen.total.customers
    for row, cells in zip(screen.rows, rows, strict=False):
        assert float(cells[9]) == pytest.approx(float(row.stake.strip("€").replace(",", "")), abs=0.5)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_a_cell_is_never_a_formula(start):
    ((first, second, third),) = csv.reader(io.StringIO(csv_lines([[f"{start}1+1", 'a,"b\nc', -5]])))

    assert (first, second, third) == (f"'{start}1+1", 'a,"b\nc', "-5")
