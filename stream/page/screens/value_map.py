"""The map of value and risk: how many customers by both, and their expected profit; each cell opens its list.

The bands of value are fifths of the customers of one currency, with rounded ends; who has no known value is
counted beside the map.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from stream.look.heat import HeatCell
from stream.page.screens.customer_filters import (
    band,
    chips,
    condition,
    currencies,
    filter_choices,
    with_currency,
)
from stream.page.screens.customers import PATH as LIST_PATH
from stream.page.screens.view import Chip, Choice, View, estimate, url
from stream.page.store.store import Reading

PATH = "/map"
BANDS = 5
RISK_ENDS = (20, 40, 60, 80)
"""Per cent."""
BOUGHT = "orders > 0 AND value_minor >= 0"


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
    filters = with_currency(reading, {**filters, "sort": "value", "after": "", "risk": "", "value": ""})
    by_currency = currencies(reading)
    currency = filters["currency"] or (by_currency[0][0] if by_currency else "")
    where, values = condition({**filters, "currency": currency}, view)
    all_of_them = " AND ".join(where) if where else "1 = 1"
    ends = _value_ends(reading, all_of_them, values, currency)
    found = _cells(reading, all_of_them, values, ends)
    known = sum(customers for customers, _ in found.values())
    money = sum(minor for _, minor in found.values())
    many = reading.one(f"SELECT COUNT(*) FROM customers WHERE {all_of_them}", values)[0]
    most = max((minor for _, minor in found.values()), default=0) or 1
    names = [_money_band(low, high, currency) for low, high in _pairs(ends)]

    def cell(risk: int, value: int) -> HeatCell:
        customers, minor = found.get((risk, value), (0, 0))
        if not customers:
            return HeatCell("–")
        chosen = {"risk": band(*_pairs(RISK_ENDS)[risk]), "value": band(*_pairs(ends)[value])}
        address = url(LIST_PATH, {**filters, "currency": currency, **chosen})
        return HeatCell(f"{customers:,}", math.sqrt(minor / most), address, more=estimate(minor, currency))

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
        unknown=many - known,
        total=estimate(money, currency),
        chips=chips({**filters, "sort": ""}, PATH),
        choices=filter_choices(filters, view),
        filters=dict(filters),
    )


def _pairs(ends: Sequence[int]) -> list[tuple[int | None, int | None]]:
    """The bands between ends; the first and the last are open."""
    return [*zip([None, *ends], [*ends, None], strict=True)]


def _value_ends(
    reading: Reading, where: str, values: Sequence[str | int | float], currency: str
) -> list[int]:
    """Fifths of the customers by value, rounded to two digits, in minor units, ascending and each once."""
    sql = f"SELECT COUNT(*) FROM customers WHERE {where} AND {BOUGHT}"
    customers = reading.one(sql, values)[0]
    ends = set()
    for fifth in range(1, BANDS):
        sql = (
            f"SELECT value_minor FROM customers WHERE {where} AND {BOUGHT} "
            "ORDER BY value_minor, customer LIMIT 1 OFFSET ?"
        )
        found = reading.rows(sql, [*values, customers * fifth // BANDS]) if customers else []
        ends |= {_rounded(minor) for (minor,) in found}
    return sorted(ends - {0})


def _rounded(minor: int) -> int:
    """To two digits: ends that people can read."""
    if minor <= 0:
        return 0
    step: int = 10 ** max(0, int(math.log10(minor)) - 1)
    return round(minor / step) * step


def _cells(
    reading: Reading, where: str, values: Sequence[str | int | float], ends: Sequence[int]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Bands of risk and value -> customers and the sum of their values."""
    risk = _place("risk", len(RISK_ENDS))
    value = _place("value_minor", len(ends))
    sql = (
        f"SELECT {risk}, {value}, COUNT(*), SUM(value_minor) FROM customers WHERE {where} AND {BOUGHT} "
        "GROUP BY 1, 2"
    )
    rows = reading.rows(sql, [*(end / 100 for end in RISK_ENDS), *ends, *values])
    return {(risk, value): (customers, int(minor)) for risk, value, customers, minor in rows}


def _place(column: str, ends: int) -> str:
    """SQL for the number of the band; its parameters are the ends."""
    cases = " ".join(f"WHEN {column} < ? THEN {place}" for place in range(ends))
    return f"CASE {cases} ELSE {ends} END" if ends else "0"


def _money_band(low: int | None, high: int | None, currency: str) -> str:
    if low is None:
        return f"profit under {estimate(high, currency)}" if high is not None else "any profit"
    if high is None:
        return f"from {estimate(low, currency)}"
    return f"{estimate(low, currency)} to {estimate(high, currency)}"


def _risk_band(low: int | None, high: int | None) -> str:
    if low is None:
        return f"under {high} %"
    return f"{low} % and more" if high is None else f"{low} to {high} %"
