"""The read store: a copy of the rows that pages look at, which can be thrown away and built again.

One thread writes, several read. What is written together appears together, with the offsets of the records
that it came from. A store knows which source it was filled from and by which version of the tables; when
either is another, or filling was interrupted, `open_for` empties it and says so.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from msgspec import Struct, field

from stream.page.entries import AlertEntry, CustomerEntry, OpenEntry
from stream.page.store.tables import (
    ALERTS,
    CUSTOMERS,
    OPEN_ALERTS,
    STORE_VERSION,
    StoreTable,
    upsert,
    values_of,
)

Row = tuple[Any, ...]
Place = tuple[str, int]
"""A topic and a partition number."""


class Batch(Struct):
    """What is written in one transaction. Open alerts of its customers replace those they had before."""

    customers: list[CustomerEntry] = field(default_factory=list)
    opened: list[OpenEntry] = field(default_factory=list)
    alerts: list[AlertEntry] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    """Customers of whom nothing is to be kept."""
    offsets: dict[Place, int] = field(default_factory=dict)
    """Of the next record after those that this batch came from."""


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

    @abstractmethod
    def _make_tables(self) -> None:
        """Take away what there is, and make empty tables."""

    @abstractmethod
    def _meta(self) -> Mapping[str, str]:
        """What the store knows of itself; empty where it has no tables, or cannot be read as a store."""

    def open_for(self, source: str) -> bool:
        """True when the store holds all of this source (the fingerprint of what is read, and of how); else it
        is empty now."""
        wanted = {"version": str(STORE_VERSION), "source": source, "complete": "1"}
        if {name: text for name, text in self._meta().items() if name in wanted} == wanted:
            return True
        with self._transaction():
            self._make_tables()
            self._note(version=str(STORE_VERSION), source=source, complete="0")
        return False

    def write(self, batch: Batch) -> None:
        """Put a batch into the store, in one transaction."""
        with self._transaction():
            touched = [(entry.customer,) for entry in batch.customers]
            gone = [(customer,) for customer in batch.erased]
            self._run("DELETE FROM open_alerts WHERE customer = ?", touched + gone)
            self._run("DELETE FROM customers WHERE customer = ?", gone)
            self._run("DELETE FROM alerts WHERE customer = ?", gone)
            for table, entries in _by_table(batch):
                self._run(upsert(table), values_of(entries))
            offsets = [(topic, place, following) for (topic, place), following in batch.offsets.items()]
            self._run(
                "INSERT INTO offsets (topic, place, next) VALUES (?, ?, ?) "
                "ON CONFLICT (topic, place) DO UPDATE SET next = excluded.next",
                offsets,
            )

    def finish(self, as_of_ms: int, notes: Sequence[str] = ()) -> None:
        """Say that all of the source was written, as of which instant, and what is to be said of it."""
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
    yield OPEN_ALERTS, batch.opened
    yield ALERTS, batch.alerts
