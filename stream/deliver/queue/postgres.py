"""A queue in PostgreSQL, for several `stream deliver run` beside each other; it needs the package psycopg.

Each process reads the whole topic, and the first one that comes to a record takes it in. Attempts are shared:
rows that one process has chosen are left out by the others (SKIP LOCKED).

A transaction is a pipeline: only a statement whose rows are asked for is waited for, and the end. So a
transaction that only writes is one round trip.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from stream.deliver.queue.database import NOBODY, TABLES, UPGRADES, VERSION, QueueError
from stream.postgres import opened

SCHEMA = "stream_deliver"
SETTING_UP = 7_301_544_202_611
"""Advisory lock under which the tables are made: any number that others hardly use."""
PATIENCE_S = 20.0
"""Then the server is asked whether it answers at all: one that is frozen for 20 s is waited for."""


class PostgresDatabase:
    """One connection, usable from one thread at a time. QueueError when it cannot be used."""

    locked = "FOR UPDATE"
    skip_locked = "FOR UPDATE OF d SKIP LOCKED"
    pseudonyms = NOBODY
    alone = False

    def __init__(self, url: str, *, create: bool = True) -> None:
        """`url`: postgresql://user@host/database. The password may come from the environment (PGPASSWORD)."""
        try:
            import psycopg
        except ImportError as error:
            raise QueueError("a queue in PostgreSQL needs psycopg: pip install psycopg[binary]") from error
        self._errors: type[Exception] = psycopg.Error
        self._pipelined = psycopg.Pipeline.is_supported()  # not with the libpq of before 2021
        try:
            self._connection = opened(url, PATIENCE_S)
        except psycopg.Error as error:
            raise QueueError(f"PostgreSQL: {_one_line(error)}") from error
        self._prepare(create)

    def _prepare(self, create: bool) -> None:
        with self.transaction():
            self.rows("SELECT pg_advisory_xact_lock(?)", SETTING_UP)
            there = self.rows("SELECT 1 FROM information_schema.schemata WHERE schema_name = ?", SCHEMA)
            if not there and not create:
                raise QueueError(f"PostgreSQL: no schema {SCHEMA}; `stream deliver run` makes it")
            if not there:
                self.run(f"CREATE SCHEMA {SCHEMA}")
                self.run(f"SET LOCAL search_path TO {SCHEMA}")
                for statement in TABLES.format(serial="BIGSERIAL PRIMARY KEY", bytes="BYTEA").split(";"):
                    if statement.strip():
                        self.run(statement)
                self.run("CREATE TABLE version (number BIGINT NOT NULL)")
                self.run("INSERT INTO version VALUES (?)", VERSION)
        self.run(f"SET search_path TO {SCHEMA}")
        with self.transaction():
            self.rows("SELECT pg_advisory_xact_lock(?)", SETTING_UP)
            ((version,),) = self.rows("SELECT number FROM version")
            while version in UPGRADES:
                self.run(UPGRADES[version])
                version += 1
                self.run("UPDATE version SET number = ?", version)
        if version != VERSION:
            raise QueueError(f"PostgreSQL: tables of version {version}, this program writes {VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Database."""
        connection = self._connection
        try:
            with connection.pipeline() if self._pipelined else nullcontext(), connection.transaction():
                yield
        except self._errors as error:
            raise QueueError(f"PostgreSQL: {_one_line(error)}") from error

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """See Database."""
        try:
            found: list[tuple[Any, ...]] = self._execute(statement, values).fetchall()
        except self._errors as error:
            raise QueueError(f"PostgreSQL: {_one_line(error)}") from error
        return found

    def run(self, statement: str, *values: Any) -> None:
        """See Database; within a transaction nothing is waited for."""
        self._execute(statement, values)

    def changed(self, statement: str, *values: Any) -> int:
        """See Database."""
        return len(self.rows(f"{statement} RETURNING 1", *values))

    def overwrite_deleted(self) -> None:
        """Nothing: the log of PostgreSQL is the cluster's, and is kept as its owner has set."""

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _execute(self, statement: str, values: tuple[Any, ...]) -> Any:
        try:
            return self._connection.execute(statement.replace("?", "%s"), values or None)
        except self._errors as error:
            raise QueueError(f"PostgreSQL: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
