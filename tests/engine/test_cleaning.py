"""A row that was deleted is in no file of the store on disk a moment later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stream.engine.state.cleaning import AT_ONCE
from stream.engine.state.store import DiskStore


def held(folder: Path, text: bytes) -> int:
    """How often bytes stand in the files; only what is random is not compressed there."""
    return sum(path.read_bytes().count(text) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("count", [1, AT_ONCE + 1])
def test_a_deleted_row_is_in_no_file_any_more(tmp_path, count):
    store = DiskStore(tmp_path, "a/rows/0")
    store.position = 9
    rows = {b"k%04d" % n: os.urandom(200) for n in range(2_000)}
    store.put_all(rows.items())
    store._database.flush()
    assert held(tmp_path, rows[b"k0007"]) == 1

    store.put_all([(b"k%04d" % n, None) for n in range(7, 7 + count)])
    store.close()

    assert held(tmp_path, rows[b"k0007"]) == 0
    assert held(tmp_path, rows[b"k1900"]) == 1
    assert held(tmp_path, b"k0007") == 0, "neither in a list of files nor in RocksDB's own log"
    again = DiskStore(tmp_path, "a/rows/0")
    assert (again.get(b"k0007"), again.get(b"k1900") is not None) == (None, True)
    again.close()
