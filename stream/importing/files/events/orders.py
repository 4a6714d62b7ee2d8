"""The lines of one order become one draft of a purchase; its returned lines become drafts of refunds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from msgspec import structs

from stream.importing.files.events.line_values import LineRejection
from stream.importing.files.events.order_extras import (
    ADDED,
    CREDIT_TOTAL,
    PART_REFUND,
    WHOLE_REFUND,
    Extras,
    merged_extras,
)
from stream.importing.files.events.order_line import NO_TIME, OrderLine
from stream.importing.files.events.purchases import OrderDraft
from stream.importing.files.events.repeats import (
    REPEATED,
    Reject,
    content_of,
    is_in_one_place,
    lines_that_count,
)
from stream.importing.files.events.restarts import (
    daily_orders,
    is_spread,
    local_days,
    restarted_orders,
    store_orders,
)
from stream.importing.files.events.statuses import StatusHistory, has_statuses
from stream.importing.files.mapping.mapping import ColumnMapping


class OrderBuilder:
    """Builds drafts by one mapping."""

    def __init__(
        self, mapping: ColumnMapping, reject: Reject, per_line: set[str], newest_first: Collection[int] = ()
    ) -> None:
        """`per_line`: the amounts that each line tells for itself; `newest_first`: indexes of such files."""
        self._row_is_order = mapping.items is not None
        self._apart_ms = mapping.orders.restarts_after_days * 86_400_000
        self._day_of = local_days(mapping.time.zone) if mapping.orders.restarts_daily else None
        self._reject = reject
        self._per_line = per_line
        self.restarted = 0
        """Orders whose number an earlier order of the customer had."""
        self.spread = 0  # orders whose lines are of several days
        self.of_other_stores = 0
        """Orders whose number the customer has in another store as well."""
        self._tells_stores = "affiliation" in mapping.columns and not self._row_is_order
        self.history = StatusHistory(mapping, reject, newest_first) if has_statuses(mapping) else None

    def drafts(self, orders: Iterable[list[OrderLine]]) -> Iterator[OrderDraft]:
        """Drafts from the lines of one order number at a time."""
        if self._day_of is not None:
            orders = (of_day for lines in orders for of_day in daily_orders(lines, self._day_of))
        if self._tells_stores:
            orders = (of_store for lines in orders for of_store in self._by_store(lines))
        if self.history is not None:
            orders = map(self.history.latest, orders)
        for every_line in orders:
            first = every_line[0]
            is_cut = self.history is not None and any(line.is_cancelled for line in every_line)
            if not is_cut and _is_plain(every_line) and not (self._row_is_order and len(every_line) > 1):
                yield _plain_draft(every_line)
                continue
            is_whole = first.quantity and not is_cut
            if len(every_line) == 1 and is_whole and (first.returned or first.total_minor >= 0):
                yield _draft(every_line, [], set(), whole=True)
                continue
            for lines in restarted_orders(every_line, self._apart_ms):
                self.restarted += lines is not every_line and lines[0].order != first.order
                self.spread += is_spread(lines)
                yield from self._of_one_order(lines)

    def _by_store(self, lines: list[OrderLine]) -> list[list[OrderLine]]:
        found = store_orders(lines)
        self.of_other_stores += len(found) - 1
        return found

    def _of_one_order(self, lines: list[OrderLine]) -> Iterator[OrderDraft]:
        """The currency of the first line is that of the order."""
        cancels = [line for line in lines if line.is_cancelled]
        if cancels:
            yield _cancellation(cancels, lines)
            lines = [line for line in lines if not line.is_cancelled]
        refused = [line for line in lines if not line.quantity]
        kept = [line for line in lines if line.quantity] if refused else lines
        if kept and not is_in_one_place(kept):
            kept = lines_that_count(kept, self._reject)
        kept = self._in_one_currency(kept)
        bought = [line for line in kept if not line.returned]
        if self._row_is_order:
            bought = _first_row(bought, self._reject)
        bought, credited = _split_credit(bought)
        extras = [line for line in refused if not line.returned]
        if bought or _stands_alone(extras):
            yield _draft(bought, extras, self._per_line, whole=True)
        back = [line for line in kept if line.returned] + credited
        of_refunds = [line for line in refused if line.returned]
        for part in _refunded_parts(sorted(back + of_refunds, key=_sequence) if of_refunds else back):
            parts = [line for line in part if line.quantity]
            rest = [line for line in part if not line.quantity]
            if parts or (rest[0].direct and _stands_alone(rest)):
                yield _draft(parts, rest, self._per_line, whole=not (bought or credited))

    def _in_one_currency(self, lines: list[OrderLine]) -> list[OrderLine]:
        currency = next((line.currency for line in lines if line.currency), "")
        for line in lines:
            if line.currency not in {currency, ""}:
                why = f"{line.currency} in an order in {currency}"
                self._reject(line, LineRejection("currency_differs", why))
        return [line for line in lines if line.currency in {currency, ""}]


def _split_credit(bought: list[OrderLine]) -> tuple[list[OrderLine], list[OrderLine]]:
    """Negative amounts lower their order; if that makes it negative, they become a separate credit."""
    if sum(line.total_minor for line in bought) >= 0 or _has_total(bought):
        return bought, []
    credit = [
        structs.replace(
            line,
            **{"returned": True, "unit_minor": -line.unit_minor, "total_minor": -line.total_minor},
            rounding=-line.rounding,
            extras=_negated(line.extras),
        )
        for line in bought
        if line.total_minor < 0
    ]
    return [line for line in bought if line.total_minor >= 0], credit


def _negated(extras: Extras | None) -> Extras | None:
    """The tax of a voucher line is negative; as money back it is positive."""
    if not extras:
        return extras
    return {field: abs(value) if field in ADDED else value for field, value in extras.items()}


def _has_total(lines: list[OrderLine]) -> bool:
    """Whether a column holds the total of the order."""
    return any("order_total" in line.extras for line in lines if line.extras)


def _stands_alone(refused: list[OrderLine]) -> bool:
    """Whether refused lines are enough for an order or a refund: they have its total, and its time."""
    return _has_total(refused) and min(line.time_ms for line in refused) != NO_TIME


def _first_row(lines: list[OrderLine], reject: Reject) -> list[OrderLine]:
    """Where a row is a whole order, a second row of it is a repetition; one that differs is rejected."""
    rows = [list(row) for _, row in groupby(lines, key=_row)]
    for row in rows[1:]:
        is_same = [*map(content_of, row)] == [*map(content_of, rows[0])]
        why = LineRejection("order_repeated", f"first on line {rows[0][0].number}")
        for line in row:
            reject(line, REPEATED if is_same else why)
    return rows[0] if rows else []


def _row(line: OrderLine) -> tuple[int, int]:
    return line.file, line.number


def _refunded_parts(lines: list[OrderLine]) -> Iterator[list[OrderLine]]:
    """Each row that is a refund event is one refund; the lines of a credit note are one refund together."""
    for _, part in groupby(lines, key=_refund_key):
        yield list(part)


def _refund_key(line: OrderLine) -> tuple[int, int] | int | None:
    """Lines with one key are one refund.

    What goes back at another time is a refund by itself, so that a later export, which has more of them,
    repeats those before. Lines that say something of the whole credit note (but a total below zero) stay
    together.
    """
    if line.direct:
        return line.file, line.number
    return line.time_ms if not line.extras or CREDIT_TOTAL in line.extras else None


def _sequence(line: OrderLine) -> int:
    return line.sequence


def _is_plain(lines: list[OrderLine]) -> bool:
    """Lines that were bought at one time in one currency, with nothing to be said of the whole order."""
    first = lines[0]
    at, currency, file, block = first.time_ms, first.currency, first.file, first.block
    for line in lines:
        if line.extras or line.returned or line.total_minor < 0 or not line.quantity:
            return False
        if line.time_ms != at or line.currency != currency or line.file != file or line.block != block:
            return False
    return True


def _plain_draft(lines: list[OrderLine]) -> OrderDraft:
    first = lines[0]
    return OrderDraft(
        first.customer, first.time_ms, False, first.order, first.currency, first.sequence, first.direct,
        lines, {}, (),
    )  # fmt: skip


def _draft(
    lines: list[OrderLine], refused: list[OrderLine], per_line: set[str], *, whole: bool
) -> OrderDraft:
    """`whole`: no line of the order number is in another draft, so extras of the order belong to this one."""
    first = lines[0] if lines else refused[0]
    at = first.time_ms if len(lines) == 1 else min([line.time_ms for line in lines or refused])
    if len(lines) == 1 and not refused:
        extras = first.extras or {}
    else:
        extras = merged_extras(_extras_of(lines), _extras_of(refused), per_line)
    if WHOLE_REFUND in extras and not first.returned:
        extras = _refunded_lines(lines, extras)
    counted: tuple[str, ...] = ()
    if first.returned and extras and not whole:
        counted = tuple(field for field in ADDED if field in per_line)
    elif first.returned and extras:
        counted = tuple(ADDED)
    return OrderDraft(
        first.customer, at, first.returned, first.order, first.currency, first.sequence, first.direct,
        lines, extras, counted,
    )  # fmt: skip


def _refunded_lines(lines: list[OrderLine], extras: Extras) -> Extras:
    """Where a status of some lines says refunded, and of others not, what went back is those lines."""
    back = [line for line in lines if line.extras and WHOLE_REFUND in line.extras]
    if not lines or len(back) == len(lines):
        return extras
    amount = sum(line.total_minor for line in back)
    kept = {field: value for field, value in extras.items() if field != WHOLE_REFUND}
    return {"refunded": amount, **kept} if amount > 0 else {**kept, PART_REFUND: True}


def _cancellation(cancels: list[OrderLine], lines: list[OrderLine]) -> OrderDraft:
    """The order was cancelled: not before it was placed, whatever its lines say."""
    first = min(cancels, key=lambda line: (line.changed_ms, line.sequence))
    at_ms = max([first.changed_ms, *(line.time_ms for line in lines if line.time_ms != NO_TIME)])
    return OrderDraft(
        first.customer, at_ms, True, first.order, "", first.sequence, False,
        cancels, merged_extras(_extras_of(cancels), (), set()), (), cancelled=True,
    )  # fmt: skip


def _extras_of(lines: Iterable[OrderLine]) -> Iterator[Extras]:
    return (line.extras for line in lines if line.extras)
