"""The map of value and risk: how many customers by both, and their expected profit; each cell opens its list.

The colour is what is at stake with each customer of a cell, value times risk: the sums of money are always
largest where nobody is at risk, and would lead the eye there.

The bands of value are fifths of the customers of one currency, with rounded ends; who has no known value is
counted beside the map.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from msgspec import Struct

from stream.look.heat import HeatCell
from stream.page.cells import RISK_ENDS, STEPS
from stream.page.screens.counts import counted, currencies
from stream.page.screens.customer_filters import (
    OF_ROWS,
    band,
    chips,
    condition,
    filter_choices,
    with_currency,
)
from stream.page.screens.customers import PATH as LIST_PATH
from stream.page.screens.view import Chip, Choice, View, estimate, url
from stream.page.store.store import Reading

PATH = "/map"
BANDS = 5
NOT_OF_MAP = dict.fromkeys(("after", "risk", "value", "bought"), "")
"""Filters that the map does without: it shows value and risk, and looks into no profile."""


class ValueMap(Struct, frozen=True):
    """The cells by rows of risk, the highest first, and columns of value, the highest first."""

    head: list[str]
    rows: list[tuple[str, list[HeatCell]]]
    currency: str
    currencies: list[tuple[str, int, str]]
    customers: int
    unknown: int
    """Customers who fit the filters and have no known value: they have not bought, or nothing has a price."""
    total: str
    chips: list[Chip]
    choices: dict[str, list[Choice]]
    filters: dict[str, str]


def value_map(reading: Reading, filters: Mapping[str, str], view: View) -> ValueMap:
    """The map of the customers whom the filters of the list keep; those of value and risk are left out."""
    filters = with_currency(reading, {**filters, "sort": "value", **NOT_OF_MAP})
    by_currency = currencies(reading)
    currency = filters["currency"] or (by_currency[0][0] if by_currency else "")
    where, values = condition(reading, {**filters, "currency": currency}, view)
    all_of_them = " AND ".join(where) if where else "1 = 1"
    of_rows = any(filters[name] for name in OF_ROWS)
    fine = _fine_cells(reading, all_of_them, values, of_rows=of_rows)
    ends = _fifths(fine)
    found = _cells(fine, ends)
    known = sum(customers for customers, _ in found.values())
    money = sum(minor for _, minor in found.values())
    unknown = sum(customers for (_, step), (customers, _) in fine.items() if step < 0)
    levels = _levels(found)
    names = [_money_band(low, high, currency) for low, high in _pairs(ends)]

    def cell(risk: int, value: int) -> HeatCell:
        customers, minor = found.get((risk, value), (0, 0))
        if not customers:
            return HeatCell("–")
        chosen = {"risk": band(*_pairs(RISK_ENDS)[risk]), "value": band(*_pairs(ends)[value])}
        address = url(LIST_PATH, {**filters, "currency": currency, **chosen})
        return HeatCell(f"{customers:,}", levels[risk, value], address, more=estimate(minor, currency))

    columns = [*reversed(range(len(names)))]
    return ValueMap(
        head=["risk", *(names[place] for place in columns)],
        rows=[
            (_risk_band(low, high), [cell(risk, place) for place in columns])
            for risk, (low, high) in reversed([*enumerate(_pairs(RISK_ENDS))])
        ],
        currency=currency,
        currencies=[(name, number, url(PATH, {**filters, "currency": name})) for name, number in by_currency],
        customers=known,
        unknown=unknown,
        total=estimate(money, currency),
        chips=chips({**filters, "sort": ""}, PATH),
        choices=filter_choices(filters, view),
        filters=dict(filters),
    )


def _pairs(ends: Sequence[int]) -> list[tuple[int | None, int | None]]:
    """The bands between ends; the first and the last are open."""
    return [*zip([None, *ends], [*ends, None], strict=True)]


Fine = dict[tuple[int, int], tuple[int, int]]
"""Band of risk and step of value (below 0: there is none) -> customers and the sum of their values."""


def _fine_cells(reading: Reading, where: str, values: Sequence[str | int | float], *, of_rows: bool) -> Fine:
    """All customers of a condition, by fine steps of value."""
    found = counted(reading, ("risk_band", "value_step"), where, values, of_rows=of_rows)
    return {(risk, step): (customers, minor) for risk, step, customers, minor in found}


def _fifths(fine: Fine) -> list[int]:
    """The ends of steps that divide the customers into fifths as well as steps can, each once."""
    counts = [0] * (len(STEPS) + 1)
    for (_, step), (customers, _) in fine.items():
        if step >= 0:
            counts[step] += customers
    up_to = [*accumulate(counts[:-1])]
    whole = sum(counts)
    wanted = [whole * fifth / BANDS for fifth in range(1, BANDS)] if whole else []
    places = {min(range(len(STEPS)), key=lambda place: abs(up_to[place] - many)) for many in wanted}
    return [STEPS[place] for place in sorted(places) if 0 < up_to[place] < whole]


def _cells(fine: Fine, ends: Sequence[int]) -> Fine:
    """The fine cells put together into bands between these ends."""
    found: Fine = {}
    for (risk, step), (customers, minor) in fine.items():
        if step < 0:
            continue
        low = STEPS[step - 1] if step else 0
        place = risk, bisect_right(ends, low)
        before = found.get(place, (0, 0))
        found[place] = before[0] + customers, before[1] + minor
    return found


def _levels(found: Fine) -> dict[tuple[int, int], float]:
    """How strongly each cell is coloured, 0 to 1: by what is at stake with each of its customers, their mean
    value times the risk, of which the middle of the band is taken."""
    stakes = {}
    for (risk, value), (customers, minor) in found.items():
        low, high = _pairs(RISK_ENDS)[risk]
        stakes[risk, value] = minor / customers * ((low or 0) + (100 if high is None else high))
    most = max(stakes.values(), default=0.0) or 1.0
    return {place: stake / most for place, stake in stakes.items()}


def _money_band(low: int | None, high: int | None, currency: str) -> str:
    if low is None:
        return f"profit under {estimate(high, currency)}" if high is not None else "any profit"
    if high is None:
        return f"from {estimate(low, currency)}"
    return f"{estimate(low, currency)} to {estimate(high, currency)}"


def _risk_band(low: int | None, high: int | None) -> str:
    if low is None:
        return f"under {high}%"
    return f"{low}% and more" if high is None else f"{low} to {high}%"
