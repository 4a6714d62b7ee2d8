"""The read store of the dashboard and the queue of `stream deliver`, wherever they are: all rows of a
customer, and their erasure.

Another process may have either open, and goes on: each statement waits for it. What is deleted is
overwritten (SQLite's secure_delete, and its write-ahead log is emptied); PostgreSQL frees it (VACUUM), and
its own log and backups forget by themselves.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from stream.page.store.postgres import as_stored
from stream.postgres import opened

POSTGRES = ("postgresql://", "postgres://")
SCHEMAS = {"read store": "stream_dashboard", "delivery queue": "stream_deliver"}
BUSY_S = 30.0
PATIENCE_S = 20.0
"""Then a PostgreSQL is asked whether it answers at all."""
TRIES, PAUSE_S = 20, 0.25
"""Of emptying the write-ahead log, while others read."""
Row = dict[str, Any]


class SqlStoreError(Exception):
    """The store cannot be used; the text says why, without values."""


class SqlStore:
    """The tables of one store. `run` takes `?` as placeholders."""

    def __init__(
        self,
        run: Callable[..., list[tuple[Any, ...]]],
        tables: dict[str, list[str]],
        tidy: Callable[[], None],
    ) -> None:
        self._run, self._tables, self._tidy = run, tables, tidy

    def rows_of(self, customer: str) -> dict[str, list[Row]]:
        """Table -> the rows of a customer."""
        found = {}
        for table, columns in self._tables.items():
            listed = ", ".join(columns)
            rows = self._run(f"SELECT {listed} FROM {table} WHERE customer = ?", customer)
            if rows:
                found[table] = [dict(zip(columns, row, strict=True)) for row in rows]
        return found

    def left(self, customer: str) -> int:
        """How many rows of a customer there are."""
        counts = (
            self._run(f"SELECT count(*) FROM {table} WHERE customer = ?", customer) for table in self._tables
        )
        return sum(int(count) for ((count,),) in counts)

    def tidy(self) -> None:
        """Overwrite, or free, what was deleted. SqlStoreError: others keep it from being done."""
        self._tidy()


@contextmanager
def sql_store(kind: str, place: str) -> Iterator[SqlStore | None]:
    """The store of a kind (of SCHEMAS) at a place; None: there is none. SqlStoreError."""
    opened = _in_postgres if place.startswith(POSTGRES) else _in_sqlite
    with opened(kind, place) as store:
        yield store


@contextmanager
def _in_sqlite(kind: str, place: str) -> Iterator[SqlStore | None]:
    if not Path(place).is_file():
        yield None
        return
    try:
        with closing(sqlite3.connect(place, isolation_level=None, timeout=BUSY_S)) as connection:
            connection.execute("PRAGMA secure_delete = ON")

            def run(sql: str, *values: Any) -> list[tuple[Any, ...]]:
                return connection.execute(sql, values).fetchall()

            def tidy() -> None:
                for _ in range(TRIES):
                    ((busy, *_),) = run("PRAGMA wal_checkpoint(TRUNCATE)")
                    if not busy:
                        return
                    time.sleep(PAUSE_S)
                raise SqlStoreError(f"{place}: its write-ahead log is in use; run this again")

            listed = [name for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'table'")]
            columns = {name: [row[1] for row in run(f"PRAGMA table_info({name})")] for name in listed}
            yield SqlStore(run, _with_customers(columns), tidy)
    except sqlite3.Error as error:
        raise SqlStoreError(f"{place}: {error}") from error


@contextmanager
def _in_postgres(kind: str, place: str) -> Iterator[SqlStore | None]:
    try:
        import psycopg
    except ImportError as error:
        raise SqlStoreError("a store in PostgreSQL needs psycopg: pip install psycopg[binary]") from error
    try:
        with closing(opened(place, PATIENCE_S)) as connection:

            def run(sql: str, *values: Any) -> list[tuple[Any, ...]]:
                written = [as_stored(value) for value in values] if kind == "read store" else values
                cursor = connection.execute(sql.replace("?", "%s"), written or None)
                return cursor.fetchall() if cursor.description else []

            schema = SCHEMAS[kind]
            found = run(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ?"
                " ORDER BY table_name, ordinal_position",
                schema,
            )
            columns: dict[str, list[str]] = {}
            for table, column in found:
                columns.setdefault(f"{schema}.{table}", []).append(column)
            tables = _with_customers(columns)

            def tidy() -> None:
                for table in tables:
                    run(f"VACUUM {table}")

            yield SqlStore(run, tables, tidy) if tables else None
    except psycopg.Error as error:
        raise SqlStoreError(f"PostgreSQL: {' '.join(str(error).split())}") from error


def _with_customers(columns: dict[str, Sequence[str]] | dict[str, list[str]]) -> dict[str, list[str]]:
    return {table: list(names) for table, names in columns.items() if "customer" in names}
