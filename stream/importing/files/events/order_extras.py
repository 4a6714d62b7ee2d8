"""What a row says of its whole order: totals, tax, shipping, discounts, refunds, coupon, campaign.

These extras are of the order, not of the line: they survive when the line itself is refused. Amounts that
differ within an order are of each line, and are summed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stream.importing.files.events.line_amounts import AmountReader
from stream.importing.files.events.line_values import LABEL_MAX, LineRejection
from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.row import Values

LineGroup = tuple[int, str, str, int, object]
"""File, customer, order number, time and status of a line: a number may start again, a refund may repeat it,
and the amounts of an order may differ between its statuses."""
Extras = dict[str, Any]
"""Field -> text, or whole minor units."""
ORDER_AMOUNTS = ("order_total", "goods_total", "tax", "shipping", "discount", "refunded")
ORDER_TEXTS = (
    *("id", "coupon", "payment_method", "affiliation", "channel", "reason"),
    *("campaign_id", "campaign_name", "campaign_source", "campaign_medium"),
)
SUMMED = {*ORDER_AMOUNTS, "credit_total"}
"""Amounts that are summed where they differ within an order."""
ADDED = {"tax": 1, "shipping": 1, "discount": -1}
"""Field -> its sign in what was paid: lines + tax + shipping - discount."""
NEVER_NEGATIVE = {"discount", "refunded"}
"""Written with a minus by some shops; either way the amount that was taken off or given back."""
WHOLE_REFUND = "whole_refund"
"""A fact without a column: all of the order goes back, and no amount says how much that is."""
CREDIT_TOTAL = "credit_total"
"""A fact without a column: the order total of a line was below zero, so this much goes back."""
PART_REFUND = "part_refund"
"""A fact without a column: part of the order went back, and no amount says how much."""
GOES_BACK = {"refunded", WHOLE_REFUND, PART_REFUND}
"""What says that money went back of an order that is a line of its own."""
REFUNDED_AT = "refunded_at_ms"
"""A fact without a column: when the status was reached that says so, ms since 1970."""
STATUS_FACTS = {WHOLE_REFUND, PART_REFUND, REFUNDED_AT}
"""What only the latest status says of an order."""
ORDERS_REMEMBERED = 65_536
"""Orders whose amounts are compared while reading: the lines of an order stand close together."""


class ExtrasReader:
    """Reads the extras of an order by one mapping."""

    def __init__(self, mapping: ColumnMapping, amounts: AmountReader) -> None:
        given = {*mapping.columns, *mapping.constants}
        self._amounts = amounts
        self._amount_fields = [field for field in ORDER_AMOUNTS if field in given]
        self._text_fields = [field for field in ORDER_TEXTS if field in given]
        self._statuses = {
            **dict.fromkeys(mapping.returns.whole_orders, WHOLE_REFUND),
            **dict.fromkeys(mapping.returns.parts_of_orders, PART_REFUND),
        }
        self.has_extras = bool(self._amount_fields or self._text_fields or self._statuses)
        """Whether rows of this mapping can have extras."""

    def extras(
        self, values: Values, currency: str, *, returned: bool, lowers: bool
    ) -> tuple[Extras, LineRejection | None]:
        """The extras that can be read, and why another cannot.

        `returned`: the line goes back, and all its amounts mean money back, whatever their sign. `lowers`:
        the line has a negative amount of its own, such as a voucher, so its tax may be negative too.
        """
        extras: Extras = {}
        fault: LineRejection | None = None
        for field in self._amount_fields:
            amount = self._amounts.minor(field, values.get(field, ""), currency)
            if amount is None:
                continue
            if isinstance(amount, int) and amount < 0 and not (field == "order_total" or lowers):
                if returned or field in NEVER_NEGATIVE or extras.get("order_total", 0) < 0:
                    amount = -amount
                else:
                    amount = LineRejection("amount_out_of_range", f"{field} is {values[field].strip()!r}")
            if isinstance(amount, LineRejection):
                fault = fault or amount
            else:
                extras[field] = abs(amount) if field in NEVER_NEGATIVE else amount
        for field in self._text_fields:
            if text := values.get(field, "").strip():
                extras[field] = text[:LABEL_MAX]
        if (status := self._statuses.get(values.get("event", "").strip())) and "refunded" not in extras:
            extras[status] = True
        return extras, fault


class PerLineAmounts:
    """Which amounts of an order the lines tell each for itself: proven when they differ within one order."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self._open = {field for field in ORDER_AMOUNTS if field in mapping.columns}
        self.fields: set[str] = set(mapping.orders.per_line)
        """The fields that are summed over the lines of an order."""
        for field in self._open:
            if mapping.items and mapping.columns[field].startswith("items."):
                self.fields.add(field)
        self._open -= self.fields
        if mapping.items:
            self._open.clear()  # the products of a JSON record share what the record says
        self.found: set[str] = set()
        """Those of the fields that no mapping names: their values differed within an order."""
        self._seen: dict[LineGroup, Extras] = {}

    def observe(self, group: LineGroup, extras: Extras) -> None:
        """Compare the amounts of a line with those of the others of its order at the same time."""
        if not self._open:
            return
        if len(self._seen) >= ORDERS_REMEMBERED:
            self._seen.clear()
        seen = self._seen.setdefault(group, {})
        for field in tuple(self._open):
            if field in extras and seen.setdefault(field, extras[field]) != extras[field]:
                self._open.discard(field)
                self.fields.add(field)
                self.found.add(field)


def merged_extras(of_lines: Iterable[Extras], of_refused: Iterable[Extras], per_line: set[str]) -> Extras:
    """The extras of an order: amounts told per line are summed, all others come from the first that has them.

    `of_refused`: extras that stand on refused lines; what belongs to such a line itself is refused with it.
    """
    extras: Extras = {}
    summed: dict[str, list[int]] = {}
    lines = list(of_lines)
    for line in lines:
        for field, value in line.items():
            extras.setdefault(field, value)
            if field in SUMMED:
                summed.setdefault(field, []).append(value)
    for field, amounts in summed.items():
        if field in per_line or len(set(amounts)) > 1:
            extras[field] = sum(amounts)
    for line in of_refused:
        for field, value in line.items():
            if field not in per_line:
                extras.setdefault(field, value)
    return extras


def added_amount(extras: Extras) -> int:
    """Tax plus shipping minus discount, in minor units."""
    return sum(sign * extras.get(field, 0) for field, sign in ADDED.items())
