"""The read store in PostgreSQL, named by a URL: for a dashboard whose machine keeps no files (psycopg).

Everything is in one schema of our own, which is a copy and may be dropped. One dashboard fills it at a time
(an advisory lock). Texts are compared byte by byte, as in SQLite, so that lists have the same order.
PostgreSQL stores no NUL in a text: it is written as two characters that stand for it.
"""

from __future__ import annotations

import queue
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

from stream.page.store.store import Reading, ReadStore, Row, StoreError
from stream.page.store.tables import (
    CONFLICTS,
    StoreTable,
    create_statements,
    drop_statements,
)
from stream.postgres import opened

SCHEMA = "stream_dashboard"
TYPES = {str: 'TEXT COLLATE "C"', int: "BIGINT", float: "DOUBLE PRECISION", bytes: "BYTEA"}
READERS = 4
PATIENCE_S, READER_WAIT_S = 5.0, 15.0
"""Without an answer for so long the server is asked whether it answers at all; so long a page waits for a
connection that others have."""
LOCK_S = 10
"""So long a dashboard that has lost its connection waits for the lock of that one, before it says so."""
COPIED_FROM = 500
"""From so many rows on they are copied."""
LOCK = 7_301_544_202_612
"""Number of the advisory lock of the dashboard that fills the store: any that others hardly use."""
ESCAPE, NUL = "\ufdd0", "\ufdd0\ufdd1"
"""A character that is none, and what stands for NUL: a text that holds the first has it doubled."""

PARTS = re.compile(f"{ESCAPE}.|[^{ESCAPE}]+|{ESCAPE}", re.DOTALL)


class PostgresStore(ReadStore):
    """A store in one schema."""

    def __init__(self, url: str) -> None:
        """`url`: postgresql://user@host/database; the password may come from PGPASSWORD. StoreError."""
        try:
            import psycopg
        except ImportError as error:
            raise StoreError(
                "a read store in PostgreSQL needs psycopg: pip install psycopg[binary]"
            ) from error
        self._psycopg, self._url = psycopg, url
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._writer = self._connected()
        try:
            ((locked,),) = self._writer.execute(f"SELECT pg_try_advisory_lock({LOCK})").fetchall()
            if not locked:
                raise StoreError(
                    "PostgreSQL: another `stream dashboard` fills this store; name another database"
                )
            self._writer.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        except psycopg.Error as error:
            raise StoreError(f"PostgreSQL: {_one_line(error)}") from error
        for _ in range(READERS):
            self._idle.put(self._connected())

    def _connected(self) -> Any:
        try:
            connection = opened(self._url, PATIENCE_S)
            connection.execute(f"SET search_path TO {SCHEMA}")
        except self._psycopg.Error as error:
            raise StoreError(f"PostgreSQL: {_one_line(error)}") from error
        return connection

    def _locked_again(self) -> Any:
        writer = self._connected()
        try:
            writer.execute(f"SET lock_timeout = '{LOCK_S}s'")
            writer.execute(f"SELECT pg_advisory_lock({LOCK})")
            writer.execute("SET lock_timeout = 0")
        except BaseException:
            writer.close()
            raise
        return writer

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """See ReadStore; waits while all readers are busy. A connection that was lost is made again."""
        try:
            connection = self._idle.get(timeout=READER_WAIT_S)
        except queue.Empty:
            raise StoreError(f"PostgreSQL: no answer to other readers for {READER_WAIT_S:.0f} s") from None
        try:
            if connection.closed:
                connection = self._connected()
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield _PostgresReading(connection)
        except self._psycopg.Error as error:
            raise StoreError(f"PostgreSQL: {_one_line(error)}") from error
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        """See ReadStore."""
        self._writer.close()
        while not self._idle.empty():
            self._idle.get().close()

    def _own_reading(self) -> Reading:
        return _PostgresReading(self._writer)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            if self._writer.closed:
                self._writer = self._locked_again()
            with self._writer.transaction():
                yield
        except self._psycopg.Error as error:
            raise StoreError(f"PostgreSQL: {_one_line(error)}") from error

    def _run(self, sql: str, rows: Sequence[Row]) -> None:
        if rows:
            with self._writer.cursor() as cursor:
                cursor.executemany(_marks(sql), [tuple(map(as_stored, row)) for row in rows])

    def _make_tables(self) -> None:
        """Without a log of their own: after a crash of PostgreSQL they are empty, and are filled anew."""
        for statement in drop_statements() + create_statements(TYPES):
            self._writer.execute(statement.replace("CREATE TABLE", "CREATE UNLOGGED TABLE"))
        self._writer.execute("ALTER TABLE profiles ALTER COLUMN body SET STORAGE EXTERNAL")  # is packed

    def _delete(self, table: StoreTable, customers: Sequence[str]) -> None:
        sql = f"DELETE FROM {table.name} WHERE customer = ANY(%s::text[])"
        self._writer.execute(sql, [list(map(as_stored, customers))])

    def _put(self, table: StoreTable, rows: Sequence[Row]) -> None:
        """Many rows are copied: a statement for each takes longer."""
        if len(rows) < COPIED_FROM or table in CONFLICTS:
            super()._put(table, rows)
            return
        where = " AND ".join(f"t.{name} = k.{name}" for name in table.key)
        names = ", ".join(table.key)
        places = [table.entry.__struct_fields__.index(name) for name in table.key]
        marks = ", ".join(["%s::text[]"] * len(places))
        written = [tuple(map(as_stored, row)) for row in rows]
        stored = {tuple(row[place] for place in places): row for row in written}
        with self._writer.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table.name} t USING unnest({marks}) AS k ({names}) WHERE {where}",
                [list(values) for values in zip(*stored, strict=True)],
            )
        self._copy(table, list(stored.values()))

    def _add(self, table: StoreTable, rows: Sequence[Row]) -> None:
        if len(rows) < COPIED_FROM:
            super()._add(table, rows)
        else:
            self._copy(table, [tuple(map(as_stored, row)) for row in rows])

    def _copy(self, table: StoreTable, rows: Sequence[Row]) -> None:
        columns = ", ".join(table.entry.__struct_fields__)
        with (
            self._writer.cursor() as cursor,
            cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def _meta(self) -> Mapping[str, str]:
        with suppress(StoreError), self.reading() as reading:
            return dict(reading.rows("SELECT name, value FROM meta"))
        return {}


class _PostgresReading(Reading):
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        asked = (_marks(sql), tuple(map(as_stored, parameters))) if parameters else (sql,)
        found = self._connection.execute(*asked)
        return [tuple(map(_read, row)) for row in found.fetchall()]


def _marks(sql: str) -> str:
    """Placeholders as psycopg has them."""
    return sql.replace("%", "%%").replace("?", "%s")


def as_stored(value: Any) -> Any:
    """A value as it is written: PostgreSQL stores no NUL in a text."""
    if isinstance(value, str) and (ESCAPE in value or "\0" in value):
        return value.replace(ESCAPE, ESCAPE * 2).replace("\0", NUL)
    return value


def _read(value: Any) -> Any:
    if isinstance(value, Decimal):  # a sum of whole numbers
        return int(value)
    if isinstance(value, str) and ESCAPE in value:
        return "".join({NUL: "\0", ESCAPE * 2: ESCAPE}.get(part, part) for part in PARTS.findall(value))
    return value


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
