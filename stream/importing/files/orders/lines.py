"""One row to one line of an order: exact or refused with a reason, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct

from stream.core.currency import currency_digits
from stream.importing.files.mapping import Mapping
from stream.importing.files.reading.instants import instants
from stream.importing.files.reading.rows import Values
from stream.importing.files.reading.values import (
    CACHED,
    Amount,
    amounts,
    in_minor,
    times,
    whole_number,
)

ID_MAX, LABEL_MAX = 256, 256
ORDER_MAX = 100
QUANTITY_MAX = 1_000_000
MINOR_MAX = 10**13
"""Of one amount: some hundred of them still add up to what a JSON reader's 2**53 holds."""
ORDER_AMOUNTS = ("order_total", "tax", "shipping", "discount", "refunded")
ORDER_TEXTS = (
    *("id", "coupon", "payment_method", "affiliation", "channel", "reason"),
    *("campaign_id", "campaign_name", "campaign_source", "campaign_medium"),
)
UNDECODABLE = "\ufffd"


class Refusal(Struct, frozen=True):
    """Why a line cannot be an event: a reason to count by, and what was found."""

    reason: str
    detail: str = ""


class Line(Struct, frozen=True, array_like=True, gc=False):
    """One line of an order; `sequence` is its place in the input."""

    order: str
    customer: str
    sequence: int
    time_ms: int
    currency: str
    product: str
    name: str | None
    category: str | None
    brand: str | None
    quantity: int
    unit_minor: int
    total_minor: int
    """Below zero where the amount is: it lowers its order."""
    rounding: int
    """What rounding the line to whole minor units added, in 1e-9 of one."""
    returned: bool
    direct: bool
    """The row is itself a refund of the order it names."""
    file: int
    number: int
    extras: dict[str, Any] | None


class Worth(NamedTuple):
    """What quantity and price of a line say."""

    pieces: int
    back: bool
    unit_minor: int = 0
    total_minor: int = 0
    rounding: int = 0


class LineReader:
    """Reads the lines of orders under one mapping; what comes again and again is understood once."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._instant = instants(mapping.time)
        self._amount = amounts(mapping.money)
        given = {*mapping.columns, *mapping.constants}
        self._extra_amounts = [field for field in ORDER_AMOUNTS if field in given]
        self._extra_texts = [field for field in ORDER_TEXTS if field in given]
        self._has_extras = bool(self._extra_amounts or self._extra_texts)
        self._prices = [field for field in ("line_total", "unit_price") if field in given]
        self._prefix = mapping.returns.order_prefix
        self._usual = mapping.constants.get("currency", "")
        cached = lru_cache(CACHED)
        self._customer: Callable[[str], str | Refusal] = cached(self._customer_of)
        self._currency: Callable[[str], str | Refusal] = cached(_currency_of)
        self._product: Callable[[str | None], str | Refusal] = cached(_product_of)
        self._worth: Callable[[str, str | None, str, bool], Worth | Refusal] = cached(self._worth_of)
        self._label: Callable[[str], str | None] = cached(lambda text: text.strip()[:LABEL_MAX] or None)

    def customer(self, values: Values) -> str | Refusal:
        return self._customer(values["customer"])

    def time_ms(self, values: Values) -> int | Refusal:
        found = self._instant(values["time"].strip())
        return _no_time(values["time"]) if found is None else found

    def amount(self, field: str, text: str, currency: str) -> int | Refusal | None:
        """An amount in minor units, None where it is blank."""
        text = text.strip()
        if not text:
            return None
        found = self._amount(text)
        if found is None:
            return Refusal("amount_unreadable", f"{field} is {text!r}")
        minor, _ = in_minor(found, self._digits(currency))
        if not 0 <= minor <= MINOR_MAX:
            return Refusal("amount_out_of_range", f"{field} is {text!r}")
        return minor

    def currency(self, values: Values) -> str | Refusal:
        return self._currency(values.get("currency") or self._usual)

    def line(  # noqa: PLR0911 - one exit for each reason
        self, values: Values, place: tuple[int, int, int], unnamed: str, *, refund: bool
    ) -> Line | Refusal:
        """`place` is (sequence, file, line number); `unnamed` begins the order's id where none is named."""
        if isinstance(customer := self._customer(values["customer"]), Refusal):
            return customer
        order = values["order"].strip() if "order" in values else f"{unnamed}-{place[2]}"
        if not order or len(order) > ORDER_MAX or UNDECODABLE in order:
            return _unusable("order", order, ORDER_MAX)
        if (time_ms := self._instant(values["time"].strip())) is None:
            return _no_time(values["time"])
        if isinstance(currency := self._currency(values.get("currency") or self._usual), Refusal):
            return currency
        if isinstance(goods := self._product(values.get("product")), Refusal):
            return goods
        if not goods and "product" in values and not values.get("order_total", "").strip():
            return Refusal("product_missing")
        if isinstance(worth := self._priced(values, goods, currency), Refusal):
            return worth
        pieces, back, unit, total, rounding = worth
        returned = refund or back or bool(self._prefix and order.startswith(self._prefix))
        if returned and total < 0:
            unit, total, rounding = -unit, -total, -rounding
        extras = self._extras(values, currency) if self._has_extras else None
        if isinstance(extras, Refusal):
            return extras
        name, category, brand = values.get("name"), values.get("category"), values.get("brand")
        return Line(
            order, customer, place[0], time_ms, currency, goods,
            self._label(name) if name else None,
            self._label(category) if category else None,
            self._label(brand) if brand else None,
            pieces, unit, total, rounding, returned, refund, place[1], place[2], extras,
        )  # fmt: skip

    def _customer_of(self, text: str) -> str | Refusal:
        text = text.strip()
        options = self._mapping.customer
        if options.whole_number and not text.isdecimal():
            number = whole_number(self._amount(text))
            text = text if number is None else str(number)
        if not text or text.lower() in {"nan", "null", "none"}:
            return Refusal("customer_missing")
        return _identifier("customer", options.prefix + text)

    def _digits(self, currency: str) -> int:
        return 0 if self._mapping.money.minor_units else currency_digits(currency)

    def _priced(self, values: Values, goods: str, currency: str) -> Worth | Refusal:
        quantity = values.get("quantity", "1")
        if not goods and not quantity.strip():
            quantity = "1"
        for named in self._prices:
            if named in values and (goods or "product" not in values):
                price = values[named]
                if price and not price.isspace():
                    return self._worth(quantity, price, currency, named == "unit_price")
                if not values.get("order_total", "").strip():
                    return self._worth(quantity, "", currency, False)
                break  # the order's total says what was paid
        return self._worth(quantity, None, currency, False)

    def _worth_of(self, quantity: str, price: str | None, currency: str, each: bool) -> Worth | Refusal:
        """Exact, and rounded once; goods by weight or length are one piece at the line's price."""
        pieces = self._amount(quantity)
        if pieces is None or (why := self._no_quantity(pieces)):
            unread = "quantity_unreadable" if quantity.strip() else "quantity_missing"
            return Refusal(unread if pieces is None else why, quantity)
        count, back = abs(whole_number(pieces) or 1), pieces[0] < 0
        if price is None:
            return Worth(count, back)
        amount = self._amount(price)
        if amount is None:
            return Refusal("price_unreadable" if price.strip() else "price_missing", price)
        if back and (amount[0] == 0 or (amount[0] < 0 and each)):
            why = "return_without_value" if amount[0] == 0 else "signs_contradict"
            return Refusal(why, f"quantity {quantity} at a price of {price}")
        digits = self._digits(currency)
        total, rounding = in_minor(times((abs(pieces[0]), pieces[1]), amount) if each else amount, digits)
        if abs(total) > MINOR_MAX:
            return Refusal("amount_out_of_range", f"quantity {quantity} at a price of {price}")
        unit = in_minor(amount, digits)[0] if each and pieces[1] == 0 else _share(total, count)
        return Worth(count, back, unit, total, rounding)

    def _no_quantity(self, pieces: Amount) -> str:
        """Why a number cannot be a line's quantity; empty where it can."""
        if pieces[0] == 0:
            return "quantity_zero"
        if abs(pieces[0]) > QUANTITY_MAX * 10 ** pieces[1]:
            return "quantity_too_large"
        return "quantity_negative" if pieces[0] < 0 and not self._mapping.returns.negative_quantity else ""

    def _extras(self, values: Values, currency: str) -> dict[str, Any] | Refusal | None:
        extras: dict[str, Any] = {}
        for field in self._extra_amounts:
            amount = self.amount(field, values.get(field, ""), currency)
            if isinstance(amount, Refusal):
                return amount
            if amount is not None:
                extras[field] = amount
        for field in self._extra_texts:
            if text := values.get(field, "").strip():
                extras[field] = text[:LABEL_MAX]
        return extras or None


def _share(total: int, pieces: int) -> int:
    share = (abs(total) + pieces // 2) // pieces
    return -share if total < 0 else share


def _no_time(text: str) -> Refusal:
    return Refusal("time_unreadable" if text.strip() else "time_missing", text.strip())


def _product_of(text: str | None) -> str | Refusal:
    return _identifier("product", text.strip()) if text else ""


def _currency_of(text: str) -> str | Refusal:
    code = text.strip().upper()
    if len(code) == 3 and code.isascii() and code.isalpha():
        return code
    return Refusal("currency_unreadable" if code else "currency_missing", code)


def _identifier(field: str, text: str) -> str | Refusal:
    return _unusable(field, text, ID_MAX) if len(text) > ID_MAX or UNDECODABLE in text else text


def _unusable(field: str, text: str, longest: int) -> Refusal:
    if not text:
        return Refusal(f"{field}_missing")
    if len(text) > longest:
        return Refusal("identifier_too_long", f"{field} has {len(text)} characters, {longest} are allowed")
    return Refusal("identifier_undecodable", f"{field} is {text!r}; is [file] encoding right?")
