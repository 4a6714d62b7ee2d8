"""The figures of the first screen agree: rows and headline, filters and counts, words and scores."""

from contextlib import contextmanager
from urllib.parse import parse_qsl

import pytest

from stream.page.screens.one_customer.screen import customer_screen
from stream.page.screens.open_list import today_filters
from stream.page.screens.today import today
from stream.page.screens.view import KIND_TABS, View
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.page.web.pages import Pages, today_page
from tests.support.builders import basis
from tests.support.narrow import not_none
from tests.support.page_entries import NOW_MS, opened

VIEW = View(basis(), NOW_MS, "a test", True)


@contextmanager
def filled_store(folder, batch):
    store = SqliteStore(folder / "other.db")
    store.open_for("x")
    store.write(batch)
    with store.reading() as reading:
        yield reading
    store.close()


def amount(words: str) -> float:
    return float(words.strip("€").replace(",", ""))


@pytest.mark.parametrize("query", [{}, {"tier": "gold"}])
def test_the_headline_is_the_sum_of_the_figures_of_the_rows(shop, query):
    store, view = shop
    added, checked = 0.0, 0
    with store.reading() as reading:
        for kind in KIND_TABS:
            screen = first = today(reading, today_filters({**query, "kind": kind}, view), view)
            rows = list(first.rows)
            while screen.next_url:
                after = dict(parse_qsl(screen.next_url.partition("?")[2]))["after"]
                screen = today(reading, today_filters({**query, "kind": kind, "after": after}, view), view)
                rows += screen.rows
            for row in rows:
                page = not_none(customer_screen(reading, row.customer, view))
                assert any(f"about {row.stake} of profit" in alert.stake for alert in page.open_alerts)
            added = sum(amount(row.stake) for row in rows)
            assert len(rows) == first.total.customers
            assert amount(first.total.stake) == pytest.approx(added, abs=0.5 + 0.5 * len(rows))
            checked += len(rows)
    assert checked > 3


def test_a_row_of_a_skewed_stake_shows_what_adds_up(shown):
    screen = shown([opened("a", 10_000), opened("b", 20_000)])  # half and twice as much at the ends

    assert [row.stake for row in screen.rows] == ["€230", "€115"]
    assert screen.total.stake == "€345"


def test_what_is_new_follows_the_filters(shown):
    entries = [opened("a", days=0.1, tier=3), opened("b", tier=3), opened("c", days=0.1, urgent=1)]

    assert shown(entries).new == 2
    assert [shown([], query).new for query in ({"tier": "platinum"}, {"urgent": "yes"})] == [1, 1]
    assert shown([], {"tier": "platinum", "urgent": "yes"}).new == 0


@pytest.mark.parametrize(("query", "times"), [({}, 0), ({"tier": "gold"}, 2)])
def test_what_the_alerts_of_the_past_do_not_know_is_said_to_be_of_the_whole_list(shop, query, times):
    store, view = shop
    with store.reading() as reading:
        html, status, _ = today_page(Pages(view), reading, query)

    assert status == 200
    assert html.count("of the whole list, without the filters") == times


def test_the_readiness_of_an_upgrade_is_explained_under_the_list(tmp_path):
    kind = "upgrade_opportunity"
    with filled_store(tmp_path, Batch(opened=[opened("a", kind=kind)])) as reading:
        html, _, _ = today_page(Pages(VIEW), reading, {"kind": kind})

    assert "readiness 80," in html
    assert "from 75 on an alert is raised. It is no share of the way and no probability." in html
