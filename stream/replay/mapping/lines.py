"""One row to one line of an order: exact or refused with a reason, never guessed."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from stream.replay.mapping.mapping import Mapping
from stream.replay.mapping.rows import Values
from stream.replay.mapping.values import amounts, exponent, in_minor, instants, whole_number

ID_MAX, LABEL_MAX = 256, 256
ORDER_MAX = 100
QUANTITY_MAX = 1_000_000
MINOR_MAX = 2**53 - 1
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
    rounding: int
    """What rounding the line to whole minor units added, in 1e-9 of one."""
    returned: bool
    direct: bool
    """The row is itself a refund of the order it names."""
    file: int
    number: int
    extras: dict[str, Any] | None


class LineReader:
    """Reads the lines of orders under one mapping."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._instant = instants(mapping.time)
        self._amount = amounts(mapping.money)
        self._currencies: set[str] = set()
        given = {*mapping.columns, *mapping.constants}
        self._extra_amounts = [field for field in ORDER_AMOUNTS if field in given]
        self._extra_texts = [field for field in ORDER_TEXTS if field in given]
        self._prices_by_line = "line_total" in given or "unit_price" in given

    def customer(self, values: Values) -> str | Refusal:
        text = values["customer"].strip()
        options = self._mapping.customer
        if options.whole_number and text.endswith(".0"):
            text = text[:-2]
        if not text or text.lower() in {"nan", "null", "none"}:
            return Refusal("customer_missing")
        return self._identifier("customer", options.prefix + text, ID_MAX)

    def time_ms(self, values: Values) -> int | Refusal:
        text = values["time"].strip()
        found = self._instant(text)
        if found is None:
            return Refusal("time_unreadable" if text else "time_missing", text)
        return found

    def amount(self, field: str, text: str, currency: str) -> int | Refusal | None:
        """An amount in minor units, None where it is blank."""
        text = text.strip()
        if not text:
            return None
        found = self._amount(text)
        if found is None:
            return Refusal("amount_unreadable", f"{field} is {text!r}")
        minor, _ = in_minor(found, 1, self._digits(currency))
        if not 0 <= minor <= MINOR_MAX:
            return Refusal("amount_out_of_range", f"{field} is {text!r}")
        return minor

    def currency(self, values: Values) -> str | Refusal:
        text = values.get("currency", "")
        if text in self._currencies:
            return text
        code = text.strip().upper()
        if len(code) == 3 and code.isascii() and code.isalpha():
            self._currencies.add(code)
            return code
        return Refusal("currency_unreadable" if code else "currency_missing", code)

    def line(  # noqa: PLR0911 - one exit for each reason
        self, values: Values, place: tuple[int, int, int], unnamed: str, *, refund: bool
    ) -> Line | Refusal:
        """`place` is (sequence, file, line number); `unnamed` is the order's id where no column names it."""
        if isinstance(customer := self.customer(values), Refusal):
            return customer
        if isinstance(order := self._order(values, unnamed), Refusal):
            return order
        if isinstance(time_ms := self.time_ms(values), Refusal):
            return time_ms
        if isinstance(currency := self.currency(values), Refusal):
            return currency
        if isinstance(quantity := self._quantity(values), Refusal):
            return quantity
        if isinstance(goods := self._product(values), Refusal):
            return goods
        prefix = self._mapping.returns.order_prefix
        returned = refund or quantity < 0 or bool(prefix and order.startswith(prefix))
        pieces = abs(quantity)
        if isinstance(price := self._price(values, pieces, currency), Refusal):
            return price
        if isinstance(extras := self._extras(values, currency), Refusal):
            return extras
        return Line(
            order, customer, place[0], time_ms, currency, goods,
            _label(values, "name"), _label(values, "category"), _label(values, "brand"),
            pieces, *price, returned, refund, place[1], place[2], extras,
        )  # fmt: skip

    def _digits(self, currency: str) -> int:
        return 0 if self._mapping.money.minor_units else exponent(currency)

    def _order(self, values: Values, unnamed: str) -> str | Refusal:
        if "order" not in values:
            return unnamed
        text = values["order"].strip()
        return self._identifier("order", text, ORDER_MAX) if text else Refusal("order_missing")

    def _product(self, values: Values) -> str | Refusal:
        text = values.get("product", "").strip()
        if text:
            return self._identifier("product", text, ID_MAX)
        if "product" in values and not values.get("order_total", "").strip():
            return Refusal("product_missing")
        return ""

    @staticmethod
    def _identifier(field: str, text: str, longest: int) -> str | Refusal:
        if len(text) > longest:
            return Refusal(
                "identifier_too_long", f"{field} has {len(text)} characters, {longest} are allowed"
            )
        if UNDECODABLE in text:
            return Refusal("identifier_undecodable", f"{field} is {text!r}; is [file] encoding right?")
        return text

    def _quantity(self, values: Values) -> int | Refusal:
        text = values.get("quantity", "1").strip()
        if not text and not values.get("product", "").strip():
            return 1
        quantity = whole_number(self._amount(text))
        if quantity is None:
            return Refusal("quantity_not_whole" if text else "quantity_missing", text)
        if quantity == 0 or abs(quantity) > QUANTITY_MAX:
            return Refusal("quantity_zero" if quantity == 0 else "quantity_too_large", text)
        if quantity < 0 and not self._mapping.returns.negative_quantity:
            return Refusal("quantity_negative", text)
        return quantity

    def _price(self, values: Values, pieces: int, currency: str) -> tuple[int, int, int] | Refusal:
        """The price of one, of the line, and what rounding added; the sign is the quantity's affair."""
        if not self._prices_by_line or ("product" in values and not values["product"].strip()):
            return 0, 0, 0
        named = "line_total" if "line_total" in values else "unit_price"
        text = values[named].strip()
        found = self._amount(text)
        if not text and values.get("order_total", "").strip():
            return 0, 0, 0  # the order's total says what was paid
        if found is None:
            return Refusal("price_unreadable" if text else "price_missing", text)
        if named == "line_total":
            found = (abs(found[0]), found[1])  # a returned line's total may carry the sign
        total, rounding = in_minor(found, pieces if named == "unit_price" else 1, self._digits(currency))
        if found[0] <= 0:
            return Refusal("price_not_positive", f"{named} is {text}")
        if total > MINOR_MAX:
            return Refusal("amount_out_of_range", f"{named} is {text}")
        unit = in_minor(found, 1, self._digits(currency))[0] if named == "unit_price" else None
        return (total + pieces // 2) // pieces if unit is None else unit, total, rounding

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


def _label(values: Values, field: str) -> str | None:
    return values.get(field, "").strip()[:LABEL_MAX] or None
