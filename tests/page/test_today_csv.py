"""The list of open alerts for a spreadsheet."""

import csv
import io

import pytest

from stream.core.facts.interests import top_categories
from stream.page.screens.csv_text import csv_lines
from stream.page.screens.one_customer.screen import customer_screen
from stream.page.screens.open_list import CSV_HEAD, today_export, today_filters, with_currency
from stream.page.screens.today import today
from tests.support.dashboard_pages import stored_profile
from tests.support.narrow import not_none


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


def test_the_category_of_an_offer_is_named_in_the_row_the_csv_and_on_the_page_of_the_customer(shop):
    store, view = shop
    _, *rows = exported(store, view, {})
    with store.reading() as reading:
        screen = today(reading, today_filters({}, view), view)
        profiles = {row.customer: stored_profile(reading, row.customer) for row in screen.rows}
        whole = [not_none(customer_screen(reading, row.customer, view)) for row in screen.rows]

    named = 0
    for row, cells, page in zip(screen.rows, rows, whole, strict=False):
        bought = top_categories(profiles[row.customer].interests.bought, 1)
        if bought and "personal offer" in row.to_do:
            words = f"Send a personal offer from {bought[0].rsplit('/', 1)[-1]}."
            assert row.to_do.startswith(words)
            assert cells[CSV_HEAD.index("to do")].startswith(words)
            assert any(alert.to_do.startswith(words) for alert in page.open_alerts)
            named += 1
    assert named


def test_a_row_speaks_of_consent_in_brief_and_the_page_of_the_customer_in_full(shop):
    store, view = shop
    with store.reading() as reading:
        screen = today(reading, today_filters({}, view), view)
        page = not_none(customer_screen(reading, screen.rows[0].customer, view))

    assert all("agreed" not in row.to_do for row in screen.rows)
    assert {row.to_do.rsplit("; ", 1)[-1] for row in screen.rows} & {"consent not known.", "consent given."}
    assert any("agreed to marketing" in alert.to_do for alert in page.open_alerts)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_a_cell_is_never_a_formula(start):
    ((first, second, third),) = csv.reader(io.StringIO(csv_lines([[f"{start}1+1", 'a,"b\nc', -5]])))

    assert (first, second, third) == (f"'{start}1+1", 'a,"b\nc', "-5")
