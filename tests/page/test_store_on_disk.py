"""A store file that cannot be written, or not any further: one line says so, and the next start is whole."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from stream.page.remarks import MuteEntry
from stream.page.sources.fill import fill
from stream.page.sources.replay_files import replay_files
from stream.page.store import sqlite
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch, StoreError
from tests.support.builders import basis
from tests.support.dashboard_pages import contents

NOBODY = 65534


def dashboard(shop_files, store, largest=None):
    """`stream dashboard` on files; `largest`: bytes that a file may have, as on a full disk."""
    limit = [] if largest is None else ["prlimit", f"--fsize={largest}"]
    words = ["--profiles", shop_files[0], "--alerts", shop_files[1], "--store", store, "--port", "0"]
    return subprocess.Popen(
        [*limit, sys.executable, "-m", "stream", "dashboard", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_disk_that_is_full_ends_a_filling_in_one_line_and_the_next_start_is_whole(shop_files, tmp_path):
    path = tmp_path / "store.db"

    full = dashboard(shop_files, path, largest=400_000)
    _, words = full.communicate(timeout=60)

    lines = [line for line in words.splitlines() if "reading the customers" not in line]
    assert (full.returncode, len(lines)) == (1, 1), words
    assert f"the read store {path} cannot be written: " in lines[0]

    again = dashboard(shop_files, path)
    try:
        assert again.stdout.readline().startswith("The dashboard is at")
    finally:
        again.kill()
        again.communicate()
    store, fresh = SqliteStore(path), SqliteStore(tmp_path / "fresh.db")
    fill(fresh, replay_files(shop_files[0], shop_files[1], basis()))
    assert contents(store) == contents(fresh)
    store.close()
    fresh.close()


@contextmanager
def as_nobody():
    """As a user who is not root: for root nothing is read-only."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_store_that_may_only_be_read_is_one_line(what):
    folder = Path(tempfile.mkdtemp(prefix="read-only-"))
    try:
        folder.chmod(0o755)
        path = folder / "store.db"
        if what == "file":
            store = SqliteStore(path)
            store.empty("x")
            store.close()
            path.chmod(0o444)
        else:
            folder.chmod(0o555)
        with as_nobody(), pytest.raises(StoreError, match=r"store\.db cannot be used: Permission denied$"):
            SqliteStore(path)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_store_that_is_spoilt_while_it_is_used_is_one_line(tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    store.empty("x")
    store.write(Batch(mutes=[MuteEntry(f"c{n}", 1, 1, "x" * 900, "") for n in range(500)]))
    with store.reading() as reading:
        reading.rows("SELECT COUNT(*) FROM mutes")
    store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = store.path.read_bytes()
    store.path.write_bytes(content[:8_192] + b"\xa5" * (len(content) - 8_192))

    one_line = pytest.raises(StoreError, match=r"the read store .*store\.db cannot be read: [^\n]+$")
    with one_line, store.reading() as reading:
        reading.rows("SELECT * FROM mutes")
    store.close()


def test_the_log_is_emptied_also_while_somebody_always_reads(tmp_path, monkeypatch):
    """At no moment nobody reads, so SQLite of itself would never begin a new log."""
    monkeypatch.setattr(sqlite, "LOG_BYTES_KEPT", 1 << 20)
    store = SqliteStore(tmp_path / "store.db")
    store.empty("x")
    ended = threading.Event()

    def read(after_s):
        time.sleep(after_s)
        while not ended.is_set():
            with store.reading() as reading:
                reading.rows("SELECT COUNT(*) FROM mutes")
                time.sleep(0.03)

    readers = [threading.Thread(target=read, args=(after_s,)) for after_s in (0.0, 0.01, 0.02)]
    for reader in readers:
        reader.start()
    written = largest = 0
    for turn in range(60):
        before = store.log_bytes
        store.write(Batch(mutes=[MuteEntry(f"c{n}", turn, turn, "x" * 900, "") for n in range(200)]))
        written += max(0, store.log_bytes - before)
        largest = max(largest, store.log_bytes)
    ended.set()
    for reader in readers:
        reader.join()
    store.close()

    assert written > 8 << 20
    assert largest < 3 << 20
