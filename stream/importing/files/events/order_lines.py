"""A row becomes one line of an order: exactly, or it is rejected with a reason. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct

from stream.core.currency import currency_digits
from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.row import Values
from stream.importing.files.values.amounts import (
    CACHE_SIZE,
    Amount,
    amount_reader,
    product,
    rounded_to_minor,
    whole_number,
)
from stream.importing.files.values.instants import instant_reader

ID_MAX, LABEL_MAX = 256, 256
"""Characters, as the event contract allows."""
ORDER_MAX = 100
"""Characters of an order number: event ids are made of it and of the customer id."""
QUANTITY_MAX = 1_000_000
MINOR_MAX = 10**13
"""Largest amount in minor units: hundreds of them stay below 2**53, the limit of exact numbers in JSON."""
ORDER_AMOUNTS = ("order_total", "tax", "shipping", "discount", "refunded")
ORDER_TEXTS = (
    *("id", "coupon", "payment_method", "affiliation", "channel", "reason"),
    *("campaign_id", "campaign_name", "campaign_source", "campaign_medium"),
)
UNDECODABLE = "\ufffd"
"""Stands in the text for bytes that are invalid in the encoding of the file."""
RESERVED = "\x00"
"""No id begins with it: keys of Kafka records that do are reserved for the workers."""
NO_CUSTOMER = {"nan", "null", "none"}
"""Texts that data frames and databases write for a missing value."""


class LineRejection(Struct, frozen=True):
    """Why a line cannot be part of an event: a reason to count by, and what was found in the line."""

    reason: str
    detail: str = ""


class LinePlace(NamedTuple):
    """Where a line is in the input."""

    sequence: int
    """Its number over all files."""
    file: int
    """Index of the file."""
    line: int
    """Line number in the file."""


class OrderLine(Struct, frozen=True, array_like=True, gc=False):
    """One line of an order; amounts in minor units of the currency."""

    order: str
    customer: str
    sequence: int
    """Number of the line in the whole input, over all files."""
    time_ms: int
    currency: str
    product: str
    name: str | None
    category: str | None
    brand: str | None
    quantity: int
    unit_minor: int
    total_minor: int
    """Negative for a voucher or a discount line: it lowers the total of the order."""
    rounding: int
    """What rounding to whole minor units added to the line, in 1e-9 of a unit."""
    returned: bool
    direct: bool
    """The row is a refund event of the order it names, not a line that went back."""
    file: int
    """Index of the file among the imported files."""
    number: int
    """OrderLine number in the file."""
    extras: dict[str, Any] | None
    """Fields of the whole order that stand on this line: ORDER_AMOUNTS and ORDER_TEXTS."""


class LineAmount(NamedTuple):
    """Quantity and amount of a line; amounts in minor units."""

    pieces: int
    returned: bool
    unit_minor: int = 0
    total_minor: int = 0
    rounding: int = 0


class LineReader:
    """Reads order lines by one mapping; results for texts that repeat are remembered."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self._mapping = mapping
        self._instant = instant_reader(mapping.time)
        self._amount = amount_reader(mapping.money)
        given = {*mapping.columns, *mapping.constants}
        self._extra_amounts = [field for field in ORDER_AMOUNTS if field in given]
        self._extra_texts = [field for field in ORDER_TEXTS if field in given]
        self._has_extras = bool(self._extra_amounts or self._extra_texts)
        self._prices = [field for field in ("line_total", "unit_price") if field in given]
        self._prefix = mapping.returns.order_prefix
        self._default_currency = mapping.constants.get("currency", "")
        cached = lru_cache(CACHE_SIZE)
        self._customer: Callable[[str], str | LineRejection] = cached(self._customer_of)
        self._currency: Callable[[str], str | LineRejection] = cached(_currency_of)
        self._product: Callable[[str | None], str | LineRejection] = cached(_product_of)
        self._line_amount: Callable[[str, str | None, str, bool], LineAmount | LineRejection] = cached(
            self._line_amount_of
        )
        self._label: Callable[[str], str | None] = cached(lambda text: text.strip()[:LABEL_MAX] or None)

    def customer(self, values: Values) -> str | LineRejection:
        """The customer id of a row."""
        return self._customer(values["customer"])

    def time_ms(self, values: Values) -> int | LineRejection:
        """The time of a row in milliseconds since 1970."""
        found = self._instant(values["time"].strip())
        return _time_fault(values["time"]) if found is None else found

    def amount(self, field: str, text: str, currency: str) -> int | LineRejection | None:
        """An amount in minor units; None where the cell is blank."""
        text = text.strip()
        if not text:
            return None
        found = self._amount(text)
        if found is None:
            return LineRejection("amount_unreadable", f"{field} is {text!r}")
        minor, _ = rounded_to_minor(found, self._digits(currency))
        if not 0 <= minor <= MINOR_MAX:
            return LineRejection("amount_out_of_range", f"{field} is {text!r}")
        return minor

    def currency(self, values: Values) -> str | LineRejection:
        """The ISO 4217 code of a row, else that of the constants."""
        return self._currency(values.get("currency") or self._default_currency)

    def line(  # noqa: PLR0911 - one exit for each reason
        self, values: Values, place: LinePlace, file_name: str, *, refund: bool
    ) -> OrderLine | LineRejection:
        """Without an order column, each line is an order, named by its file and line number."""
        if isinstance(customer := self._customer(values["customer"]), LineRejection):
            return customer
        order = values["order"].strip() if "order" in values else f"{file_name}-{place.line}"
        if not order or len(order) > ORDER_MAX or UNDECODABLE in order or order.startswith(RESERVED):
            return _identifier_fault("order", order, ORDER_MAX)
        if (time_ms := self._instant(values["time"].strip())) is None:
            return _time_fault(values["time"])
        if isinstance(
            currency := self._currency(values.get("currency") or self._default_currency), LineRejection
        ):
            return currency
        if isinstance(product_id := self._product(values.get("product")), LineRejection):
            return product_id
        if not product_id and "product" in values and not values.get("order_total", "").strip():
            return LineRejection("product_missing")
        if isinstance(amount := self._priced(values, product_id, currency), LineRejection):
            return amount
        pieces, goes_back, unit, total, rounding = amount
        returned = refund or goes_back or bool(self._prefix and order.startswith(self._prefix))
        if returned and total < 0:
            unit, total, rounding = -unit, -total, -rounding
        extras = self._extras(values, currency) if self._has_extras else None
        if isinstance(extras, LineRejection):
            return extras
        name, category, brand = values.get("name"), values.get("category"), values.get("brand")
        return OrderLine(
            order, customer, place.sequence, time_ms, currency, product_id,
            self._label(name) if name else None,
            self._label(category) if category else None,
            self._label(brand) if brand else None,
            pieces, unit, total, rounding, returned, refund, place.file, place.line, extras,
        )  # fmt: skip

    def _customer_of(self, text: str) -> str | LineRejection:
        text = text.strip()
        options = self._mapping.customer
        if options.whole_number and not text.isdecimal():
            number = whole_number(self._amount(text))
            text = text if number is None else str(number)
        if not text or text.lower() in NO_CUSTOMER:
            return LineRejection("customer_missing")
        return _identifier("customer", options.prefix + text)

    def _digits(self, currency: str) -> int:
        return 0 if self._mapping.money.minor_units else currency_digits(currency)

    def _priced(self, values: Values, product_id: str, currency: str) -> LineAmount | LineRejection:
        quantity = values.get("quantity", "1")
        if not product_id and not quantity.strip():
            quantity = "1"
        for named in self._prices:
            if named in values and (product_id or "product" not in values):
                price = values[named]
                if price and not price.isspace():
                    return self._line_amount(quantity, price, currency, named == "unit_price")
                if not values.get("order_total", "").strip():
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

    def _quantity_fault(self, pieces: Amount) -> str:
        """Why a number cannot be the quantity of a line; empty where it can."""
        if pieces[0] == 0:
            return "quantity_zero"
        if abs(pieces[0]) > QUANTITY_MAX * 10 ** pieces[1]:
            return "quantity_too_large"
        return "quantity_negative" if pieces[0] < 0 and not self._mapping.returns.negative_quantity else ""

    def _extras(self, values: Values, currency: str) -> dict[str, Any] | LineRejection | None:
        extras: dict[str, Any] = {}
        for field in self._extra_amounts:
            amount = self.amount(field, values.get(field, ""), currency)
            if isinstance(amount, LineRejection):
                return amount
            if amount is not None:
                extras[field] = amount
        for field in self._extra_texts:
            if text := values.get(field, "").strip():
                extras[field] = text[:LABEL_MAX]
        return extras or None


def _per_piece(total: int, pieces: int) -> int:
    """total / pieces, rounded half away from zero."""
    price = (abs(total) + pieces // 2) // pieces
    return -price if total < 0 else price


def _time_fault(text: str) -> LineRejection:
    return LineRejection("time_unreadable" if text.strip() else "time_missing", text.strip())


def _product_of(text: str | None) -> str | LineRejection:
    return _identifier("product", text.strip()) if text else ""


def _currency_of(text: str) -> str | LineRejection:
    code = text.strip().upper()
    if len(code) == 3 and code.isascii() and code.isalpha():
        return code
    return LineRejection("currency_unreadable" if code else "currency_missing", code)


def _identifier(field: str, text: str) -> str | LineRejection:
    is_fit = len(text) <= ID_MAX and UNDECODABLE not in text and not text.startswith(RESERVED)
    return text if is_fit else _identifier_fault(field, text, ID_MAX)


def _identifier_fault(field: str, text: str, longest: int) -> LineRejection:
    if not text:
        return LineRejection(f"{field}_missing")
    if len(text) > longest:
        return LineRejection(
            "identifier_too_long", f"{field} has {len(text)} characters, {longest} are allowed"
        )
    if text.startswith(RESERVED):
        return LineRejection("identifier_reserved", f"{field} is {text!r}, which begins with a NUL")
    return LineRejection("identifier_undecodable", f"{field} is {text!r}; check the encoding in [file]")
