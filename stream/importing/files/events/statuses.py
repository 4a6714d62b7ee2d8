"""An order with a line for each status that it had counts once, by its latest status.

Exports write an order once for each change of its status, or several nightly exports are joined. Lines of one
order that are equal but for the status, and its time, are one line in several statuses. Equal lines of one
status may be two pieces: each counts. A status that cancels takes the line back, or the whole order where it
leaves nothing of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice, pairwise
from typing import Any

from msgspec import Struct, structs

from stream.importing.files.events.line_values import LineRejection
from stream.importing.files.events.order_extras import GOES_BACK, REFUNDED_AT, STATUS_FACTS, Extras
from stream.importing.files.events.order_line import LineStatus, OrderLine
from stream.importing.files.events.repeats import (
    LEFT_OUT,
    REPEATED,
    Reject,
    is_in_one_place,
    lines_that_count,
)
from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.row import Values

PAID, CANCELLED = "purchase.completed", "purchase.cancelled"
STATUS_FIELDS = ("event", "status")
"""Fields whose texts together are the status."""


def has_statuses(mapping: ColumnMapping) -> bool:
    """Whether the lines of an order can be of several statuses."""
    kinds = [*mapping.events.values(), mapping.constants.get("event")]
    return bool({"status", "updated"} & mapping.columns.keys()) or kinds.count(PAID) > 1 or CANCELLED in kinds


class StatusReader:
    """Reads the status of a line by one mapping."""

    def __init__(self, mapping: ColumnMapping, instant: Callable[[str], int | None]) -> None:
        """`instant` reads the text of a time."""
        self._instant = instant
        self._fields = [field for field in STATUS_FIELDS if field in mapping.columns]
        self._cancelling = {word for word, kind in mapping.events.items() if kind == CANCELLED}
        self._always = mapping.constants.get("event") == CANCELLED

    def status(self, values: Values) -> LineStatus | LineRejection:
        """The status; a rejection where its time cannot be read."""
        word, at_ms, updated = values.get("event", "").strip(), 0, values.get("updated", "").strip()
        if updated:
            found = self._instant(updated)
            if found is None:
                return LineRejection("time_unreadable", f"updated is {updated!r}")
            at_ms = found
        texts = [values.get(field, "").strip() for field in self._fields]
        return LineStatus("\x1f".join(texts), at_ms, self._always or word in self._cancelling)


class LineInStatuses(Struct):
    """One line of an order, and what later lines say of it."""

    first: OrderLine
    last: OrderLine
    """The line in its latest status."""
    time_ms: int
    """The earliest time of its lines."""
    extras: Extras
    versions: set[LineStatus | None]
    cancelled: OrderLine | None = None
    """The line that took it back, unless it counted again after that."""

    def supersede(self, line: OrderLine) -> None:
        """The line in a later status."""
        self.extras = _later_extras(self.extras, line, min(self.time_ms, line.time_ms))
        self.last, self.time_ms = line, min(self.time_ms, line.time_ms)
        self.versions.add(line.status)
        self.cancelled = None

    @property
    def line(self) -> OrderLine:
        """The latest status at the place, and the time, of the first."""
        first = self.first
        if self.last is first:
            return first
        place = {"sequence": first.sequence, "file": first.file, "number": first.number, "block": first.block}
        return structs.replace(self.last, **place, time_ms=self.time_ms, extras=self.extras or None)


class StatusHistory:
    """Takes one order number at a time."""

    def __init__(self, mapping: ColumnMapping, reject: Reject, newest_first: Collection[int] = ()) -> None:
        """`newest_first`: indexes of the files whose later lines are the older ones."""
        self._newest_first = newest_first
        self._each = mapping.orders.status_lines == "each"
        self._row_is_order = mapping.items is not None
        self._apart_ms = mapping.orders.restarts_after_days * 86_400_000
        self._reject = reject
        self.later = 0
        """Lines that are a later status of another line."""
        self.revived_by_place = 0
        """Orders that count although a line says cancelled, which stands earlier in the file at one time."""
        self.amounts_differ = 0
        """Orders with lines of one product that differ in status and in amount: all of them count."""

    def latest(self, lines: list[OrderLine]) -> list[OrderLine]:
        """The lines of one order in their latest status; cancelled lines only where nothing else is left."""
        status = lines[0].status
        if all(line.status == status for line in lines):
            return lines
        whole = [line for line in lines if line.quantity and not (line.direct and line.returned)]
        others = [line for line in lines if not line.quantity or (line.direct and line.returned)]
        whole = self._once_in_each_status(whole)
        kept = self._latest_record(whole) if self._row_is_order else self._latest_lines(whole)
        return sorted(kept + others, key=_place)

    def _once_in_each_status(self, lines: Sequence[OrderLine]) -> list[OrderLine]:
        """Without lines that are written again in one status, in another file or a later place."""
        by_status: dict[LineStatus | None, list[OrderLine]] = defaultdict(list)
        for line in lines:
            by_status[line.status].append(line)
        kept: list[OrderLine] = []
        for group in by_status.values():
            kept += group if is_in_one_place(group) else lines_that_count(group, self._reject)
        return sorted(kept, key=self._change)

    def _change(self, line: OrderLine) -> tuple[int, int, int]:
        """Sorts lines by when their status was reached: by its time, else by the place in the files."""
        place = -line.sequence if line.file in self._newest_first else line.sequence
        return line.changed_ms, line.file, place

    def _latest_lines(self, lines: Sequence[OrderLine]) -> list[OrderLine]:
        """`lines` in the order of their changes."""
        found: dict[tuple[Any, ...], list[LineInStatuses]] = defaultdict(list)
        begin: Counter[tuple[Any, ...]] = Counter()
        cancels: list[OrderLine] = []
        for line in lines:
            content = _content(line)
            if line.is_cancelled:
                cancels.append(line)
                self._cancel(line, found[content], found.values())
                continue
            same, key = found[content], (content, line.status)
            while begin[key] < len(same) and line.status in same[begin[key]].versions:
                begin[key] += 1
            earlier = None if self._each else _free(same, begin[key], line.status)
            if earlier is None:
                same.append(LineInStatuses(line, line, line.time_ms, line.extras or {}, {line.status}))
            else:
                self._supersede(earlier.last)
                earlier.supersede(line)
        return self._left([one for same in found.values() for one in same], cancels)

    def _supersede(self, line: OrderLine) -> None:
        self.later += 1
        self._reject(line, REPEATED)

    def _cancel(
        self, line: OrderLine, same: list[LineInStatuses], every: Iterable[list[LineInStatuses]]
    ) -> None:
        """A cancelled line takes back the line that it equals, else those of its product, else all."""
        if same or self._each:
            one = next((one for one in same if one.cancelled is None), None)
            if one is not None and not self._each:
                one.cancelled = line
            return
        live = [one for group in every for one in group if one.cancelled is None and not one.last.returned]
        if line.product:
            is_bare = not line.currency
            hit = [one for one in live if one.last.product == line.product]
            hit = [one for one in hit if is_bare or line.quantity >= one.last.quantity]
        else:
            hit = self._of_last_visit(live)
        for one in hit:
            one.cancelled = line

    def _of_last_visit(self, live: list[LineInStatuses]) -> list[LineInStatuses]:
        """Of an order number that started again, the lines of the latest order."""
        by_time = sorted(live, key=lambda one: -one.time_ms)
        for at, (one, before) in enumerate(pairwise(by_time), start=1):
            if one.time_ms - before.time_ms > self._apart_ms:
                return by_time[:at]
        return by_time

    def _left(self, found: list[LineInStatuses], cancels: list[OrderLine]) -> list[OrderLine]:
        """What goes on; where nothing does, what was bought, and the lines that say that it was cancelled."""
        live = [one for one in found if one.cancelled is None and not one.last.returned]
        self.amounts_differ += _differ_in_amount(found)
        if not live:
            return [one.line for one in found] + cancels
        self.revived_by_place += any(self._is_revived(one.last, line) for one in live for line in cancels)
        for one in found:
            if one.cancelled is not None:
                self._supersede(one.last)
        for line in cancels:
            self._reject(line, LEFT_OUT)
        return [one.line for one in found if one.cancelled is None]

    def _is_revived(self, line: OrderLine, cancel: OrderLine) -> bool:
        """Whether a line counts after it was cancelled, by the order of the lines in the file alone."""
        is_about = cancel.product in {"", line.product} and cancel.changed_ms == line.changed_ms
        return is_about and self._change(cancel) < self._change(line)

    def _latest_record(self, lines: Sequence[OrderLine]) -> list[OrderLine]:
        """Of an order that is one record, the record with the latest status, whatever else it says."""
        if self._each or not lines:
            return list(lines)
        bought = [line for line in lines if not line.is_cancelled]
        cancels = [line for line in lines if line.is_cancelled]
        if lines[-1].is_cancelled:
            kept = [line for line in bought if line.status == bought[-1].status]
        else:
            kept = [line for line in bought if line.status == lines[-1].status]
            for line in cancels:
                self._reject(line, LEFT_OUT)
            cancels = []
        if len(kept) < len(bought):
            for line in bought:
                if line.status != kept[0].status:
                    self._supersede(line)
            began_ms = min(line.time_ms for line in bought)
            kept = [
                structs.replace(line, time_ms=began_ms, extras=_later_extras({}, line, began_ms) or None)
                for line in kept
            ]
        return kept + cancels


def _free(same: list[LineInStatuses], begin: int, status: LineStatus | None) -> LineInStatuses | None:
    """The first equal line that was not in this status yet; a cancelled one only if there is no other."""
    first = None
    for one in islice(same, begin, None):
        if status in one.versions:
            continue
        if one.cancelled is None:
            return one
        first = first or one
    return first


def _content(line: OrderLine) -> tuple[Any, ...]:
    """What the line says of itself, but for its status and its times; totals of the order are of a status."""
    return (
        *(line.product, line.quantity, line.unit_minor, line.total_minor, line.currency, line.returned),
        *(line.name, line.category, line.brand),
    )


def _later_extras(earlier: Extras, line: OrderLine, began_ms: int) -> Extras:
    """What is true of the whole order after a later status of one of its lines."""
    later = line.extras or {}
    merged = {field: value for field, value in earlier.items() if field not in STATUS_FACTS} | later
    if "id" in earlier:
        merged["id"] = earlier["id"]
    if not merged.keys() & GOES_BACK:
        return merged
    is_same = all(earlier.get(field) == merged.get(field) for field in GOES_BACK)
    if is_same and REFUNDED_AT in earlier:
        merged[REFUNDED_AT] = earlier[REFUNDED_AT]
    elif not is_same and line.changed_ms > began_ms:
        merged[REFUNDED_AT] = line.changed_ms
    return merged


def _differ_in_amount(found: list[LineInStatuses]) -> bool:
    """Whether a product has lines of different amounts that have no status in common."""
    by_product: dict[str, list[LineInStatuses]] = defaultdict(list)
    for one in found:
        if not one.last.returned:
            by_product[one.last.product].append(one)
    return any(
        not same[0].versions & one.versions and _content(same[0].first) != _content(one.first)
        for same in by_product.values()
        for one in same[1:]
    )


def _place(line: OrderLine) -> int:
    return line.sequence
