"""The map of value and risk: every customer with a known value is in one cell, which opens their list."""

import re
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from stream.page.cells import NOT_PRICED, value_step
from stream.page.entries import CustomerEntry
from stream.page.screens.customer_filters import customers_filters
from stream.page.screens.customers import customers_export
from stream.page.screens.value_map import value_map
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch


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


def shown(reading, view, **query):
    return value_map(reading, customers_filters(query, view), view)


def cells_of(screen):
    return [cell for _, cells in screen.rows for cell in cells if cell.address]


def opened(reading, view, address):
    """The customers of the list that a cell leads to."""
    query = dict(parse_qsl(urlsplit(address).query))
    rows, after = customers_export(reading, customers_filters(query, view), view)
    assert not after
    return {row[0] for row in rows}


def test_each_cell_opens_as_many_customers_as_it_counts_and_all_cells_hold_everybody_once(reading, view):
    screen = shown(reading, view)

    lists = [(cell, opened(reading, view, cell.address)) for cell in cells_of(screen)]
    assert all(len(who) == int(cell.text.replace(",", "")) for cell, who in lists)
    together = [name for _, who in lists for name in who]
    known = {entry.customer for entry in entries(reading) if entry.orders and entry.value_minor >= 0}
    assert len(together) == len(set(together)) == screen.customers
    assert set(together) == known


def test_the_best_customers_at_the_highest_risk_stand_first(reading, view):
    screen = shown(reading, view)

    assert screen.rows[0][0] == "80% and more"
    assert screen.rows[-1][0] == "under 20%"
    assert screen.head[1].startswith("from €")
    assert screen.head[-1].startswith("profit under €")


def test_fifths_are_about_equally_large(reading, view):
    screen = shown(reading, view)
    columns = [
        sum(int(cells[place].text) for _, cells in screen.rows if cells[place].text != "–")
        for place in range(len(screen.head) - 1)
    ]

    assert len(columns) == 5
    assert max(columns) - min(columns) <= 0.15 * screen.customers


def test_filters_of_the_list_hold_for_the_map(reading, view):
    screen = shown(reading, view, tier="gold", risk="20-40")

    gold = [entry for entry in entries(reading) if entry.tier == 2 and entry.orders]
    assert screen.customers == len(gold)
    assert [chip.words for chip in screen.chips] == ["gold tier"]


def test_amounts_of_two_currencies_are_in_two_maps_and_the_unknown_are_counted_beside(
    tmp_path, reading, view
):
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")
    bought = [entry for entry in entries(reading) if entry.orders][:9]
    yen = [
        msgspec.structs.replace(entry, currency="JPY", value_minor=500, value_step=value_step(1, 500))
        for entry in bought[:2]
    ]
    free = msgspec.structs.replace(bought[2], value_minor=-1, value_step=NOT_PRICED)
    store.write(Batch(customers=[*bought[3:], *yen, free]))

    with store.reading() as other:
        euro, in_yen = shown(other, view), shown(other, view, currency="JPY")

    assert (euro.customers, euro.unknown, euro.currency) == (6, 1, "EUR")
    assert (in_yen.customers, in_yen.total) == (2, "¥1,000")
    store.close()


def test_without_customers_there_is_no_map(tmp_path, view):
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")

    with store.reading() as nothing:
        screen = shown(nothing, view)

    assert (screen.customers, cells_of(screen)) == (0, [])
    store.close()


def test_the_colour_is_strongest_where_a_customer_has_most_at_stake(reading, view):
    screen = shown(reading, view)
    middles = [0.9, 0.7, 0.5, 0.3, 0.1]
    stakes = {}
    for middle, (_, cells) in zip(middles, screen.rows, strict=True):
        for cell in cells:
            if cell.address:
                money = float(re.sub(r"[^\d.]", "", cell.more))
                stakes[cell] = middle * money / int(cell.text.replace(",", ""))

    most = max(stakes.values())
    assert max(cell.level for cell in stakes) == 1.0
    assert all(cell.level == pytest.approx(stake / most, abs=0.05) for cell, stake in stakes.items())
