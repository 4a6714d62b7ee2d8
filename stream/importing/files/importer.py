"""The way of every line: it is read, joins its order, returns are matched, and events leave in time order.

Lines are sorted by customer and order on disk, so memory does not grow with the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec
from msgspec import structs

from stream.core.alerts.alert import rfc3339
from stream.core.events.event import Event
from stream.core.units import FOREVER_MS
from stream.importing.files.doubts import check_days, check_decimal_mark
from stream.importing.files.events.line_values import OTHER_FILE, LineRejection
from stream.importing.files.events.order_extras import CREDIT_TOTAL, PerLineAmounts
from stream.importing.files.events.order_line import FileDirection, LinePlace, OrderLine
from stream.importing.files.events.order_lines import LineReader
from stream.importing.files.events.orders import OrderBuilder
from stream.importing.files.events.purchases import OrderDraft
from stream.importing.files.events.repeats import LEFT_OUT, REPEATED
from stream.importing.files.events.returns import RefundMatcher
from stream.importing.files.events.single_events import EventReader, is_once_per_row
from stream.importing.files.events.statuses import CANCELLED
from stream.importing.files.external_sort import ExternalSort
from stream.importing.files.file_names import distinct_names
from stream.importing.files.mapping.mapping import ANY, IGNORED, ColumnMapping
from stream.importing.files.output.outgoing import OutgoingEvent, outgoing
from stream.importing.files.reading.choosing import ChosenLines
from stream.importing.files.reading.filling import Constants, FillDown
from stream.importing.files.reading.labels import Labels
from stream.importing.files.reading.row import HEADER_REPEATED, UnreadableRow, Values
from stream.importing.files.reading.rows import file_rows
from stream.importing.files.summary import ImportSummary
from stream.wire import FUTURE_TOLERANCE_MS, Reason

LineItem = tuple[str, str, int, OrderLine]
"""(customer, order, sequence, line): sorts the lines of a customer together, and those of an order."""
DraftItem = tuple[int, bool, str, int, OrderDraft]
"""(time in ms, whether it is a return, order, sequence of the first line, draft)."""
Converted = TypeVar("Converted", OrderLine | LineRejection, Event | LineRejection)
"""What a row becomes."""
FIRST, SECOND = itemgetter(0), itemgetter(1)
ADVANCE_EVERY = 1_000
"""Lines between two steps of the progress counter."""
WEIGHT_BYTES = 512
"""Bytes of an event that count as one item of the external sort, which bounds items in memory."""
REJECTED_REFUNDS = {"return_unmatched", "refund_without_amount"}
"""Reasons that are found when the lines of a refund are counted already."""
SECOND_HEADER = LineRejection("second_header", "the first line has neither a customer nor a time")
ORDER_TYPES = {"purchase.completed", "purchase.refunded"}


class Importer:
    """Turns files into events by one mapping; rejected lines are written to `rejects` as JSON lines."""

    def __init__(
        self,
        mapping: ColumnMapping,
        rejects: BinaryIO,
        advance: Callable[[int], None],
        lines_max: int | None = None,
        *,
        now_ms: int = FOREVER_MS,
    ) -> None:
        """`advance` is called with numbers of lines read; `lines_max` bounds the lines read of each file.

        Lines of a later time than `now_ms` are rejected, as a worker rejects their events.
        """
        self.summary = ImportSummary()
        self._mapping = mapping
        self._rejects = rejects
        self._advance = advance
        self._lines_max = lines_max
        self._now_ms = now_ms
        self._order_lines = LineReader(mapping)
        self.summary.customer_zeros, self.summary.order_zeros = self._order_lines.zeros
        self._per_line = PerLineAmounts(mapping)
        self._direction = FileDirection()
        self._single_events = EventReader(mapping, self._order_lines)
        self._labels = Labels(mapping) if mapping.values else None
        is_chosen = bool(mapping.refund_columns or mapping.skip)
        self._chosen = ChosenLines(mapping) if is_chosen else None
        self._ignores_negative = mapping.returns.negative_total == "ignore"
        self._constants = Constants(_constants_of_rows(mapping), mapping.columns)
        self._paths: Sequence[Path] = ()
        self._names: Sequence[str] = ()
        self._last_single_event = (-1, -1)
        """(file, line) of the last row that is no order line."""
        self._tells_changes = "updated" in mapping.columns
        self._built = 0

    def events(self, paths: Sequence[Path]) -> Iterator[OutgoingEvent]:
        """All events in time order; memory holds the history of one customer and one batch of each sort."""
        self._paths, self._names = paths, distinct_names(paths)
        with ExternalSort[OutgoingEvent](OutgoingEvent) as events:
            with ExternalSort[LineItem](LineItem) as lines:
                for number, path in enumerate(paths):
                    self._read(number, path, lines, events)
                check_days(paths, self._mapping, self._order_lines.day_doubt)
                self._build_orders(lines, events)
                mark = check_decimal_mark(
                    paths, self._mapping, self._order_lines.mark_doubt, self.summary.currencies
                )
                self.summary.mark_doubted = mark
            yield from self._without_repeated(events)

    def _without_repeated(self, events: Iterable[OutgoingEvent]) -> Iterator[OutgoingEvent]:
        """Rows of overlapping files that are one event, with one id, are sent once."""
        last: OutgoingEvent | None = None
        for event in events:
            is_same = last is not None and event.id == last.id and event.value == last.value
            again = msgspec.json.decode(event.value) if is_same else None
            if again is None or again["type"] in ORDER_TYPES:
                last = event
                yield event
            else:
                self.summary.count_repeated(again)

    def _read(
        self, file: int, path: Path, lines: ExternalSort[LineItem], events: ExternalSort[OutgoingEvent]
    ) -> None:
        fill_down = FillDown(self._mapping.fill_down)
        rows = islice(file_rows(path, self._mapping), self._lines_max)
        for number, row in enumerate(rows, start=1):
            if number % ADVANCE_EVERY == 0:
                self._advance(ADVANCE_EVERY)
            self.summary.lines += 1
            if isinstance(row, UnreadableRow):
                if row.reason == HEADER_REPEATED:
                    self._order_lines.begin_block()
                self._reject(file, row.line, LineRejection(row.reason, row.where_and_detail), None)
                continue
            values = fill_down.filled(row.values)
            place = LinePlace(self.summary.lines, file, row.line)
            known = self._constants.added(values)
            if self._labels is not None:
                known = self._labels.replaced(known)
            result = self._converted(known, place, lines)
            if isinstance(result, OrderLine):
                if result.status is not None:
                    self._direction.note(result)
                if "order" in known and not result.returned:
                    self.summary.shared_numbers.note(result.order, result.customer, result.time_ms)
                lines.add((result.customer, result.order, result.sequence, result))
            elif isinstance(result, LineRejection):
                self._order_lines.pass_by(known)
                is_header = number == 1 and not (values["customer"].strip() or values["time"].strip())
                self._reject(file, row.line, SECOND_HEADER if is_header else result, values)
            elif result is None:
                self._order_lines.pass_by(known)
                self.summary.ignored += 1
            else:
                self.summary.in_other_events += 1
                self._add(result, events)

    def _converted(
        self, values: Values, place: LinePlace, lines: ExternalSort[LineItem]
    ) -> OrderLine | Event | LineRejection | None:
        """A row by its event type; None where it is ignored, or where the row is an event already."""
        if self._chosen is not None and self._chosen.is_skipped(values):
            return None
        kind = "purchase.completed"
        if "event" in values:
            named = values["event"].strip()
            events = self._mapping.events
            found = events.get(named, events.get(ANY)) if "event" in self._mapping.columns else named
            if found is None:
                return LineRejection("event_not_mapped", named)
            if found == IGNORED:
                return None
            kind = found
        if kind in ORDER_TYPES or kind == CANCELLED:
            return self._order_line(kind, values, place, lines)
        row = (place.file, place.line)
        is_same_row, self._last_single_event = row == self._last_single_event, row
        if is_same_row and is_once_per_row(kind):
            return None
        return self._in_time(self._single_events.event(kind, values))

    def _order_line(
        self, kind: str, values: Values, place: LinePlace, lines: ExternalSort[LineItem]
    ) -> OrderLine | LineRejection | None:
        file_name, refund = self._names[place.file], kind == "purchase.refunded"
        if kind == CANCELLED:
            return self._in_time(self._order_lines.cancelled(values, place, file_name))
        if refund and self._chosen is not None:
            values = self._chosen.of_refund(values)
        line = self._in_time(self._order_lines.line(values, place, file_name, refund=refund))
        if isinstance(line, LineRejection):
            return self._refused(line, values, place, lines, refund=refund)
        if self._ignores_negative and not refund and line.extras and CREDIT_TOTAL in line.extras:
            return None
        if line.extras and not line.direct:
            group = (line.file, line.customer, line.order, line.time_ms, line.status)
            self._per_line.observe(group, line.extras)
        return line

    def _refused(
        self,
        why: LineRejection,
        values: Values,
        place: LinePlace,
        lines: ExternalSort[LineItem],
        *,
        refund: bool,
    ) -> LineRejection:
        """Keep what a refused line says of its whole order; the reason of its rejection then says so."""
        kept = self._order_lines.refused(values, place, self._names[place.file], refund=refund)
        if kept is None or isinstance(self._in_time(kept), LineRejection):
            return why
        lines.add((kept.customer, kept.order, kept.sequence, kept))
        facts = [field for field in kept.extras or {} if field in self._mapping.columns]
        if not facts:
            return why
        self.summary.refused_that_tell += 1
        of_order = f"what it says of its order counts: {', '.join(facts)}"
        return structs.replace(why, detail="; ".join(filter(None, (why.detail, of_order))))

    def _in_time(self, result: Converted) -> Converted | LineRejection:
        """The result, or a rejection where it lies after the as-of time."""
        if not isinstance(result, OrderLine | Event):
            return result
        at_ms = result.time_ms
        if self._tells_changes and isinstance(result, OrderLine):
            at_ms = max(at_ms, result.changed_ms)
        if at_ms > self._now_ms + FUTURE_TOLERANCE_MS:
            later = f"{rfc3339(at_ms)} is more than 5 minutes after --now {rfc3339(self._now_ms)}"
            return LineRejection(Reason.TIME_IN_FUTURE, later)
        return result

    def _build_orders(self, lines: ExternalSort[LineItem], events: ExternalSort[OutgoingEvent]) -> None:
        """Customer by customer: lines become orders, orders are sorted by time, returns are matched."""
        per_line, newest_first = self._per_line.fields, self._direction.newest_first
        builder = OrderBuilder(self._mapping, self._reject_line, per_line, newest_first)
        matcher = RefundMatcher(self._mapping, self._reject_line)
        for _, items in groupby(lines, FIRST):
            orders = ([item[3] for item in group] for _, group in groupby(items, SECOND))
            returns = is_buyer = False
            with ExternalSort[DraftItem](DraftItem) as history:
                for draft in builder.drafts(orders):
                    returns = returns or draft.returned
                    is_buyer = is_buyer or not draft.cancelled
                    weight = len(draft.lines) or 1
                    history.add((draft.time_ms, draft.returned, draft.order, draft.sequence, draft), weight)
                    self.summary.count_draft(draft)
                self.summary.buyers += is_buyer
                by_time = (item[4] for item in history)
                for event in matcher.events(by_time, returns=returns):
                    self._add(event, events)
        self.summary.undecodable = self._order_lines.undecodable
        self.summary.has_local_times = self._order_lines.day_doubt.has_local
        self.summary.orders_restarted, self.summary.orders_spread = builder.restarted, builder.spread
        self.summary.orders_by_store = builder.of_other_stores
        if builder.history is not None:
            self.summary.count_statuses(builder.history)
        self.summary.cancelled_minor = matcher.cancelled_minor
        self.summary.parts_unknown = matcher.unknown_parts
        self.summary.summed_per_line = tuple(sorted(self._per_line.found))

    def _add(self, event: Event, events: ExternalSort[OutgoingEvent]) -> None:
        self.summary.count_event(event)
        self._built += 1
        item = outgoing(event, self._built)
        events.add(item, 1 + len(item.value) // WEIGHT_BYTES)

    def _reject_line(self, line: OrderLine, why: LineRejection) -> None:
        """Reject a line that could be read, but cannot be part of an event."""
        if why is REPEATED:
            self.summary.repeated += 1
            return
        if why is LEFT_OUT:
            self.summary.ignored += 1
            return
        if why.reason in REJECTED_REFUNDS:
            self.summary.in_refunds -= 1
        self._reject(line.file, line.number, why, None)

    def _reject(self, file: int, line: int, why: LineRejection, values: Values | None) -> None:
        self.summary.rejected[why.reason] += 1
        reject: dict[str, Any] = {"file": str(self._paths[file]), "line": line, "reason": why.reason}
        if why.detail:
            other = "" if why.other_file is None else str(self._paths[why.other_file])
            reject["detail"] = why.detail.replace(OTHER_FILE, other)
        if values is not None:
            reject["values"] = values
        self._rejects.write(msgspec.json.encode(reject) + b"\n")


def _constants_of_rows(mapping: ColumnMapping) -> dict[str, str]:
    """Without the currency where LineReader adds it; most mappings then have none, and no row is copied."""
    unused = {"currency"} - mapping.columns.keys() if mapping.is_orders_only else set()
    return {name: text for name, text in mapping.constants.items() if name not in unused}
