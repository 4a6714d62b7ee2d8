"""The list of all customers, and one customer in full."""

import msgspec
import pytest

from stream.core.judgement.basis import Basis
from stream.page.entries import NOT_KNOWN, CustomerEntry, customer_entry
from stream.page.screens.customer_filters import SORTS, customers_filters, with_currency
from stream.page.screens.customers import CSV_HEAD, customers_export, customers_screen
from stream.page.screens.one_customer.screen import customer_profile, customer_screen
from stream.page.screens.view import FilterError
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.page.web.pages import Pages, customers_page, map_page
from stream.wording.profile import profile_sections
from stream.worker.rows.stored import read_profile
from tests.support.dashboard_pages import stored_profile


@pytest.fixture
def reading(shop):
    with shop[0].reading() as reading:
        yield reading


@pytest.fixture
def view(shop):
    return shop[1]


def entries(reading):
    columns = ", ".join(CustomerEntry.__struct_fields__)
    return [CustomerEntry(*row) for row in reading.rows(f"SELECT {columns} FROM customers")]


def listed(reading, view, **query):
    """All rows of the list, in parts as small as its pages may be, as an export gives them."""
    filters, after, rows = customers_filters(query, view), "start", []
    while after:
        found, after = customers_export(reading, filters, view)
        rows += found
        filters["after"] = after
    return rows


@pytest.mark.parametrize("sort", SORTS)
def test_pages_hold_every_customer_once_and_in_order(reading, view, sort, monkeypatch):
    monkeypatch.setattr("stream.page.screens.customers.ROWS_READ", 7)
    column = SORTS[sort][0]

    wanted = sorted(entries(reading), key=lambda entry: (-getattr(entry, column), entry.customer))

    assert [row[0] for row in listed(reading, view, sort=sort)] == [entry.customer for entry in wanted]


@pytest.mark.parametrize("sort", SORTS)
def test_a_place_in_a_list_is_asked_for_in_the_type_of_its_column(reading, view, sort, monkeypatch):
    """Else PostgreSQL does not use the index, and each part of an export sorts all rows."""
    monkeypatch.setattr("stream.page.screens.customers.ROWS_READ", 7)
    asked, rows = [], reading.rows

    def noting(sql, values=()):
        asked.append(list(values))
        return rows(sql, values)

    monkeypatch.setattr(reading, "rows", noting)

    listed(reading, view, sort=sort)

    kind = type(getattr(entries(reading)[0], SORTS[sort][0]))
    assert len(asked) > 2
    assert all(type(level) is kind for values in asked[1:] for level in values[:2] if len(values) == 4)


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ({"tier": "gold"}, lambda entry, view: view.tier_name(entry.tier) == "gold"),
        ({"stage": "lapsed"}, lambda entry, view: entry.stage == "lapsed"),
        ({"kind": "churn_risk"}, lambda entry, view: "churn_risk" in entry.open_kinds),
        ({"q": "customer-0001"}, lambda entry, view: entry.customer.startswith("customer-0001")),
        ({"country": "DE"}, lambda entry, view: entry.country == "DE"),
        ({"channel": "search"}, lambda entry, view: entry.channel == "search"),
        ({"quiet": "90"}, lambda entry, view: 0 < entry.last_purchase_ms < view.quiet_ms(90)),
        ({"risk": "20-60"}, lambda entry, view: entry.orders and 0.2 <= entry.risk < 0.6),
        ({"value": "5000-40000"}, lambda entry, view: entry.orders and 5_000 <= entry.value_minor < 40_000),
        ({"value": "40000-"}, lambda entry, view: entry.value_minor >= 40_000),
        (
            {"tier": "gold", "channel": "search"},
            lambda entry, view: entry.tier == 2 and entry.channel == "search",
        ),
    ],
)
def test_a_filter_keeps_those_who_fit(reading, view, query, fits):
    found = {row[0] for row in listed(reading, view, **query)}

    assert found == {entry.customer for entry in entries(reading) if fits(entry, view)}
    assert found


@pytest.mark.parametrize(
    "query",
    [
        {"tier": "x"},
        {"sort": "name"},
        {"quiet": "1"},
        {"after": "x"},
        {"a": "b"},
        {"risk": "x"},
        {"value": "1"},
    ],
)
def test_what_cannot_be_is_refused(reading, view, query):
    with pytest.raises(FilterError):
        customers_screen(reading, customers_filters(query, view), view)


def test_the_screen_shows_the_rows_of_the_export_and_a_chip_for_each_filter(reading, view):
    filters = customers_filters({"tier": "platinum", "q": "customer"}, view)

    screen = customers_screen(reading, filters, view)

    rows = listed(reading, view, tier="platinum", q="customer")
    assert [row.customer for row in screen.rows] == [row[0] for row in rows][: len(screen.rows)]
    assert [chip.words for chip in screen.chips] == ["id with customer", "platinum tier"]
    assert screen.known == 160
    assert len(CSV_HEAD) == len(rows[0])


def test_money_is_ordered_within_one_currency(tmp_path, reading, view):
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")
    first, second, third = entries(reading)[:3]
    yen = msgspec.structs.replace(third, currency="JPY", value_minor=10**9)
    store.write(Batch(customers=[first, second, yen]))

    with store.reading() as other:
        by_value = with_currency(other, customers_filters({}, view))
        by_risk = with_currency(other, customers_filters({"sort": "risk"}, view))

    assert (by_value["currency"], by_risk["currency"]) == ("EUR", "")
    store.close()


def test_who_pays_in_another_currency_has_no_tier_and_no_known_worth(view, shop_files):
    lines = shop_files[0].read_bytes().splitlines()
    profile = next(found for line in lines if (found := read_profile(line)).buying.sums.orders)
    in_yen = msgspec.structs.replace(view.basis.policy.finance, currency="JPY")
    yen = Basis(msgspec.structs.replace(view.basis.policy, finance=in_yen), view.basis.model)

    ranked, other = (customer_entry(profile, view.as_of_ms, basis) for basis in (view.basis, yen))
    profile.buying.sums.gross_minor = 0
    unpriced = customer_entry(profile, view.as_of_ms, view.basis)

    assert (view.tier_name(other.tier), view.tier_name(ranked.tier) in view.basis.tier_names) == (
        "not ranked",
        True,
    )
    assert ranked.value_minor > 0
    assert (other.value_minor, unpriced.value_minor) == (NOT_KNOWN, NOT_KNOWN)


def test_one_customer_is_told_in_the_words_of_explain_as_of_the_same_instant(reading, view):
    for entry in entries(reading)[:40]:
        profile = stored_profile(reading, entry.customer)
        screen = customer_screen(reading, entry.customer, view)

        assert screen is not None
        explained = profile_sections(profile, view.as_of_ms, view.basis)
        assert screen.sections == {section.title: section.lines for section in explained}
        assert len(screen.open_alerts) == len(entry.open_kinds.split())
        assert len(screen.orders) == len(profile.buying.orders)


def test_cancelled_and_refunded_orders_are_marked_and_add_up(reading, view):
    """The amounts of the kept orders are those of the sums, where no older order is left out."""
    checked = 0
    for entry in entries(reading):
        buying = stored_profile(reading, entry.customer).buying
        screen = customer_screen(reading, entry.customer, view)
        assert screen is not None
        if screen.older_orders == 0 and buying.sums.orders:
            live = [order for order in screen.orders if not order.cancelled]
            assert len(live) == buying.sums.orders
            back = [float(order.refunded.strip("€").replace(",", "")) for order in live if order.refunded]
            assert sum(back) == pytest.approx(buying.sums.refunded_minor / 100)
            checked += bool(back)
    assert checked


def test_nobody_is_not_known(reading, view):
    assert customer_screen(reading, "nobody", view) is None
    assert customer_profile(reading, "") is None


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "160 customers are known"),
        ({"q": "customer-0001"}, "10 of 160 customers"),
        ({"q": "nobody"}, "0 of 160 customers"),
        ({"quiet": "30"}, None),
        ({"tier": "bronze"}, None),
        ({"risk": "-80"}, None),
    ],
)
def test_the_list_says_how_many_fit(reading, view, query, words):
    wanted = words or f"{len(listed(reading, view, **query))} of 160 customers"

    assert customers_screen(reading, customers_filters(query, view), view).fit == wanted


def test_beyond_a_bound_it_says_that_there_are_more(reading, view, monkeypatch):
    monkeypatch.setattr("stream.page.screens.customers.COUNTED_MAX", 60)

    screen = customers_screen(reading, customers_filters({"q": "customer"}, view), view)

    assert screen.fit == "More than 60 of 160 customers"


def found_by(reading, view, typed):
    return {row[0] for row in listed(reading, view, q=typed)}


def test_an_id_is_found_by_its_beginning_in_any_case_or_by_a_part(reading, view):
    ids = {entry.customer for entry in entries(reading)}

    assert found_by(reading, view, "Customer-0001") == found_by(reading, view, "customer-0001")
    assert found_by(reading, view, "0012") == {each for each in ids if "0012" in each} != set()
    assert found_by(reading, view, "STOMER-00012") == {"customer-00012"}
    assert found_by(reading, view, "%") == found_by(reading, view, "_") == set()


def test_who_begins_so_comes_before_who_only_has_it(tmp_path, reading, view):
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")
    names = ["Abc-1", "abc-2", "x-abc-3", "ÄBC-4"]
    parts = zip(names, entries(reading), strict=False)
    store.write(Batch(customers=[msgspec.structs.replace(each, customer=name) for name, each in parts]))

    with store.reading() as other:
        assert found_by(other, view, "abc") == {"abc-2"}
        assert found_by(other, view, "ABC") == {"Abc-1", "abc-2"}
        assert found_by(other, view, "BC-") == set(names)
        assert found_by(other, view, "äbc") == set()
    store.close()


def test_behind_the_last_page_nothing_is_shown_of_those_who_fit(reading, view):
    filters = customers_filters({"stage": "lapsed", "after": "-9.0~x"}, view)

    screen = customers_screen(reading, filters, view)

    assert (screen.rows, screen.fit.endswith("of 160 customers")) == ([], True)


def test_the_filter_of_a_campaign_says_that_it_is_who_was_won_by_it(shop):
    store, view = shop
    with store.reading() as reading:
        text, _, _ = customers_page(Pages(view), reading, {"campaign": "spring"})
        of_map, _, _ = map_page(Pages(view), reading, {"campaign": "spring", "channel": "search"})

    for html in (text, of_map):
        assert '<label>Won by campaign <input name="campaign"' in html
        assert "Remove the filter: won by campaign spring" in html
    assert "Remove the filter: won through channel search" in of_map
