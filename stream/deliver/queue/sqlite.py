"""A queue in one SQLite file, for one `stream deliver run`; other commands may look into it meanwhile.

WAL with synchronous=NORMAL: kill -9 loses nothing. After a power failure the last transactions may be
missing, rows and offsets together; they are read from Kafka again, and sent again under the same id. What is
deleted is overwritten (secure_delete): it may be of a customer who was erased.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from stream.deliver.queue.database import NOBODY, TABLES, UPGRADES, VERSION, QueueError

BUSY_MS = 10_000
WAL_BYTES_MAX = 64 << 20


class SqliteDatabase:
    """One connection to the file, usable from one thread at a time. QueueError when it cannot be used.

    `alone`: the process that delivers; a second one is refused.
    """

    locked = skip_locked = ""
    pseudonyms = NOBODY
    alone = True

    def __init__(self, path: Path, *, alone: bool = False, create: bool = True) -> None:
        self._path = path
        self._lock: IO[bytes] | None = None
        if not create and not path.exists():
            raise QueueError(f"{path}: no such queue; `stream deliver run` makes it")
        try:
            if alone:
                self._lock = _locked_file(path)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # it holds alerts: for this user alone
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise QueueError(f"{path}: {error}") from error

    def _prepare(self) -> None:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = OFF",
            "secure_delete = ON",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        self._connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_MAX}")
        with self.transaction():
            (version,) = self.rows("PRAGMA user_version")[0]
            tables = self.rows("SELECT name FROM sqlite_master LIMIT 1")
            if not version and not tables:
                made = TABLES.format(serial="INTEGER PRIMARY KEY AUTOINCREMENT", bytes="BLOB")
                for statement in filter(str.strip, made.split(";")):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")
            while version in UPGRADES:
                self._connection.execute(UPGRADES[version])
                version += 1
                self._connection.execute(f"PRAGMA user_version = {version}")
            if (version or tables) and version != VERSION:
                raise QueueError(
                    f"{self._path}: a file of version {version}, this program writes {VERSION}; name another"
                )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise QueueError(f"{self._path}: {error}") from error

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise QueueError(f"{self._path}: {error}") from error

    def run(self, statement: str, *values: Any) -> None:
        """See Database."""
        self.changed(statement, *values)

    def changed(self, statement: str, *values: Any) -> int:
        """See Database."""
        try:
            return self._connection.execute(statement, values).rowcount
        except sqlite3.Error as error:
            raise QueueError(f"{self._path}: {error}") from error

    def close(self) -> None:
        """Close the file, and let another process have it."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()


def _locked_file(path: Path) -> IO[bytes]:
    """A lock that the system gives back when the process ends, however it ends."""
    file = path.with_name(path.name + ".lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise QueueError(
            f"{path}: another `stream deliver run` uses this queue; one process per SQLite file"
        ) from None
    return file
