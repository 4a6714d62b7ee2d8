"""The log of a queue in SQLite is carried over beside the work, and does not grow without end."""

from __future__ import annotations

from pathlib import Path

from stream.deliver.queue.sqlite import CHECKPOINT_ROWS, SqliteDatabase
from tests.support.deliver_process import wait_until

ROWS = 50


def begun_anew(path: Path) -> int:
    """How often the log was begun anew: bytes 12 to 16 of its header (sqlite.org/fileformat2.html, 4.1)."""
    return int.from_bytes(path.with_name(path.name + "-wal").read_bytes()[12:16], "big")


def test_under_steady_writing_the_log_is_begun_anew_again_and_again(tmp_path):
    path = tmp_path / "queue.db"
    database, count = SqliteDatabase(path, alone=True), 0

    def write_and_look() -> bool:
        nonlocal count
        with database.transaction():
            for _ in range(ROWS):
                count += 1
                database.run("INSERT INTO unread VALUES ('t', 0, ?, ?, 0)", count, "x" * 5_000)
        return begun_anew(path) >= 3

    wait_until(write_and_look, "the log is begun anew")
    assert count > CHECKPOINT_ROWS
    assert database.rows("PRAGMA wal_autocheckpoint") == [(0,)], "never within a commit"
    database.close()

    again = SqliteDatabase(path, alone=True)
    assert again.rows("SELECT COUNT(*) FROM unread") == [(count,)]
    again.close()


def test_a_queue_can_be_closed_at_any_moment(tmp_path):
    for number in range(20):
        database = SqliteDatabase(tmp_path / "queue.db", alone=True)
        with database.transaction():
            for each in range(CHECKPOINT_ROWS * (number % 2)):
                database.run("INSERT INTO unread VALUES ('t', ?, ?, '', 0)", number, each)
        database.close()
