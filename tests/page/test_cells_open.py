"""Numbers of the panes open the customers whom they count: cohorts by month, moves between tiers."""

import html
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from stream.core.facts.months import by_month
from stream.core.units import calendar_month
from stream.look.html import share_of
from stream.page.entries import CustomerEntry
from stream.page.screens.customer_filters import customers_filters
from stream.page.screens.customers import PATH, customers_export, customers_screen
from stream.page.screens.view import FilterError, url
from stream.panes.kept import cohort_map
from stream.wording.amounts import month_of_year
from tests.support.dashboard_pages import stored_profile


@pytest.fixture
def reading(shop):
    with shop[0].reading() as reading:
        yield reading


def opened(reading, view, address):
    """The ids that an address of the list shows, in all its parts."""
    query = dict(parse_qsl(urlsplit(html.unescape(address)).query))
    filters, after, found = customers_filters(query, view), "start", []
    while after:
        rows, after = customers_export(reading, filters, view)
        found += [row[0] for row in rows]
        filters["after"] = after
    return found


def cohorts_of(reading, view):
    """Month of the first purchase -> customer -> months in which they bought."""
    found: dict[int, dict[str, set[int]]] = {}
    for (customer,) in reading.rows("SELECT customer FROM customers WHERE orders > 0"):
        sums = stored_profile(reading, customer).buying.sums
        first = calendar_month(view.calendar.local_day(sums.first_at_ms))
        found.setdefault(first, {})[customer] = set(by_month(sums.month_orders))
    return found


def name(month):
    return f"{1970 + month // 12}-{month % 12 + 1:02d}"


def test_each_cell_of_the_cohorts_opens_as_many_customers_as_it_counts(shop, reading, monkeypatch):
    monkeypatch.setattr("stream.page.screens.customers.ROWS_READ", 7)
    view, cohorts = shop[1], cohorts_of(reading, shop[1])
    last = max(month for months in cohorts.values() for bought in months.values() for month in bought)
    numbers = [
        {
            "month": name(first),
            "customers": len(members),
            "bought": [
                sum(month in bought for bought in members.values()) for month in range(first, last + 1)
            ],
        }
        for first, members in sorted(cohorts.items())
    ]

    page = cohort_map(numbers, lambda filters: url(PATH, filters))

    cells = re.findall(r'<td class="g[^"]*"><a href="([^"]+)">(\d+%|\d+ of \d+)</a>', page)
    rows = re.findall(r'<th scope=row><a href="([^"]+)">(\w+ \d{4}) \(', page)
    assert {month: len(opened(reading, view, link)) for link, month in rows} == {
        month_of_year(one["month"]): one["customers"] for one in numbers
    }
    counted = [
        (share_of(many, one["customers"]), many) for one in reversed(numbers) for many in one["bought"][1:]
    ]
    assert [(share, len(opened(reading, view, link))) for link, share in cells] == counted
    assert len(cells) > 20


def test_a_move_opens_those_whose_last_move_it_was_within_90_days(shop, reading):
    view = shop[1]
    columns = ", ".join(CustomerEntry.__struct_fields__)
    entries = [CustomerEntry(*row) for row in reading.rows(f"SELECT {columns} FROM customers")]
    moved = [each for each in entries if each.tier_before >= 0 and each.tier_since_ms >= view.quiet_ms(90)]
    assert moved
    for one in moved:
        query = {"tier": view.tier_name(one.tier), "was": view.tier_name(one.tier_before)}
        found = opened(reading, view, url(PATH, query))
        assert one.customer in found
        assert set(found) <= {each.customer for each in moved}


def test_what_is_asked_stands_above_the_list_and_one_click_takes_it_away(shop, reading):
    query = {"first": "2024-01-01..2024-01-31", "bought": "2024-02"}

    screen = customers_screen(reading, customers_filters(query, shop[1]), shop[1])

    words = {chip.words: chip.without for chip in screen.chips}
    assert set(words) == {"first bought from 1 January 2024 to 31 January 2024", "bought in February 2024"}
    assert "bought" not in words["first bought from 1 January 2024 to 31 January 2024"]


@pytest.mark.parametrize(
    "query",
    [
        {"first": "2024-01"}, {"first": "2024-01-01..x"}, {"bought": "2024-02"}, {"was": "tin"},
        {"bought": "2024-13", "first": "2024-01-01..2024-01-31"},
        {"first": "9999-12-31..9999-12-31"}, {"first": "0001-01-01..0001-01-01"},
    ],
)  # fmt: skip
def test_a_month_that_cannot_be_is_refused(shop, reading, query):
    if "9999" in str(query) or "0001" in str(query):
        assert opened(reading, shop[1], url(PATH, query)) == []
        return
    with pytest.raises(FilterError):
        customers_filters(query, shop[1])
