"""A percentage and a day are written in one way on all pages and in the mail: `26%`, `1 January 2018`."""

import re

import msgspec
import pytest

from stream.core.units import HOUR_MS
from stream.page.published import Published
from stream.page.screens.customers import CSV_PATH, customers_export
from stream.page.screens.digest import digest, digest_text
from stream.page.screens.one_customer.screen import customer_screen
from stream.page.web.digest_page import digest_page
from stream.page.web.pages import EXPORTS, PAGES, Pages
from stream.page.web.panes import PANES
from stream.panes.report import business_page
from stream.wording.amounts import share, with_dates
from tests.support.narrow import not_none
from tests.support.number_forms import other_forms, texts_read

PARTS = {"first": "2024-03-01..2024-06-30", "bought": "2024-07", "risk": "20-40", "kind": "churn_risk"}


def addresses(reading):
    """Every page, each list with each of its filters, and the page of everybody."""
    for path in [*PAGES, *PANES]:
        if path != "/customer.json":
            yield path, {}
    for kind in ("churn_risk", "upgrade_opportunity"):
        yield "/", {"kind": kind}
    for name, text in PARTS.items():
        yield "/customers", {name: text, **({"first": PARTS["first"]} if name == "bought" else {})}
    for (customer,) in reading.rows("SELECT customer FROM customers"):
        yield "/customer", {"id": customer}


class Running:
    """A shop that runs, as pages see it."""

    revision = 1

    def fresh(self):
        return [("purchases", "2 minutes old")]

    def troubles(self):
        return []


@pytest.mark.parametrize("live", [None, Running()], ids=["of files", "live"])
def test_percentages_and_days_have_one_form_on_every_page(shop, folder, live):
    store, view = shop
    pages = Pages(view, live, Published(folder))
    with store.reading() as reading:
        found, seen = [], []
        for path, query in addresses(reading):
            text, status, _ = {**PAGES, **PANES}[path](pages, reading, query)
            texts = texts_read(text)
            seen += texts
            assert status in (200, 404)
            found += [f"{path} {query}: {each}" for each in other_forms(texts)]

    assert found == []
    assert any("%" in each for each in seen)


def test_every_bar_stands_beside_the_share_or_the_interval_that_it_draws(shop, folder):
    store, view = shop
    bars = []
    with store.reading() as reading:
        for path, make in PANES.items():
            text, _, _ = make(Pages(view, None, Published(folder)), reading, {})
            for row in re.findall(r"<tr>(?:(?!</tr>).)*</tr>", text, re.DOTALL):
                if "<td" in row and "class=meter" in row:
                    bars.append(row)
                    words = re.sub(r"<[^>]*>", " ", row)
                    assert re.search(r"\d%|\d of \d| to [$€\d]|none judged|–", words), (path, words)

    assert len(bars) > 20


def test_percentages_and_days_have_one_form_in_the_mail_and_in_a_report(shop, folder):
    store, view = shop
    report = not_none(Published(folder).report())
    with store.reading() as reading:
        mail = digest(reading, view, report)

    assert list(other_forms([digest_text(mail)])) == []
    assert list(other_forms(texts_read(digest_page(mail)))) == []
    assert list(other_forms(texts_read(business_page(report)))) == []


def test_a_spreadsheet_has_days_that_it_can_sort(shop):
    store, view = shop
    exporter = EXPORTS[CSV_PATH]
    with store.reading() as reading:
        rows, _ = customers_export(reading, exporter.filters(reading, {}, view), view)

    days = [str(row[7]) for row in rows if row[7]]
    assert len(days) > 50
    assert [each for each in days if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", each)] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("up to 2018-01-01, 4 weeks", "up to 1 January 2018, 4 weeks"),
        ("campaign spring-2018-01-01 of 2018-13-01", "campaign spring-2018-01-01 of 2018-13-01"),
        ("from 2018-01-01T00:00:00Z", "from 2018-01-01T00:00:00Z"),
        ("2017-10-01 to 2017-12-31.", "1 October 2017 to 31 December 2017."),
    ],
)
def test_a_day_within_a_sentence_is_written_as_days_are(text, words):
    assert with_dates(text) == words


def test_a_share_is_a_whole_percentage_and_never_claims_certainty():
    shares = [0.0, 0.004, 0.265, 0.994, 1.0]
    assert [share(each) for each in shares] == ["0%", "under 1%", "26%", "over 99%", "100%"]


def test_every_line_of_a_customer_has_one_number_of_days_of_one_silence(shop):
    store, view = shop
    checked = 0
    with store.reading() as reading:
        for hours in (0, 7, 13):
            later = msgspec.structs.replace(view, as_of_ms=view.as_of_ms + hours * HOUR_MS)
            for row in reading.rows("SELECT DISTINCT customer FROM open_alerts"):
                screen = not_none(customer_screen(reading, row[0], later))
                (since,) = re.findall(r"the last one (.*?) ago, on", screen.sections["Buying"][0]) or [""]
                for alert in screen.open_alerts:
                    for line in [*alert.why, *alert.but]:
                        found = re.search(r"bought nothing for (\d+ days)|last bought (\d+ days) ago", line)
                        if found and since:
                            assert (found[1] or found[2]) == since, line
                            checked += 1
    assert checked > 5
