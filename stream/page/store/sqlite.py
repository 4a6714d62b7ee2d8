"""The read store in a file of SQLite: one connection writes, a few read, each in short transactions.

Write-ahead logging lets readers go on while rows are written. What the log holds is only given back when no
reader looks at an older state, so nothing reads long. The file is a cache: it is not synced to the disk, and
a file that is damaged, or no store at all, is removed and made anew; a file that was never a store of ours
is left alone.
"""

from __future__ import annotations

import fcntl
import os
import queue
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from stream.page.store.store import Reading, ReadStore, Row, StoreError
from stream.page.store.tables import create_statements, drop_statements

SQLITE_TYPES = {str: "TEXT", int: "INTEGER", float: "REAL", bytes: "BLOB"}
READERS = 4
PAGE_BYTES = 8_192
"""Of a new file: most profiles fit twice. With SQLite's own 4,096 a store is a sixth larger."""
APPLICATION_ID = 0x53545244
"""Marks a file as a store of the dashboard (`STRD`): no other SQLite file is ever emptied."""
LOG_BYTES_KEPT = 64 << 20
"""From this size on the write-ahead log is emptied into the file, and then cut to nothing."""
BUSY_MS = 30_000
"""For so long a transaction waits for one of another process."""
EMPTIED_WITHIN_MS = 500
"""For so long the writer waits for readers of older states; else the log grows, and it tries again later."""
CACHE_KIB = 192 << 10
"""Of the writer: all keys of a million customers. With the 2 MiB of SQLite each row waits for pages."""
ASIDE = ("", "-wal", "-shm")
"""Ends of the names of the files of one database."""


class SqliteStore(ReadStore):
    """A store in one file, and its two files beside it."""

    in_order_of, before_all = "rowid", 0
    """As they lie in the file: rows that are changed together share pages."""

    def __init__(self, path: Path) -> None:
        """StoreError: the file is not ours, or cannot be written."""
        self.path = path
        self._log_tried = 0
        """Size up to which the log is left to grow after readers kept it from being emptied."""
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # it holds customers: for this user alone
            self._writer = self._opened()
            self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
            for _ in range(READERS):
                self._idle.put(self._connect())
        except sqlite3.Error as error:
            raise StoreError(f"the read store {path} cannot be used: {error}") from error
        except OSError as error:
            raise StoreError(f"the read store {path} cannot be used: {error.strerror}") from error

    def _opened(self) -> sqlite3.Connection:
        """The writing connection; a damaged store is made anew."""
        try:
            return self._checked()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or not _was_ours(self.path):
                raise
            for end in ASIDE:
                Path(f"{self.path}{end}").unlink(missing_ok=True)
            return self._checked()

    def _checked(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            (mark,) = connection.execute("PRAGMA application_id").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if mark != APPLICATION_ID and tables:
                raise StoreError(f"{self.path} is a database of another program: name another file")
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES_KEPT}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_BYTES_KEPT // PAGE_BYTES}")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute("PRAGMA synchronous = OFF")
            if tables:
                connection.execute("SELECT count(*) FROM meta").fetchone()
                (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if sound != "ok":
                    raise sqlite3.DatabaseError(sound)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1_000
        )
        connection.execute("PRAGMA secure_delete = ON")  # it may be of a customer who was erased
        return connection

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """See ReadStore; waits while all readers are busy."""
        connection = self._idle.get()
        try:
            connection.execute("BEGIN")
            try:
                yield _SqliteReading(connection)
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StoreError(f"the read store {self.path} cannot be read: {error}") from error
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        """See ReadStore."""
        self._writer.close()
        while not self._idle.empty():
            self._idle.get().close()

    @property
    def log_bytes(self) -> int:
        """Size of the write-ahead log."""
        log = Path(f"{self.path}-wal")
        return log.stat().st_size if log.exists() else 0

    def _own_reading(self) -> Reading:
        return _SqliteReading(self._writer)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._writer.execute("COMMIT")
                self._shorten_log()
            except BaseException:
                with suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StoreError(f"the read store {self.path} cannot be written: {error}") from error

    def _shorten_log(self) -> None:
        """Empty the log. What SQLite does of itself never begins a new log while anybody reads: under steady
        reading it would grow without end."""
        size = self.log_bytes
        if size <= max(self._log_tried, LOG_BYTES_KEPT):
            self._log_tried = min(self._log_tried, size)
            return
        self._writer.execute(f"PRAGMA busy_timeout = {EMPTIED_WITHIN_MS}")
        (is_busy, _, _) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._writer.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        self._log_tried = size + LOG_BYTES_KEPT if is_busy else 0

    def _run(self, sql: str, rows: Sequence[Row]) -> None:
        self._writer.executemany(sql, rows)

    def _make_tables(self) -> None:
        for statement in drop_statements() + create_statements(SQLITE_TYPES):
            self._writer.execute(statement)

    def _meta(self) -> Mapping[str, str]:
        with closing(self._connect()) as connection:
            try:
                return dict(connection.execute("SELECT name, value FROM meta"))
            except sqlite3.Error:
                return {}


@contextmanager
def filled_by_us(path: Path) -> Iterator[None]:
    """A lock beside the file, which the system gives back however the process ends. StoreError: another
    dashboard fills this store."""
    try:
        lock = path.with_name(path.name + ".lock").open("ab")
    except OSError as error:
        raise StoreError(f"the read store {path} cannot be used: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(f"{path}: another `stream dashboard` fills this store; name another") from None
        yield


class _SqliteReading(Reading):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()


def _was_ours(path: Path) -> bool:
    """Whether a file that SQLite cannot read bears the mark of a store where SQLite writes it."""
    try:
        with path.open("rb") as file:
            head = file.read(72)
    except OSError:
        return False
    return head[68:72] == APPLICATION_ID.to_bytes(4, "big")
