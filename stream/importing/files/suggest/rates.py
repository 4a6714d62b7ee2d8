"""A column called tax or discount may hold a rate: 7.7 on every line is percent, 0.2 is a share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from stream.importing.files.mapping.mapping import MoneyOptions
from stream.importing.files.suggest.column_names import MONEY_FIELDS
from stream.importing.files.suggest.sample import ColumnSample
from stream.importing.files.suggest.time_formats import filled
from stream.importing.files.values.amounts import Amount, amount_reader

READERS = (amount_reader(MoneyOptions()), amount_reader(MoneyOptions(decimal=",")))
_ZERO: Amount = (0, 0)
RATE_MAX = 30
"""Percent: no tax on sales is higher."""
ORDERS_MIN = 2
"""Orders with one value of the column from which on it can be a rate."""
APART = 1.05
"""Ratio of the money of two orders from which on one amount of tax cannot be that of both."""
RATES_MIN = 0.5
"""Share of the orders with a tax that must contradict an amount."""


def is_share(cells: list[str]) -> bool:
    """Whether the cells are shares between 0 and 1, such as a discount of 0.2."""
    numbers = [READERS[0](text.rstrip("%")) or READERS[1](text) or _ZERO for text in filled(cells)]
    return any(number for number, _ in numbers) and all(0 <= number <= 10**scale for number, scale in numbers)


def is_tax_rate(name: str, columns: ColumnSample, fields: Mapping[str, str]) -> bool:
    """Whether orders of different worth have the same value, and no value is above 30."""
    money = next((fields[field] for field in MONEY_FIELDS if fields.get(field) in columns), None)
    taxes = [_number(text) for text in columns[name]]
    if money is None or not all(0 <= tax <= RATE_MAX for tax in taxes):
        return False
    orders = columns.get(fields.get("order", "")) or [str(at) for at in range(len(taxes))]
    worth: dict[float, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    is_total = money == fields.get("order_total")
    for tax, order, text in zip(taxes, orders, columns[money], strict=True):
        known = worth[tax][order]
        worth[tax][order] = max(known, _number(text)) if is_total else known + _number(text)
    worth.pop(0.0, None)
    with_tax = sum(len(of_orders) for of_orders in worth.values())
    contradicted = sum(len(of_orders) for of_orders in worth.values() if _differ(of_orders))
    return contradicted > 0 and contradicted >= RATES_MIN * with_tax


def _differ(worth: Mapping[str, float]) -> bool:
    amounts = [amount for amount in worth.values() if amount > 0]
    return len(amounts) >= ORDERS_MIN and max(amounts) > APART * min(amounts)


def _number(text: str) -> float:
    """0 where the cell is no number. Percent signs are left out."""
    plain = text.strip().rstrip("%").strip()
    digits, scale = READERS[0](plain) or READERS[1](plain) or _ZERO
    return float(digits / 10**scale)
