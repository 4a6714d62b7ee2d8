"""Each address of the dashboard: which screen it reads, and the template that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple, Protocol

import msgspec
from markupsafe import Markup

from stream.core.policy.policy import ALERT_KINDS
from stream.core.units import DAY_MS
from stream.look.heat import html_heat
from stream.look.months import months
from stream.look.svg import sparkline
from stream.look.timeline import timeline
from stream.page.published import Published, PublishedError, other_basis
from stream.page.screens import customers, not_counted, open_list, remarks, today, value_map
from stream.page.screens.counts import customers_known
from stream.page.screens.csv_text import Cell
from stream.page.screens.customer_filters import EXACT, customers_filters, with_currency
from stream.page.screens.masked import customer_of, masked, must_be_masked
from stream.page.screens.one_customer import in_part
from stream.page.screens.one_customer import screen as customer
from stream.page.screens.one_customer.by_month import MonthRow
from stream.page.screens.unlike_tiers import UnlikeTiers, tiers_unlike
from stream.page.screens.view import View
from stream.page.store.store import Reading
from stream.page.web.kept_for import KeptFor
from stream.page.web.rendering import environment
from stream.panes.currencies import priced
from stream.panes.summary import summary_sentences
from stream.wording.amounts import days
from stream.wording.profile import RANKS
from stream.worker.rows.stored import UNREADABLE

HTML, JSON = "text/html", "application/json"
MAP_KEPT_S = 60.0
"""A map that took long is shown again for so long: it looks at every customer."""
NAVIGATION = (
    (today.PATH, "Today"),
    (customers.PATH, "Customers"),
    ("/won", "Won"),
    ("/grown", "Grown"),
    ("/kept", "Kept"),
    ("/policy", "Policy"),
)

Made = tuple[str, int, str]
"""Text, HTTP status and content type."""


class Shown(Protocol):
    """What pages show of a running shop."""

    def fresh(self) -> Sequence[tuple[str, str]]:
        """Each source, and how old its newest event is."""

    def troubles(self) -> Sequence[str]:
        """What is wrong, in sentences."""


class Pages:
    """Renders the templates, as of one view."""

    def __init__(self, view: View, live: Shown | None = None, published: Published | None = None) -> None:
        """`live`: of a running shop; without it nothing moves, and nobody can say anything of an alert."""
        self.view, self.live = view, live
        self.published = published or Published()
        self.ticket = ""
        """Goes with what is remarked on the page (stream/page/web/acting.py)."""
        self.address = "/"
        """The page itself, to come back to."""
        self.unlike: UnlikeTiers | None = None
        """That the model does not fit the customers; None where it seems to."""
        self.kept = KeptFor(MAP_KEPT_S)
        self._environment = environment()

    def now(self, view: View, ticket: str = "") -> Pages:
        """The same for one request."""
        pages = copy(self)
        pages.view, pages.ticket = view, ticket
        return pages

    def checked(self, reading: Reading) -> Pages:
        """The same, and what must be said on top of each page of these customers."""
        pages = copy(self)
        pages.unlike = tiers_unlike(reading, self.view)
        return pages

    def render(self, template: str, here: str, **values: Any) -> str:
        """The HTML of a template; `here` is the page's path in the navigation."""
        return self._environment.get_template(template).render(
            view=self.view,
            pages=NAVIGATION,
            here=here,
            as_of=as_of_words(self.view),
            live=self.live,
            unlike=self.unlike,
            ticket=self.ticket,
            address=self.address,
            **values,
        )

    def report(self) -> Mapping[str, Any] | None:
        """The numbers of the last report; None where none can be read (the panes of the report say why)."""
        try:
            return self.published.report()
        except PublishedError:
            return None

    def words(self, heading: str, lines: Sequence[str], *, search: str = "") -> str:
        """A page that only says something; `search`: an id that the list of customers can look for."""
        return self.render("words.html", "", heading=heading, lines=lines, search=search)


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
    kind = next(each for each in ALERT_KINDS if each == screen.kind)
    levels = [level for _, level in screen.open_by_day]
    label = f"Open alerts in the last 30 days: from {levels[0]} to {levels[-1]}" if levels else ""
    label += " (without the filters)" if levels and screen.chips else ""
    text = pages.render(
        "today.html",
        today.PATH,
        screen=screen,
        spark=Markup(sparkline(levels, label)),
        horizon=_horizon(view),
        raise_at=f"{100 * view.basis.hysteresis[kind].raise_at:.0f}",
        customers=customers_known(reading),
        **_remarks_of(pages, reading, [(row.customer, row.alert_id) for row in screen.rows]),
        muted=remarks.muted_count(reading, screen.kind, view.as_of_ms),
        not_counted=not_counted.not_counted_today(reading, view),
        business=_business(pages),
    )
    return text, 200, HTML


def _business(pages: Pages) -> tuple[str, Sequence[str], str]:
    """The day and the sentences of the last report, and by what else than the page it was made; nothing where
    this version can read none."""
    report = pages.report()
    if report is None:
        return "", (), ""
    try:
        sentences = summary_sentences(priced(report))
        return pages.view.date(report["as_of_ms"]), sentences, other_basis(report, pages.view.basis)
    except (KeyError, TypeError, ValueError, AttributeError):
        return "", (), ""


def _remarks_of(pages: Pages, reading: Reading, shown: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What a template needs to show what was said of these alerts, and to say more."""
    words = remarks.remarks_of(reading, shown, pages.view) if pages.live is not None else {}
    return {"remarks": words, "says": remarks.FORM}


def _today_export_filters(reading: Reading, query: Mapping[str, str], view: View) -> dict[str, str]:
    found = open_list.today_filters({**query, "after": ""}, view)
    return open_list.with_currency(reading, found, view)


def customers_page(pages: Pages, reading: Reading, query: Mapping[str, str]) -> Made:
    """The list of all customers."""
    view = pages.view
    filters = customers_filters(query, view)
    must_be_masked(reading, filters, "q", view)
    screen = customers.customers_screen(reading, filters, view)
    text = pages.render("customers.html", customers.PATH, screen=screen, exact=EXACT, horizon=_horizon(view))
    return text, 200, HTML


def map_page(pages: Pages, reading: Reading, query: Mapping[str, str]) -> Made:
    """The map of value and risk."""
    view = pages.view
    filters = customers_filters(query, view)
    must_be_masked(reading, filters, "q", view)
    key = view.basis.model.version, *sorted(filters.items())
    screen = pages.kept.get(key, lambda: value_map.value_map(reading, filters, view))
    label = "Customers and their expected profit, by risk and value"
    heat = html_heat(screen.head, screen.rows, label, is_bad=True)
    text = pages.render(
        "map.html", customers.PATH, screen=screen, exact=EXACT, heat=Markup(heat), horizon=_horizon(view)
    )
    return text, 200, HTML


def customer_page(pages: Pages, reading: Reading, query: Mapping[str, str]) -> Made:
    """One customer in full."""
    asked = customer.customer_id(query)
    must_be_masked(reading, {"id": asked}, "id", pages.view)
    name = customer_of(reading, asked, pages.view)
    screen = customer.customer_screen(reading, name, pages.view, pages.report())
    mute = remarks.mute_of(reading, name, pages.view) if pages.live is not None else None
    if screen is None:
        part = in_part.customer_in_part(reading, name, pages.view)
        if part is None:
            return pages.words("This customer is not known", _unknown(asked), search=asked), 404, HTML
        return pages.render("customer_in_part.html", "", screen=part, mute=mute), 200, HTML
    shown = [(name, alert.alert_id) for alert in screen.open_alerts]
    text = pages.render(
        "customer.html",
        "",
        screen=screen,
        timeline=Markup(timeline(screen.timeline)) if screen.timeline else "",
        money=_columns(screen.money),
        channels=[(row, _columns(row)) for row in screen.channels],
        mood=_columns(screen.mood),
        mute=mute,
        ranks=RANKS,
        **_remarks_of(pages, reading, shown),
    )
    return text, 200, HTML


def _columns(row: MonthRow | None) -> Markup:
    return Markup(months(row.series) if row is not None else "")


def customer_json(pages: Pages, reading: Reading, query: Mapping[str, str]) -> Made:
    """The stored profile of one customer."""
    asked = customer.customer_id(query)
    must_be_masked(reading, {"id": asked}, "id", pages.view)
    found = customer.customer_profile(reading, customer_of(reading, asked, pages.view))
    if found is None:
        return '{"error": "this customer is not known"}\n', 404, JSON
    try:
        if pages.view.masks is not None:
            found = msgspec.json.encode({**msgspec.json.decode(found), "customer": asked})
        return found.decode() + "\n", 200, JSON
    except UNREADABLE:
        return '{"error": "the stored profile of this customer is no JSON"}\n', 404, JSON


def _unknown(name: str) -> list[str]:
    if not name:
        return ["The address names no customer."]
    return [f"Nothing is known of {name}. This address takes an id letter by letter, capitals too."]


def _horizon(view: View) -> str:
    return days(view.basis.policy.finance.risk_horizon_ms / DAY_MS)


def _customers_export_filters(reading: Reading, query: Mapping[str, str], view: View) -> dict[str, str]:
    found = masked(reading, customers_filters({**query, "after": ""}, view), "q", view)
    return with_currency(reading, found)


PAGES: Mapping[str, PageMaker] = {
    today.PATH: today_page,
    customers.PATH: customers_page,
    value_map.PATH: map_page,
    customer.PATH: customer_page,
    customer.JSON_PATH: customer_json,
}
EXPORTS: Mapping[str, Exporter] = {
    customers.CSV_PATH: Exporter(customers.CSV_HEAD, _customers_export_filters, customers.customers_export),
    today.CSV_PATH: Exporter(open_list.CSV_HEAD, _today_export_filters, open_list.today_export),
}
