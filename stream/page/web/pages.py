"""Each address of the dashboard: which screen it reads, and the template that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from stream.core.units import DAY_MS
from stream.look.svg import sparkline
from stream.page.screens import open_list, today
from stream.page.screens.csv_text import Cell
from stream.page.screens.view import View
from stream.page.store.store import Reading
from stream.page.web.rendering import environment
from stream.wording.amounts import days

HTML, JSON = "text/html", "application/json"
NAVIGATION = (("/", "Today"),)

Made = tuple[str, int, str]
"""Text, HTTP status and content type."""


class Pages:
    """Renders the templates."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._environment = environment()

    def render(self, template: str, here: str, **values: Any) -> str:
        """The HTML of a template; `here` is the page's path in the navigation."""
        return self._environment.get_template(template).render(
            view=self.view, pages=NAVIGATION, here=here, as_of=as_of_words(self.view), **values
        )

    def words(self, heading: str, lines: Sequence[str]) -> str:
        """A page that only says something."""
        return self.render("words.html", "", heading=heading, lines=lines)


PageMaker = Callable[[Pages, Reading, Mapping[str, str]], Made]


class Exporter(NamedTuple):
    """A list as CSV: its head, its filters from a query string, and its rows from a place on."""

    head: Sequence[str]
    filters: Callable[[Reading, Mapping[str, str], View], dict[str, str]]
    rows: Callable[[Reading, Mapping[str, str], View], tuple[list[list[Cell]], str]]


def as_of_words(view: View) -> str:
    """The instant that all pages are as of; nothing is known before the first event."""
    return view.date(view.as_of_ms) if view.as_of_ms else "no event yet"


def today_page(pages: Pages, reading: Reading, query: Mapping[str, str]) -> Made:
    """The first page."""
    view = pages.view
    screen = today.today(reading, open_list.today_filters(query, view), view)
    levels = [level for _, level in screen.open_by_day]
    label = f"Open alerts in the last 30 days: from {levels[0]} to {levels[-1]}" if levels else ""
    text = pages.render(
        "today.html",
        today.PATH,
        screen=screen,
        spark=Markup(sparkline(levels, label)),
        horizon=days(view.basis.policy.finance.risk_horizon_ms / DAY_MS),
        customers=reading.one("SELECT COUNT(*) FROM customers")[0],
    )
    return text, 200, HTML


def _today_export_filters(reading: Reading, query: Mapping[str, str], view: View) -> dict[str, str]:
    found = open_list.today_filters({**query, "after": ""}, view)
    return open_list.with_currency(reading, found)


PAGES: Mapping[str, PageMaker] = {today.PATH: today_page}
EXPORTS: Mapping[str, Exporter] = {
    today.CSV_PATH: Exporter(open_list.CSV_HEAD, _today_export_filters, open_list.today_export),
}
