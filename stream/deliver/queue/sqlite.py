"""A queue in one SQLite file, for one `stream deliver run`; other commands may look into it meanwhile.

WAL with synchronous=NORMAL: kill -9 loses nothing. After a power failure the last transactions may be
missing, rows and offsets together; they are read from Kafka again, and sent again under the same id. What is
deleted is overwritten (secure_delete): it may be of a customer who was erased.

The log is carried over into the file (a checkpoint) beside the work: that waits for the disk twice, now and
then for 0.3 s, and SQLite would do it within a commit, while every delivery waits.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from stream.deliver.queue.database import NOBODY, TABLES, UPGRADES, VERSION, QueueError

BUSY_MS = 10_000
LOG_BYTES = 4 << 20
"""To so much the log is cut when it is begun anew."""
LOG_BYTES_LONG = 32 << 20
"""From here on the connection that writes sees to it that the log can be begun anew."""
OURS = frozenset({"alert", "delivery", "position"})
"""Tables of every queue, of whatever version."""
CHECKPOINT_ROWS = 1_000
"""After so many changed rows the log is carried over: some megabytes."""


class Checkpointer:
    """A thread with a connection of its own that carries the log over whenever it has grown.

    What is written meanwhile stays in the log, which is begun anew only when all of it is carried over. So
    when the log is long the connection that writes carries over the little that is left, right after this
    one: `committed` does.
    """

    def __init__(self, path: Path) -> None:
        """sqlite3.Error: the file cannot be opened."""
        self._log = path.with_name(path.name + "-wal")
        self._own = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._changes = 0
        self._wanted, self._done, self._closing = threading.Event(), threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def committed(self, connection: sqlite3.Connection) -> None:
        """The connection that writes has committed."""
        if self._done.is_set():
            self._done.clear()
            if self._log.stat().st_size >= LOG_BYTES_LONG:
                _carry_over(connection)
        elif connection.total_changes - self._changes >= CHECKPOINT_ROWS and not self._wanted.is_set():
            self._changes = connection.total_changes
            self._wanted.set()

    def close(self) -> None:
        """End the thread; a checkpoint under way is finished."""
        self._closing = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            if self._closing:
                break
            _carry_over(self._own)
            self._done.set()
        self._own.close()


def _carry_over(connection: sqlite3.Connection) -> None:
    """A checkpoint, as far as it goes without waiting for anybody: what is left is carried over next time."""
    with suppress(sqlite3.Error):  # of a full disk the next transaction says more
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


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
        self._checkpointer: Checkpointer | None = None
        if not create and not path.exists():
            raise QueueError(f"{path}: no such queue; `stream deliver run` makes it")
        try:
            if alone:
                self._lock = _locked_file(path)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # it holds alerts: for this user alone
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            self._refuse_others(create)
            self._prepare()
            if alone:
                self._connection.execute("PRAGMA wal_autocheckpoint = 0")
                self._checkpointer = Checkpointer(path)
        except (sqlite3.Error, OSError) as error:
            raise QueueError(f"{path}: {error}") from error

    def _refuse_others(self, create: bool) -> None:
        """QueueError, before anything is changed, where the file is none of ours. Its version alone proves
        nothing: many programs count theirs in the same place."""
        tables = {name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and not tables >= OURS:
            raise QueueError(f"{self._path}: a database of another program; name another file")
        if not (tables or create):
            raise QueueError(f"{self._path}: an empty file, and no queue; `stream deliver run` makes one")

    def _prepare(self) -> None:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = OFF",
            "secure_delete = ON",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
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
            if self._checkpointer is not None:
                self._checkpointer.committed(self._connection)
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

    def overwrite_deleted(self) -> None:
        """See Database: the log is carried over, and cut to nothing."""
        with suppress(sqlite3.Error):  # of a full disk the next transaction says more
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file, and let another process have it."""
        if self._checkpointer is not None:
            self._checkpointer.close()
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
