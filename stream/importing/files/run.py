"""The way of a line: read, gathered into orders, returns matched, told in time order. None is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
from msgspec import Struct, field

from stream.core.events.event import RANK, Event, PurchaseCompleted, PurchaseRefunded
from stream.importing.files.external_sort import ExternalSort
from stream.importing.files.mapping import IGNORED, Mapping
from stream.importing.files.orders.lines import Line, LineReader, Refusal
from stream.importing.files.orders.orders import Draft, drafts
from stream.importing.files.orders.returns import UNMATCHED, settled
from stream.importing.files.reading.rows import Unreadable, Values, rows
from stream.importing.files.row_events import FactReader, once_a_row
from stream.wire import encode_event

LineItem = tuple[str, str, int, Line]
"""Customer, order, place in the input: a customer's lines come together, and in them an order's."""
DraftItem = tuple[int, bool, str, int, Draft]
NAMES = {kind: str(kind.__struct_config__.tag) for kind in RANK}
FIRST, SECOND = itemgetter(0), itemgetter(1)
ADVANCE_EVERY = 1_000


class Told(NamedTuple):
    """One event, ready to be written or sent; sorts into the order of time."""

    time_ms: int
    rank: int
    id: str
    sequence: int
    subject: str
    value: bytes


class Accounts(Struct):
    """Where every line went: `lines` = in_orders + in_refunds + in_other_events + ignored + rejected."""

    lines: int = 0
    in_orders: int = 0
    in_refunds: int = 0
    refunds_unmatched: int = 0
    in_other_events: int = 0
    ignored: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    orders_minor: Counter[str] = field(default_factory=Counter)
    refunds_minor: Counter[str] = field(default_factory=Counter)
    rounding: Counter[str] = field(default_factory=Counter)
    """What rounding lines to whole minor units added in all, 1e-9 of a unit, by currency."""

    def summary(self) -> dict[str, Any]:
        """Where every line went, and the money: orders - refunds - rounding = the lines, exactly."""
        return {
            "lines": {
                "in": self.lines,
                "orders": self.in_orders,
                "refunds": self.in_refunds,
                "other_events": self.in_other_events,
                "ignored": self.ignored,
                "rejected": self.rejected.total(),
            },
            "reasons": dict(sorted(self.rejected.items())),
            "events": dict(sorted(self.events.items())),
            "refunds_unmatched": self.refunds_unmatched,
            "orders_minor": dict(sorted(self.orders_minor.items())),
            "refunds_minor": dict(sorted(self.refunds_minor.items())),
            "rounding_minor": {
                currency: str(Decimal(added).scaleb(-9).normalize())
                for currency, added in sorted(self.rounding.items())
                if added
            },
        }


class Importer:
    """Turns files into events under one mapping; refused lines go to `rejects` as JSON lines."""

    def __init__(
        self,
        mapping: Mapping,
        rejects: BinaryIO,
        advance: Callable[[int], None],
        lines_max: int | None = None,
    ) -> None:
        self.accounts = Accounts()
        self._mapping = mapping
        self._rejects = rejects
        self._advance = advance
        self._lines_max = lines_max
        self._lines = LineReader(mapping)
        self._facts = FactReader(mapping, self._lines)
        self._paths: Sequence[Path] = ()
        self._last_fact = (-1, -1)
        self._told = 0

    def events(self, paths: Sequence[Path]) -> Iterator[Told]:
        """All events in time order; memory holds one customer's history and a batch of each sort."""
        self._paths = paths
        with ExternalSort[Told](Told) as told:
            with ExternalSort[LineItem](LineItem) as lines:
                for number, path in enumerate(paths):
                    self._read(number, path, lines, told)
                self._settle(lines, told)
            yield from told

    def _read(self, file: int, path: Path, lines: ExternalSort[LineItem], told: ExternalSort[Told]) -> None:
        constants, above = self._mapping.constants, Above(self._mapping.fill_down)
        by_lines = "event" not in {*self._mapping.columns, *constants}
        blanks = {name: text for name, text in constants.items() if name in self._mapping.columns}
        if by_lines:
            constants = {name: text for name, text in constants.items() if name != "currency"}
        seen = 0
        for row in islice(rows(path, self._mapping), self._lines_max):
            seen += 1
            if seen % ADVANCE_EVERY == 0:
                self._advance(ADVANCE_EVERY)
            self.accounts.lines += 1
            if isinstance(row, Unreadable):
                self._reject(file, row.line, Refusal(row.reason, row.detail), None)
                continue
            values = above.filled(row.values) if above.fields else row.values
            place = (self.accounts.lines, file, row.line)
            known = constants | values if constants else values
            for name, usual in blanks.items():
                if not known.get(name, usual).strip():
                    known = {**known, name: usual}
            if by_lines:
                found: Line | Event | Refusal | None = self._lines.line(known, place, path.name, refund=False)
            else:
                found = self._understood(known, place)
            if isinstance(found, Line):
                lines.add((found.customer, found.order, found.sequence, found))
            elif isinstance(found, Refusal):
                self._reject(file, row.line, found, values)
            elif found is None:
                self.accounts.ignored += 1
            else:
                self.accounts.in_other_events += 1
                self._tell(found, told)

    def _understood(self, values: Values, place: tuple[int, int, int]) -> Line | Event | Refusal | None:
        """A line of an order, an event by itself, a refusal, or nothing where the mapping says so."""
        kind = "purchase.completed"
        if "event" in values:
            named = values["event"].strip()
            found = self._mapping.events.get(named) if "event" in self._mapping.columns else named
            if found is None:
                return Refusal("event_not_mapped", named)
            if found == IGNORED:
                return None
            kind = found
        if kind in {"purchase.completed", "purchase.refunded"}:
            unnamed = self._paths[place[1]].name
            return self._lines.line(values, place, unnamed, refund=kind == "purchase.refunded")
        again = place[1:] == self._last_fact and once_a_row(kind)
        self._last_fact = place[1:]
        return None if again else self._facts.event(kind, values)

    def _settle(self, lines: ExternalSort[LineItem], told: ExternalSort[Told]) -> None:
        """Customer by customer: lines to orders, orders in time order, returns to the orders they fit."""
        row_is_order = self._mapping.items is not None
        for _, items in groupby(lines, FIRST):
            orders = ([item[3] for item in group] for _, group in groupby(items, SECOND))
            returns = False
            with ExternalSort[DraftItem](DraftItem) as history:
                for draft in drafts(orders, self._refuse, row_is_order=row_is_order):
                    returns = returns or draft.returned
                    first = draft.lines[0].sequence
                    history.add((draft.time_ms, draft.returned, draft.order, first, draft), len(draft.lines))
                    self._count(draft)
                in_time = (item[4] for item in history)
                for event in settled(in_time, self._mapping, self._refuse, returns=returns):
                    self._tell(event, told)

    def _count(self, draft: Draft) -> None:
        rounding = sum([line.rounding for line in draft.lines])
        if rounding:
            self.accounts.rounding[draft.currency] += -rounding if draft.returned else rounding
        if draft.returned:
            self.accounts.in_refunds += len(draft.lines)
        else:
            self.accounts.in_orders += len(draft.lines)

    def _tell(self, event: Event, told: ExternalSort[Told]) -> None:
        kind, accounts = type(event), self.accounts
        accounts.events[NAMES[kind]] += 1
        if isinstance(event, PurchaseCompleted):
            accounts.orders_minor[event.data.currency] += event.data.total_minor
        elif isinstance(event, PurchaseRefunded):
            accounts.refunds_minor[event.data.currency] += event.data.refund_minor
            if event.data.order_id.startswith(UNMATCHED):
                accounts.refunds_unmatched += 1
        self._told += 1
        value = encode_event(event)
        told.add(
            Told(event.time_ms, RANK[kind], event.id, self._told, event.subject, value), 1 + len(value) // 512
        )

    def _refuse(self, line: Line, why: Refusal) -> None:
        """A line that was read, and then could not be part of an event."""
        if why.reason == "return_unmatched":
            self.accounts.in_refunds -= 1
        self._reject(line.file, line.number, why, None)

    def _reject(self, file: int, line: int, why: Refusal, values: Values | None) -> None:
        self.accounts.rejected[why.reason] += 1
        told: dict[str, Any] = {"file": str(self._paths[file]), "line": line, "reason": why.reason}
        if why.detail:
            told["detail"] = why.detail
        if values is not None:
            told["values"] = values
        self._rejects.write(msgspec.json.encode(told) + b"\n")


class Above:
    """What the rows above of the same order already said."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = fields
        self._order = ""
        self._said: Values = {}

    def filled(self, values: Values) -> Values:
        order = values.get("order", "").strip()
        if order != self._order:
            self._order, self._said = order, {}
        for name in self.fields:
            if values.get(name, "").strip():
                self._said[name] = values[name]
        return {
            **values,
            **{name: text for name, text in self._said.items() if not values.get(name, "").strip()},
        }
