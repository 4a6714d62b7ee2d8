"""The read store: a copy of the rows that pages look at, which can be thrown away and built again.

One thread writes, several read. What is written together appears together, with the offsets of the records
that it came from. A store knows which source it was filled from and by which version of the tables; when
either is another, or filling was interrupted, `open_for` empties it and says so.
"""

from __future__ import annotations

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from msgspec import Struct, field

from stream.page.entries import AlertEntry, CustomerEntry, OpenEntry, ProfileEntry, UnseenEntry
from stream.page.masks import MaskEntry, Masks
from stream.page.remarks import ActionEntry, ErasureEntry, MuteEntry, NotCounted
from stream.page.store.erasures import any_erasures, erasures_known
from stream.page.store.tables import (
    ACTIONS,
    ALERTS,
    CUSTOMERS,
    ERASURES,
    MASKS,
    MUTES,
    NOT_COUNTED,
    OPEN_ALERTS,
    PROFILES,
    STORE_VERSION,
    UNSEEN,
    StoreTable,
    count_statement,
    late_statements,
    upsert,
    values_of,
)
from stream.pseudonyms import ERASED, Pseudonyms

OWN_KEY = "erasure-key"
"""The note with the store's own key of pseudonyms."""
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
    """Customers who have no row any more."""
    unseen: list[str] = field(default_factory=list)
    """Customers who have a profile that this program cannot look at: lists are without them."""
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


class ReadStore(ABC):
    """The store; writing is for one thread only, reading for any."""

    masks: Masks | None = None
    """How ids are masked on pages; set it before `open_for`."""
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
    def _transaction(self) -> AbstractContextManager[None]:
        """All statements inside appear together or not at all."""

    @abstractmethod
    def _run(self, sql: str, rows: Sequence[Row]) -> None:
        """Run a statement once for each row of parameters."""

    def _delete(self, table: StoreTable, customers: Sequence[str]) -> None:
        """Take away the rows of these customers."""
        self._run(f"DELETE FROM {table.name} WHERE customer = ?", [(one,) for one in customers])

    def _put(self, table: StoreTable, rows: Sequence[Row]) -> None:
        """Add rows, or replace those with the same key."""
        self._run(upsert(table), rows)

    @abstractmethod
    def _make_tables(self) -> None:
        """Take away what there is, and make empty tables."""

    @abstractmethod
    def _meta(self) -> Mapping[str, str]:
        """What the store knows of itself; empty where it has no tables, or cannot be read as a store."""

    def open_for(self, source: str, *, growing: bool = False) -> bool:
        """True when the store holds all of this source (the fingerprint of what is read, and of how); else it
        is empty now. `growing`: of a source that goes on, what was read so far is enough: `positions` says
        how far."""
        wanted = {
            "version": str(STORE_VERSION),
            "source": self._under_masks(source),
            **({} if growing else {"complete": "1"}),
        }
        if {name: text for name, text in self._meta().items() if name in wanted} == wanted:
            return True
        self.empty(source)
        return False

    def empty(self, source: str) -> None:
        """Make the store an empty one of this source."""
        with self._transaction():
            self._make_tables()
            source = self._under_masks(source)
            self._note(version=str(STORE_VERSION), source=source, complete="0", indexed="0")
        self._counts = False

    def _count(self, sign: int, customers: Sequence[str]) -> None:
        """Count these customers out of the cells before their rows change, and in after it. While a store is
        filled nothing is counted: `index` counts all at once."""
        if self._counts is None:
            self._counts = self.is_indexed
        if self._counts:
            self._count_each(sign, customers)
            if sign > 0:
                self._run("DELETE FROM cells WHERE customers = 0", [()])

    def _count_each(self, sign: int, customers: Sequence[str]) -> None:
        self._run(count_statement(sign, "customer = ?"), [(one,) for one in customers])

    @property
    def is_indexed(self) -> bool:
        """Whether it was filled for the first time, and has indexes and counts."""
        return self._meta().get("indexed") == "1"

    def index(self) -> None:
        """Make the indexes and the counts that filling does without; until then pages look through whole
        tables."""
        with self._transaction():
            for statement in [*late_statements(), "DELETE FROM cells", count_statement(1, "1 = 1")]:
                self._run(statement, [()])
            self._note(indexed="1")
        self._counts = True

    def _under_masks(self, source: str) -> str:
        return source if self.masks is None else f"{source} {self.masks.fingerprint}"

    def write(self, batch: Batch) -> None:
        """Put a batch into the store, in one transaction."""
        named, erased_ms = self._erasures(batch)
        with self._transaction():
            touched, gone = [entry.customer for entry in batch.customers], batch.erased + batch.unseen
            self._count(-1, touched + gone)
            self._delete(OPEN_ALERTS, touched + gone)
            self._delete(UNSEEN, touched + batch.erased)
            for table in (CUSTOMERS, MASKS):
                self._delete(table, gone)
            if self.masks is not None:
                self._put(MASKS, values_of([MaskEntry(each, self.masks.of(each)) for each in touched]))
            self._delete(PROFILES, batch.erased)
            for table, entries in _by_table(batch):
                self._put(table, values_of(entries))
            self._count(1, touched)
            self._put(ERASURES, values_of(named))
            self._forget_erased(batch, erased_ms)
            offsets = [(topic, place, *position) for (topic, place), position in batch.offsets.items()]
            self._run(
                "INSERT INTO offsets (topic, place, next, epoch) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (topic, place) DO UPDATE SET next = excluded.next, epoch = excluded.epoch",
                offsets,
            )
            self._note(**batch.notes)

    def _erasures(self, batch: Batch) -> tuple[list[ErasureEntry], dict[str, int]]:
        """The erasures of a batch under pseudonyms, and when customers of whom it says something were erased,
        whichever of the two was read first."""
        erased = {each.customer: each.at_ms for each in sorted(batch.erasures, key=lambda each: each.at_ms)}
        touched = {entry.customer for entry in batch.alerts} | {entry.customer for entry in batch.actions}
        touched |= {entry.customer for entry in batch.mutes} | erased.keys()
        if not touched or not (erased or any_erasures(self.reading)):
            return [], {}
        pseudonyms = self.pseudonyms or Pseudonyms(self._own_key(), ERASED)
        known_as = {name: customer for customer in touched for name in pseudonyms.all_of(customer)}
        for name, at_ms in erasures_known(self.reading, known_as):
            erased[known_as[name]] = max(at_ms, erased.get(known_as[name], -1))
        return [ErasureEntry(pseudonyms.of(each.customer), each.at_ms) for each in batch.erasures], erased

    def _own_key(self) -> str:
        """A key that is kept in the store: for who sets none, so that at least no id stays there."""
        if not self.note(OWN_KEY):
            with self._transaction():
                self._note(**{OWN_KEY: secrets.token_hex(16)})
        return self.note(OWN_KEY)

    def _forget_erased(self, batch: Batch, erased_ms: Mapping[str, int]) -> None:
        """Alerts and words of customers from before their erasure."""
        for table in (ALERTS, ACTIONS, MUTES):
            self._run(f"DELETE FROM {table.name} WHERE customer = ? AND at_ms <= ?", list(erased_ms.items()))

    def forget(self, customers: Sequence[str], before_ms: int) -> None:
        """Take away alerts and words of these customers, and all alerts from before an instant."""
        with self._transaction():
            for table in (ALERTS, ACTIONS, MUTES):
                self._delete(table, customers)
            self._run("DELETE FROM alerts WHERE at_ms < ?", [(before_ms,)])

    def positions(self) -> dict[Place, ReadUpTo]:
        """How far each partition was read; empty for a source that does not go on."""
        with self.reading() as reading:
            found = reading.rows("SELECT topic, place, next, epoch FROM offsets")
        return {(topic, place): ReadUpTo(following, epoch) for topic, place, following, epoch in found}

    def note(self, name: str) -> str:
        """A text that the source keeps in the store (`Batch.notes`); empty: there is none."""
        return self._meta().get(name, "")

    def finish(self, as_of_ms: int, notes: Sequence[str] = ()) -> None:
        """Say that all of the source was written, as of which instant, and what is to be said of it."""
        if not self.is_indexed:
            self.index()
        with self._transaction():
            self._note(as_of_ms=str(as_of_ms), notes=json.dumps(list(notes)), complete="1")

    def as_of_ms(self) -> int:
        """The instant that the rows are as of; 0 before `finish`."""
        return int(self._meta().get("as_of_ms", "0"))

    def notes(self) -> tuple[str, ...]:
        """What is to be said of the rows as a whole."""
        return tuple(json.loads(self._meta().get("notes", "[]")))

    def _note(self, **texts: str) -> None:
        self._run(
            "INSERT INTO meta (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            list(texts.items()),
        )


def _by_table(batch: Batch) -> Iterator[tuple[StoreTable, Sequence[Struct]]]:
    yield CUSTOMERS, batch.customers
    yield UNSEEN, [UnseenEntry(customer) for customer in batch.unseen]
    yield PROFILES, batch.profiles
    yield OPEN_ALERTS, batch.opened
    yield ALERTS, batch.alerts
    yield ACTIONS, batch.actions
    yield MUTES, batch.mutes
    yield NOT_COUNTED, batch.not_counted
