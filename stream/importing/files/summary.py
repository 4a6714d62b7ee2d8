"""What an import did: where every line went, how many events there are, and the money in them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from stream.core.events.event import (
    RANK,
    Event,
    MessageClicked,
    MessageOpened,
    PurchaseCompleted,
    PurchaseRefunded,
    type_name,
)
from stream.importing.files.events.purchases import OrderDraft
from stream.importing.files.events.returns import UNMATCHED
from stream.importing.files.events.statuses import StatusHistory
from stream.importing.files.reading.row import HEADER_REPEATED
from stream.importing.files.values.leading_zeros import ZerosDoubt
from stream.importing.files.values.shared_numbers import SharedNumbers

EMPTY_LINES = ("blank_line", HEADER_REPEATED, "second_header")
"""Reasons of rejected lines that hold no data."""
NAME_BY_TYPE = {kind: type_name(kind) for kind in RANK}


class ImportSummary(Struct):
    """Where every line went.

    `lines` = in_orders + in_refunds + in_other_events + ignored + repeated + rejected.
    """

    lines: int = 0
    in_orders: int = 0
    in_refunds: int = 0
    refunds_unmatched: int = 0
    """Refund events whose order is unknown."""
    in_other_events: int = 0
    ignored: int = 0
    """Lines that the mapping ignores."""
    repeated: int = 0
    """Lines that repeat an earlier one, which counts."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Reason -> lines."""
    events: Counter[str] = field(default_factory=Counter)
    """Event type -> events."""
    orders_minor: Counter[str] = field(default_factory=Counter)
    """Currency -> what was paid, minor units."""
    orders_by_currency: Counter[str] = field(default_factory=Counter)
    refunds_minor: Counter[str] = field(default_factory=Counter)
    """Currency -> what was refunded, minor units."""
    cancelled_minor: Counter[str] = field(default_factory=Counter)
    """Currency -> what was paid for orders that were cancelled: part of `orders_minor`, minor units."""
    later_statuses: int = 0
    """Lines that are a later status of a line of their order: part of `repeated`."""
    revived_by_place: int = 0
    """Orders that count although an earlier line of the same time says cancelled."""
    amounts_differ: int = 0
    """Orders with lines of one product that differ in status and in amount: all of them count."""
    buyers: int = 0
    """Customers with a line of an order or refund."""
    orders_restarted: int = 0
    """Orders whose number an order of the same customer had long before."""
    orders_spread: int = 0
    """Orders whose lines lie half a day or more apart."""
    refused_that_tell: int = 0
    """Rejected lines whose totals, or other facts of their whole order, count."""
    has_local_times: bool = False
    """Whether a time named no zone, so that it was taken in that of the mapping."""
    undecodable: str = ""
    """A name, category or brand with bytes that are invalid in the encoding of the mapping."""
    parts_unknown: int = 0
    """Orders of which a part went back, without an amount that says how much: they count in full."""
    summed_per_line: tuple[str, ...] = ()
    """Amounts that were found to be told by each line for itself."""
    by_programs: Counter[str] = field(default_factory=Counter)
    """Event type -> openings and clicks that a program made, not the customer: they are no sign of life."""
    customer_zeros: ZerosDoubt = field(default_factory=ZerosDoubt)
    """Customer ids that are written with and without zeros in front."""
    order_zeros: ZerosDoubt = field(default_factory=ZerosDoubt)
    """Order numbers that are."""
    shared_numbers: SharedNumbers = field(default_factory=SharedNumbers)
    """Order numbers that several customers have on one day."""
    orders_by_store: int = 0
    """Orders whose number the same customer has in another store."""
    mark_doubted: str = ""
    """An amount, where all amounts with a decimal mark have three digits after it, as thousands have."""
    rounding: Counter[str] = field(default_factory=Counter)
    """Currency -> what rounding the lines to whole minor units added in all, in 1e-9 of a minor unit."""

    @property
    def currencies(self) -> set[str]:
        """Those of the orders and of the refunds."""
        return {*self.orders_minor, *self.refunds_minor}

    @property
    def rejected_share(self) -> float:
        """Rejected lines per line that holds data, 0 to 1: blank lines and repeated headers do not count."""
        empty = sum(self.rejected[reason] for reason in EMPTY_LINES)
        return (self.rejected.total() - empty) / max(self.lines - empty, 1)

    def count_draft(self, draft: OrderDraft) -> None:
        """Count the lines of an order, or of returns that were booked together."""
        rounding = sum([line.rounding for line in draft.lines])
        if rounding:
            self.rounding[draft.currency] += -rounding if draft.returned else rounding
        if draft.cancelled:
            self.in_other_events += len(draft.lines)
        elif draft.returned:
            self.in_refunds += len(draft.lines)
        else:
            self.in_orders += len(draft.lines)

    def count_statuses(self, history: StatusHistory) -> None:
        """Take over what the statuses of the orders showed."""
        self.later_statuses = history.later
        self.revived_by_place, self.amounts_differ = history.revived_by_place, history.amounts_differ

    def count_event(self, event: Event) -> None:
        """Count an event and its money."""
        self.events[NAME_BY_TYPE[type(event)]] += 1
        if isinstance(event, PurchaseCompleted):
            self.orders_minor[event.data.currency] += event.data.total_minor
            self.orders_by_currency[event.data.currency] += 1
        elif isinstance(event, PurchaseRefunded):
            self.refunds_minor[event.data.currency] += event.data.refund_minor
            if event.data.order_id.startswith(UNMATCHED):
                self.refunds_unmatched += 1
        elif isinstance(event, MessageOpened | MessageClicked) and event.data.bot:
            self.by_programs[NAME_BY_TYPE[type(event)]] += 1

    def count_repeated(self, event: dict[str, Any]) -> None:
        """Take back an event, as it is written: its row was counted, but is the same as an earlier row."""
        self.events[event["type"]] -= 1
        self.by_programs[event["type"]] -= event["data"].get("bot", False)
        self.in_other_events -= 1
        self.repeated += 1

    def as_dict(self) -> dict[str, Any]:
        """The object of `--json`. Orders - refunds - rounding is the sum of the lines, exactly."""
        return {
            "lines": {
                "in": self.lines,
                "orders": self.in_orders,
                "refunds": self.in_refunds,
                "other_events": self.in_other_events,
                "ignored": self.ignored,
                "repeated": self.repeated,
                "rejected": self.rejected.total(),
            },
            "rejected_share": round(self.rejected_share, 4),
            "reasons": dict(sorted(self.rejected.items())),
            "events": dict(sorted(self.events.items())),
            "buyers": self.buyers,
            "by_programs": dict(sorted(self.by_programs.items())),
            "refunds_unmatched": self.refunds_unmatched,
            "orders_by_currency": dict(sorted(self.orders_by_currency.items())),
            "orders_minor": dict(sorted(self.orders_minor.items())),
            "refunds_minor": dict(sorted(self.refunds_minor.items())),
            "cancelled_minor": dict(sorted(self.cancelled_minor.items())),
            "rounding_minor": {
                currency: str(Decimal(added).scaleb(-9).normalize())
                for currency, added in sorted(self.rounding.items())
                if added
            },
        }
