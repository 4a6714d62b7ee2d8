"""A row becomes one line of an order: exactly, or it is rejected with a reason. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from stream.importing.files.events.event_ids import content_hash
from stream.importing.files.events.line_amounts import PRICES, AmountReader, LineAmount
from stream.importing.files.events.line_values import ID_MAX, LineRejection, LineValues, order_fault
from stream.importing.files.events.order_extras import (
    CREDIT_TOTAL,
    GOES_BACK,
    ORDER_AMOUNTS,
    REFUNDED_AT,
    WHOLE_REFUND,
    Extras,
    ExtrasReader,
)
from stream.importing.files.events.order_line import NO_TIME, OWN_ORDER, LinePlace, OrderLine
from stream.importing.files.events.statuses import StatusReader, has_statuses
from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.row import Values
from stream.importing.files.values.amounts import CACHE_SIZE, MarkDoubt, amount_reader
from stream.importing.files.values.instants import DayDoubt, instant_reader
from stream.importing.files.values.leading_zeros import ZerosDoubt, padded
from stream.importing.files.zones import zone_doubt

NO_ORDER = LineRejection("order_missing", "the cell is blank, or stands for no order")


NO_AMOUNT = LineAmount(1, returned=False)
"""Of a cancelled line that cannot be read as a line of its order: often its quantity is 0."""
WHOLE = LineAmount(1, returned=True)
"""The amount of a refund of a whole order, which only the order knows."""
LineKeys = tuple[str, str, int, int, str, str]
"""The first fields of an order line: order, customer, sequence, time, currency, product."""


class LineReader:
    """Reads order lines by one mapping."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self.day_doubt = DayDoubt()
        """What the times of the rows show of the order of day and month."""
        self._instant = instant_reader(mapping.time, self.day_doubt)
        self.mark_doubt = MarkDoubt(mapping.money.mark)
        """What the amounts of the rows show of the decimal mark."""
        amount = amount_reader(mapping.money, self.mark_doubt)
        self._values = LineValues(mapping, amount)
        self._amounts = AmountReader(mapping, amount)
        self._extras = ExtrasReader(mapping, self._amounts)
        given = {*mapping.columns, *mapping.constants}
        self._money = [field for field in (*PRICES, *ORDER_AMOUNTS) if field in given]
        self._product_field = "product" if "product" in given else "name"
        """Products without an id are known by their name."""
        statuses = StatusReader(mapping, instant_reader(mapping.time)) if has_statuses(mapping) else None
        self._status = statuses.status if statuses is not None else None
        self._block = 0
        self._last_order = self._last_customer = ""
        self._prefix = mapping.returns.order_prefix
        self._source = mapping.source
        self._own_orders = mapping.orders.missing == "own"
        self._number_width = mapping.orders.number_width
        self._order_zeros = ZerosDoubt()
        self._no_order = mapping.blanks("order")
        self._currency = self._values.currency_reader(self._money)
        cached = lru_cache(CACHE_SIZE)
        self._order_number: Callable[[str], str | LineRejection] = cached(self._order_number_of)
        is_id = self._product_field == "product"
        self._product = self._values.product if is_id else cached(self._product_of_name)

    @property
    def undecodable(self) -> str:
        """A text that is not in the encoding of the mapping; empty where none was seen."""
        return self._values.undecodable

    @property
    def zeros(self) -> tuple[ZerosDoubt, ZerosDoubt]:
        """What the customer ids and the order numbers show of zeros in front that were cut."""
        return self._values.zeros, self._order_zeros

    def begin_block(self) -> None:
        """Another table begins: the next line stands in another place than those of its order before it."""
        self._last_order = self._last_customer = ""

    def pass_by(self, values: Values) -> None:
        """A line that makes no order line: one of another order stands between as well."""
        order = self._order_number(values["order"]) if "order" in values else ""
        if isinstance(order, str) and order and order != self._last_order:
            self.begin_block()

    def customer(self, values: Values) -> str | LineRejection:
        """The customer id of a row."""
        return self._values.customer(values["customer"])

    def time_ms(self, values: Values) -> int | LineRejection:
        """The time of a row in milliseconds since 1970."""
        found = self._instant(values["time"].strip())
        return _time_fault(values["time"]) if found is None else found

    def amount(self, field: str, text: str, currency: str) -> int | LineRejection | None:
        """An amount in minor units, never negative; None where the cell is blank."""
        amount = self._amounts.minor(field, text, currency)
        if isinstance(amount, int) and amount < 0:
            return LineRejection("amount_out_of_range", f"{field} is {text.strip()!r}")
        return amount

    def currency(self, values: Values) -> str | LineRejection:
        """The ISO 4217 code of a row: its column, else what stands beside its amounts, else the constant."""
        return self._currency(values)

    def line(  # noqa: PLR0911 - one exit for each reason
        self, values: Values, place: LinePlace, file_name: str, *, refund: bool
    ) -> OrderLine | LineRejection:
        """Without an order column, each line is an order, named by its file and line number."""
        if isinstance(customer := self._values.customer(values["customer"]), LineRejection):
            return customer
        text = None if self._own_orders else values.get("order")
        order = (
            self._order(values, customer, file_name, place, refund=refund)
            if text is None
            else self._order_number(text)
        )
        if isinstance(order, LineRejection):
            return order
        if (time_ms := self._instant(values["time"].strip())) is None:
            return _time_fault(values["time"])
        is_whole_refund = refund and self._is_whole_refund(values)
        currency = self._currency(values)
        if isinstance(currency, LineRejection):
            if not (is_whole_refund and currency.reason == "currency_missing"):
                return currency
            currency = ""
        if isinstance(product_id := self._product(values.get(self._product_field)), LineRejection):
            return product_id
        if not (product_id or is_whole_refund) and self._needs_product(values, refund=refund):
            return LineRejection("product_missing")
        if is_whole_refund:
            amount: LineAmount | LineRejection = WHOLE
        else:
            amount = self._amounts.priced(values, product_id, currency, refund=refund)
        if isinstance(amount, LineRejection):
            return amount
        who = (order, customer, place.sequence, time_ms, currency, product_id)
        return self._built(values, place, who, amount, refund=refund)

    def cancelled(self, values: Values, place: LinePlace, file_name: str) -> OrderLine | LineRejection:
        """A line of an order, or all that is left of one, whose status says that it was cancelled."""
        if "order" not in values:
            return NO_ORDER
        line = self.line(values, place, file_name, refund=False)
        if isinstance(line, OrderLine):
            return line
        order, customer = self._order_number(values["order"]), self._values.customer(values["customer"])
        time_ms, product = self.time_ms(values), self._product(values.get(self._product_field))
        for fault in (customer, order, time_ms):
            if isinstance(fault, LineRejection):
                return fault
        who = (order, customer, place.sequence, time_ms, "", product if isinstance(product, str) else "")
        bare = {name: text for name, text in values.items() if name not in ORDER_AMOUNTS}
        return self._built(bare, place, who, NO_AMOUNT, refund=False)  # type: ignore[arg-type]

    def refused(self, values: Values, place: LinePlace, file_name: str, *, refund: bool) -> OrderLine | None:
        """What a refused line says of its order; None where it says nothing that can be read."""
        if not self._extras.has_extras or "order" not in values:
            return None
        customer = self._values.customer(values["customer"])
        if isinstance(customer, LineRejection):
            return None
        order, currency = (
            self._order(values, customer, file_name, place, refund=refund),
            self.currency(values),
        )
        if isinstance(order, LineRejection) or isinstance(currency, LineRejection):
            return None
        returned = refund or bool(self._prefix and order.startswith(self._prefix))
        extras, _ = self._extras.extras(values, currency, returned=returned, lowers=False)
        if not extras:
            return None
        if extras.get("order_total", 0) < 0:
            returned, extras[CREDIT_TOTAL] = True, -extras.pop("order_total")
        time_ms = self._instant(values["time"].strip())
        return OrderLine(
            order, customer, place.sequence, NO_TIME if time_ms is None else time_ms, currency, "",
            None, None, None, 0, 0, 0, 0, returned, refund, place.file, place.line, extras, self._block,
        )  # fmt: skip

    def _built(
        self, values: Values, place: LinePlace, who: LineKeys, amount: LineAmount, *, refund: bool
    ) -> OrderLine | LineRejection:
        order, currency = who[0], who[4]
        pieces, goes_back, unit, total, rounding = amount
        returned = refund or goes_back or bool(self._prefix and order.startswith(self._prefix))
        if returned and total < 0:
            unit, total, rounding = -unit, -total, -rounding
        extras: Extras | None = None
        status = self._status(values) if self._status is not None else None
        if isinstance(status, LineRejection):
            return status
        if self._extras.has_extras:
            extras, fault = self._extras.extras(values, currency, returned=returned, lowers=total < 0)
            if fault is not None:
                return fault
            if extras.get("order_total", 0) < 0:
                returned, extras[CREDIT_TOTAL] = True, -extras.pop("order_total")
                if total < 0:
                    unit, total, rounding = -unit, -total, -rounding
            if status is not None and status.at_ms and not extras.keys().isdisjoint(GOES_BACK):
                extras[REFUNDED_AT] = status.at_ms
        if amount is WHOLE:
            extras = {**(extras or {}), WHOLE_REFUND: True}
        if order != self._last_order or who[1] != self._last_customer:
            self._block += 1
            self._last_order, self._last_customer = order, who[1]
        name, category, brand = values.get("name"), values.get("category"), values.get("brand")
        label = self._values.label
        return OrderLine(
            *who,
            label(name) if name else None,
            label(category) if category else None,
            label(brand) if brand else None,
            pieces, unit, total, rounding, returned, refund, place.file, place.line, extras or None,
            self._block, status,
        )  # fmt: skip

    def _needs_product(self, values: Values, *, refund: bool) -> bool:
        """Whether a row without a product is incomplete: it is not where it has the total of an order."""
        return "product" in values and not self._amounts.has_worth(values, refund=refund)

    def _is_whole_refund(self, values: Values) -> bool:
        """Whether a refund names neither an amount nor a product: all of its order goes back."""
        return not any(values.get(field, "").strip() for field in (*self._money, self._product_field))

    def _order(
        self, values: Values, customer: str, file_name: str, place: LinePlace, *, refund: bool
    ) -> str | LineRejection:
        text = values.get("order")
        if text is None:
            order = f"{file_name}-{place.line}"
            return order_fault(order) or order
        number = self._order_number(text)
        if self._own_orders and not refund and number is NO_ORDER:
            return f"{OWN_ORDER}{content_hash(self._source, customer, values['time'].strip())}"
        return number

    def _order_number_of(self, text: str) -> str | LineRejection:
        order = text.strip()
        if order.lower() in self._no_order:
            return NO_ORDER
        order = padded(order, self._number_width)
        self._order_zeros.note(order)
        return order_fault(order) or order

    def _product_of_name(self, text: str | None) -> str | LineRejection:
        return self._values.product(text.strip()[:ID_MAX] if text else text)


def _time_fault(text: str) -> LineRejection:
    detail = "; ".join(filter(None, (text.strip(), zone_doubt(text))))
    return LineRejection("time_unreadable" if text.strip() else "time_missing", detail)
