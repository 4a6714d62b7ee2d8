"""The read store: a copy of the rows that pages look at, which can be thrown away and built again.

One thread writes, several read. What is written together appears together, with the offsets of the records
that it came from. A store knows which source it was filled from and by which version of the tables; when
either is another, or filling was interrupted, `open_for` empties it and says so.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple, cast

from msgspec import Struct, field

from stream.page.entries import AlertEntry, CustomerEntry, OpenEntry, ProfileEntry, UnseenEntry
from stream.page.masks import Masks
from stream.page.remarks import ActionEntry, ErasureEntry, MuteEntry, NotCounted
from stream.page.store.differences import (
    Differences,
    alerts_moved,
    customers_moved,
    differences,
    rows_named,
    rows_of,
    update_statement,
)
from stream.page.store.erasures import erasures_of, own_pseudonyms
from stream.page.store.notes import StoreNotes
from stream.page.store.tables import (
    ACTIONS,
    ALERTS,
    CELLS,
    COUNT_ALL,
    CUSTOMERS,
    ERASURES,
    MASKS,
    MUTES,
    NOT_COUNTED,
    OPEN_ALERTS,
    OPEN_CELLS,
    PROFILES,
    PUT_OFFSETS,
    STORE_VERSION,
    UNSEEN,
    StoreTable,
    late_statements,
    upsert,
)
from stream.pseudonyms import ERASED, Pseudonyms

Row = tuple[Any, ...]
Place = tuple[str, int]
"""A topic and a partition number."""


class ReadUpTo(NamedTuple):
    """How far a partition was read."""

    next: int
    """The offset of the next record."""
    epoch: int = 0
    """The latest of the partition's writers that was read of (stream/engine/state/epoch.py)."""


class StoreError(Exception):
    """The store cannot be used; the text names it and says why."""


class Batch(Struct):
    """What is written in one transaction. Open alerts of its customers replace those they had before."""

    customers: list[CustomerEntry] = field(default_factory=list)
    profiles: list[ProfileEntry] = field(default_factory=list)
    """Of those of its customers whose profile is another one than before."""
    opened: list[OpenEntry] = field(default_factory=list)
    alerts: list[AlertEntry] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    """Customers who have no profile any more."""
    unseen: list[UnseenEntry] = field(default_factory=list)
    """Customers whom this program cannot look at."""
    actions: list[ActionEntry] = field(default_factory=list)
    mutes: list[MuteEntry] = field(default_factory=list)
    erasures: list[ErasureEntry] = field(default_factory=list)
    """Of these customers nothing from before the erasure is kept, whatever is read later. The table has a
    pseudonym of each, not the id."""
    not_counted: list[NotCounted] = field(default_factory=list)
    offsets: dict[Place, ReadUpTo] = field(default_factory=dict)
    """Where reading goes on after the records that this batch came from."""
    notes: dict[str, str] = field(default_factory=dict)
    """Names and texts that the source keeps in the store."""


class Reading(ABC):
    """Reads of one short transaction: all of them see the same state."""

    @abstractmethod
    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query with `?` as placeholders; ask for a bounded number (LIMIT)."""

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row:
        """The only row of a query, such as a count."""
        (row,) = self.rows(sql, parameters)
        return row


class ReadStore(StoreNotes):
    """The store; writing is for one thread only, reading for any."""

    masks: Masks | None = None
    """How ids are masked on pages; set it before `open_for`."""
    in_order_of, before_all = "customer", cast(str | int, "")
    """A column in whose order all rows are gone through, and what is before all of its values."""
    _inside = False
    """Between the beginning and the end of what is written together."""
    _counts: bool | None = None
    """Whether cells are kept up with the rows; None: not known yet."""
    pseudonyms = Pseudonyms("", ERASED)
    """By which it knows customers who were erased; without a key it makes one of its own."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Reading]:
        """A short transaction for reading; a long one would keep old states of the store from being freed."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the store; it stays for the next process."""

    @property
    def log_bytes(self) -> int:
        """Size of the write-ahead log; 0 where the store has none of its own."""
        return 0

    @abstractmethod
    def _own_reading(self) -> Reading:
        """Reads what is written so far, inside `together`."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[None]:
        """All statements inside appear together or not at all."""

    def _delete(self, table: StoreTable, customers: Sequence[str]) -> None:
        """Take away the rows of these customers."""
        self._run(f"DELETE FROM {table.name} WHERE customer = ?", [(one,) for one in customers])

    def _put(self, table: StoreTable, rows: Sequence[Row]) -> None:
        """Add rows, or replace those with the same key."""
        if rows:
            self._run(upsert(table), rows)

    def _add(self, table: StoreTable, rows: Sequence[Row]) -> None:
        """Add rows whose keys are not there."""
        self._put(table, rows)

    @abstractmethod
    def _make_tables(self) -> None:
        """Take away what there is, and make empty tables."""

    def open_for(self, source: str, *, growing: bool = False) -> bool:
        """True when the store holds all of this source (the fingerprint of what is read, and of how); else it
        is empty now. `growing`: of a source that goes on, what was read so far is enough: `positions` says
        how far."""
        wanted = {"version": str(STORE_VERSION), "source": self._under_masks(source)}
        wanted |= {} if growing else {"complete": "1"}
        if {name: text for name, text in self._meta().items() if name in wanted} == wanted:
            return True
        self.empty(source)
        return False

    def empty(self, source: str) -> None:
        """Make the store an empty one of this source."""
        with self.together():
            self._make_tables()
            source = self._under_masks(source)
            self._note(version=str(STORE_VERSION), source=source, complete="0", indexed="0")
        self._counts = False

    def index(self) -> None:
        """Make the indexes and the counts that filling does without; until then pages look through whole
        tables."""
        with self.together():
            for statement in [*late_statements(), *COUNT_ALL]:
                self._run(statement, [()])
            self._note(indexed="1")
        self._counts = True

    def _under_masks(self, source: str) -> str:
        return source if self.masks is None else f"{source} {self.masks.fingerprint}"

    @contextmanager
    def together(self) -> Iterator[Reading]:
        """What is written inside appears together or not at all; yields a view of what is written so far."""
        if self._inside:
            yield self._own_reading()
            return
        with self._transaction():
            self._inside = True
            try:
                yield self._own_reading()
            finally:
                self._inside = False

    def write(self, batch: Batch) -> None:
        """Put a batch into the store, in one transaction."""
        with self.together() as own:
            named, erased_ms = self._erasures(batch, own)
            self._write_customers(batch, own)
            for table, entries in _by_table(batch):
                self._put(table, rows_of(entries))
            self._put(ERASURES, rows_of(named))
            self._forget_erased(batch, erased_ms)
            self._run(PUT_OFFSETS, [(*place, *position) for place, position in batch.offsets.items()])
            self._note(**batch.notes)

    def _write_customers(self, batch: Batch, own: Reading) -> None:
        """The rows of customers, their open alerts and profiles, as far as they differ from what is there."""
        touched = {entry.customer for entry in batch.customers}
        hidden = {entry.customer for entry in batch.unseen}
        replaced = touched.union(hidden, batch.erased)
        unseen = {row[0] for row in rows_named(UNSEEN, replaced, own.rows)}
        before = rows_named(CUSTOMERS, replaced, own.rows)
        known = {row[0] for row in before}
        changed = differences(CUSTOMERS, before, rows_of(batch.customers), replaced)
        self._write_differences(CUSTOMERS, changed)
        others = {entry.customer for entry in batch.opened} - touched
        there = rows_named(OPEN_ALERTS, known | others, own.rows)
        opened = differences(OPEN_ALERTS, there, rows_of(batch.opened), replaced)
        self._write_differences(OPEN_ALERTS, opened)
        self._count(changed, opened)
        self._delete(UNSEEN, [*(unseen - hidden)])
        self._put(UNSEEN, rows_of(batch.unseen))
        if self.masks is not None:
            self._put(MASKS, [(each, self.masks.of(each)) for each in sorted((touched | hidden) - known)])
            self._delete(MASKS, [*({*batch.erased} - hidden)])
        profiles, stored = sorted(rows_of(batch.profiles)), known | unseen
        self._delete(PROFILES, batch.erased)
        self._add(PROFILES, [row for row in profiles if row[0] not in stored])
        self._put(PROFILES, [row for row in profiles if row[0] in stored])

    def _write_differences(self, table: StoreTable, found: Differences) -> None:
        keys = " AND ".join(f"{name} = ?" for name in table.key)
        self._run(f"DELETE FROM {table.name} WHERE {keys}", found.removed)
        for columns, rows in found.updated.items():
            self._run(update_statement(table, columns), rows)
        self._add(table, found.added)

    def _count(self, customers: Differences, opened: Differences) -> None:
        """Keep up the counts. While a store is filled nothing is counted: `index` counts all at once."""
        if self._counts is None:
            self._counts = self.is_indexed
        if self._counts:
            self._put(CELLS, customers_moved(customers))
            self._put(OPEN_CELLS, alerts_moved(opened))
            if customers.before or opened.before:
                self._run("DELETE FROM cells WHERE customers = 0", [()])
                self._run("DELETE FROM open_cells WHERE alerts = 0", [()])

    def _erasures(self, batch: Batch, own: Reading) -> tuple[list[ErasureEntry], dict[str, int]]:
        words: list[AlertEntry | ActionEntry | MuteEntry] = [*batch.alerts, *batch.actions, *batch.mutes]
        touched = {entry.customer for entry in words}
        names = lambda: self.pseudonyms or own_pseudonyms(own.rows, self._note)  # noqa: E731
        return erasures_of(batch.erasures, touched, names, own.rows)

    def _forget_erased(self, batch: Batch, erased_ms: Mapping[str, int]) -> None:
        """Alerts and words of customers from before their erasure."""
        for table in (ALERTS, ACTIONS, MUTES):
            self._run(f"DELETE FROM {table.name} WHERE customer = ? AND at_ms <= ?", list(erased_ms.items()))

    def forget(self, customers: Sequence[str], before_ms: int) -> None:
        """Take away alerts and words of these customers, and all alerts from before an instant."""
        with self.together():
            for table in (ALERTS, ACTIONS, MUTES):
                self._delete(table, customers)
            self._run("DELETE FROM alerts WHERE at_ms < ?", [(before_ms,)])

    def positions(self) -> dict[Place, ReadUpTo]:
        """How far each partition was read; empty for a source that does not go on."""
        with self.reading() as reading:
            found = reading.rows("SELECT topic, place, next, epoch FROM offsets")
        return {(topic, place): ReadUpTo(following, epoch) for topic, place, following, epoch in found}

    def finish(self, as_of_ms: int, notes: Sequence[str] = ()) -> None:
        """Say that all of the source was written, as of which instant, and what is to be said of it."""
        if not self.is_indexed:
            self.index()
        with self.together():
            self._note(as_of_ms=str(as_of_ms), notes=json.dumps(list(notes)), complete="1")


def _by_table(batch: Batch) -> Iterator[tuple[StoreTable, Sequence[Struct]]]:
    yield ALERTS, batch.alerts
    yield ACTIONS, batch.actions
    yield MUTES, batch.mutes
    yield NOT_COUNTED, batch.not_counted
