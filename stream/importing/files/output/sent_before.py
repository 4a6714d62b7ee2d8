"""Which events were sent by earlier imports, so that a nightly export sends only what is new in it.

A SQLite file keeps 18 bytes of each event that the brokers have acknowledged: a hash of its identity (source
and id) and one of its content. It is locked while an import runs, and changes only after acknowledgements:
after a crash the events of one wait at most are sent again, under the ids that workers know.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from stream.importing.files.output.outgoing import OutgoingEvent

APPLICATION_ID = 0x53_54_53_42
"""Marks the file as one of ours (SQLite: `PRAGMA application_id`)."""
IDENTITY_BYTES, CONTENT_BYTES = 10, 8
"""With 100 million events a new one is taken for one that was sent with a probability of 1e-16."""
TABLES = """
CREATE TABLE target (name TEXT NOT NULL);
CREATE TABLE sent (event BLOB, content BLOB, PRIMARY KEY (event, content)) WITHOUT ROWID;
"""


class SentBeforeError(Exception):
    """The file is something else, of another target, or in use; the message is one line."""


class SentBefore:
    """The events of all imports with one state file; `known` and `changed` count those of this import."""

    def __init__(self, path: Path, source: str) -> None:
        """`source`: of the events of this import. SentBeforeError: the file cannot be used."""
        self.path = path
        self.known = self.changed = self.sent = 0
        self.is_new = not path.exists()
        self._source = source
        self._pending: set[tuple[bytes, bytes]] = set()
        if not self.is_new and not path.stat().st_size:
            raise SentBeforeError(
                f"{path} is empty: what was sent is not known. Delete it to send everything once more"
            )
        try:
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
            self._open()
        except sqlite3.Error as failure:
            raise SentBeforeError(self.why(failure)) from failure

    def _open(self) -> None:
        """Lock the file until the end of this process, and make its tables if it is new."""
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("BEGIN EXCLUSIVE")
        if self.is_new:
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            for statement in TABLES.strip().split("\n"):
                self._db.execute(statement)
        elif self._db.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
            raise SentBeforeError(f"{self.path} is no state of --since-last; it is left as it is")
        self._db.execute("SELECT 1 FROM target, sent LIMIT 1")
        self._db.execute("COMMIT")

    def begin(self, cluster_id: str, topics: tuple[str, ...]) -> None:
        """SentBeforeError: the file says what was sent to another cluster, or to other topics."""
        target = json.dumps([cluster_id, *topics])
        row = self._db.execute("SELECT name FROM target").fetchone()
        if row is None:
            self._db.execute("INSERT INTO target VALUES (?)", (target,))
        elif row[0] != target:
            raise SentBeforeError(
                f"{self.path} says what was sent to {row[0]}, not to {target}: name another --state"
            )

    def is_sent(self, number: int, event: OutgoingEvent) -> bool:
        """Whether this event was acknowledged before, with this content."""
        identity, content = hashes = self._hashes(event)
        found = self._db.execute("SELECT content FROM sent WHERE event = ?", (identity,))
        contents = [row[0] for row in found]
        if content in contents or hashes in self._pending:
            self.known += 1
            return True
        self.changed += bool(contents)
        return False

    def handed_over(self, number: int, event: OutgoingEvent) -> None:
        """This event is on its way to the brokers."""
        self._pending.add(self._hashes(event))

    def acknowledged(self) -> None:
        """All events that were handed over have arrived."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR IGNORE INTO sent VALUES (?, ?)", self._pending)
        self._db.execute("COMMIT")
        self.sent += len(self._pending)
        self._pending = set()

    def close(self) -> None:
        """Let go of the lock; a file that was made for nothing is removed."""
        is_unused = self.is_new and not self.sent
        with suppress(sqlite3.Error):
            self._db.close()
        if is_unused:
            self.path.unlink(missing_ok=True)

    def _hashes(self, event: OutgoingEvent) -> tuple[bytes, bytes]:
        name = f"{self._source}\x00{event.id}".encode(errors="replace")
        return (
            blake2b(name, digest_size=IDENTITY_BYTES).digest(),
            blake2b(event.value, digest_size=CONTENT_BYTES).digest(),
        )

    def why(self, failure: sqlite3.Error) -> str:
        """One line about an error of SQLite."""
        if "locked" in str(failure):
            return f"{self.path} is in use: another import with this --state is running"
        if isinstance(failure, sqlite3.OperationalError):
            return f"{self.path} cannot be used as --state: {failure}"
        return f"{self.path} is no state of --since-last, or is damaged ({failure}); it is left as it is"
