"""Quantity and price of a line become whole pieces and minor units: exactly, rounded once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from stream.core.currency import currency_digits
from stream.importing.files.events.line_values import LineRejection
from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.row import Values
from stream.importing.files.values.amounts import CACHE_SIZE, Amount, product, rounded_to_minor, whole_number

QUANTITY_MAX = 1_000_000
MINOR_MAX = 10**13
"""Largest amount in minor units: hundreds of them stay below 2**53, the limit of exact numbers in JSON."""
PRICES = ("line_total", "unit_price")
ORDER_WORTH = ("order_total", "goods_total")
"""Fields that say what an order was worth: with one of these, a line may lack its price."""


class LineAmount(NamedTuple):
    """Quantity and amount of a line; amounts in minor units."""

    pieces: int
    returned: bool
    unit_minor: int = 0
    total_minor: int = 0
    rounding: int = 0
    """What rounding to whole minor units added, in 1e-9 of a unit."""


class AmountReader:
    """Reads quantities, prices and amounts by one mapping; results for texts that repeat are remembered."""

    def __init__(self, mapping: ColumnMapping, amount: Callable[[str], Amount | None]) -> None:
        """`amount` reads the text of a number."""
        self._mapping = mapping
        self._amount = amount
        given = {*mapping.columns, *mapping.constants}
        self._prices = [field for field in PRICES if field in given]
        self._worth = [field for field in ORDER_WORTH if field in given]
        cached = lru_cache(CACHE_SIZE)
        self._line_amount: Callable[[str, str | None, str, bool], LineAmount | LineRejection] = cached(
            self._line_amount_of
        )

    def minor(self, field: str, text: str, currency: str) -> int | LineRejection | None:
        """An amount in minor units, which may be negative; None where the cell is blank."""
        text = text.strip()
        if not text:
            return None
        found = self._amount(text)
        if found is None:
            return LineRejection("amount_unreadable", f"{field} is {text!r}")
        minor, _ = rounded_to_minor(found, self._digits(currency))
        if abs(minor) > MINOR_MAX:
            return LineRejection("amount_out_of_range", f"{field} is {text!r}")
        return minor

    def has_worth(self, values: Values, *, refund: bool) -> bool:
        """Whether the row says what its whole order, or its refund event, was worth."""
        if refund and values.get("refunded", "").strip():
            return True
        return any(values.get(field, "").strip() for field in self._worth)

    def priced(
        self, values: Values, product_id: str, currency: str, *, refund: bool
    ) -> LineAmount | LineRejection:
        """Quantity and amount of a row; without a product the price of the row is not read."""
        quantity = values.get("quantity", "1")
        if not product_id and not quantity.strip():
            quantity = "1"
        for named in self._prices:
            if named in values and (product_id or "product" not in values):
                price = values[named]
                if price and not price.isspace():
                    return self._line_amount(quantity, price, currency, named == "unit_price")
                if not self.has_worth(values, refund=refund):
                    return self._line_amount(quantity, "", currency, False)
                break  # a blank price is allowed where the order has a total
        return self._line_amount(quantity, None, currency, False)

    def _line_amount_of(
        self, quantity: str, price: str | None, currency: str, per_piece: bool
    ) -> LineAmount | LineRejection:
        """Exact, rounded once. A quantity that is not whole (weight, length) counts as one piece."""
        pieces = self._amount(quantity)
        if pieces is None or (why := self._quantity_fault(pieces)):
            unread = "quantity_unreadable" if quantity.strip() else "quantity_missing"
            return LineRejection(unread if pieces is None else why, quantity)
        count, returned = abs(whole_number(pieces) or 1), pieces[0] < 0
        if price is None:
            return LineAmount(count, returned)
        amount = self._amount(price)
        if amount is None:
            return LineRejection("price_unreadable" if price.strip() else "price_missing", price)
        if returned and (amount[0] == 0 or (amount[0] < 0 and per_piece)):
            why = "return_without_value" if amount[0] == 0 else "signs_contradict"
            return LineRejection(why, f"quantity {quantity} at a price of {price}")
        digits = self._digits(currency)
        exact = product((abs(pieces[0]), pieces[1]), amount) if per_piece else amount
        total, rounding = rounded_to_minor(exact, digits)
        if abs(total) > MINOR_MAX:
            return LineRejection("amount_out_of_range", f"quantity {quantity} at a price of {price}")
        unit = (
            rounded_to_minor(amount, digits)[0] if per_piece and pieces[1] == 0 else _per_piece(total, count)
        )
        return LineAmount(count, returned, unit, total, rounding)

    def _digits(self, currency: str) -> int:
        return 0 if self._mapping.money.minor_units else currency_digits(currency)

    def _quantity_fault(self, pieces: Amount) -> str:
        """Why a number cannot be the quantity of a line; empty where it can."""
        if pieces[0] == 0:
            return "quantity_zero"
        if abs(pieces[0]) > QUANTITY_MAX * 10 ** pieces[1]:
            return "quantity_too_large"
        return "quantity_negative" if pieces[0] < 0 and not self._mapping.returns.negative_quantity else ""


def _per_piece(total: int, pieces: int) -> int:
    """total / pieces, rounded half away from zero."""
    price = (abs(total) + pieces // 2) // pieces
    return -price if total < 0 else price
