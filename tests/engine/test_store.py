"""Something happened to a store on disk while no worker had it open: it is trusted only when it is whole."""

import gc
import json
import random
import shutil
import time
from pathlib import Path

import pytest

from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.state.store import TRUSTED_S, DiskStore, Store, new_store

pytest.importorskip("rocksdict")
COUNT = 2_000


def options(place: Path) -> EngineOptions:
    return EngineOptions(app_id="app", bootstrap="nowhere:1", inputs=("t",), changelog="rows", store=place)


def rows_of(store: Store) -> dict[bytes, bytes]:
    return dict(store.items())


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """The directory of a store of partition 0 that was closed cleanly at offset 17."""
    store, chance = new_store(options(tmp_path), 0), random.Random(1)
    store.put_all([(b"key-%d" % number, chance.randbytes(300)) for number in range(COUNT)])
    store.position = 17
    store.close()
    return tmp_path / "0"


def damage(place: Path, files: str) -> None:
    """Change eight bytes of the one file of this name that is not empty."""
    (path,) = [each for each in (place / "rows").glob(files) if each.stat().st_size]
    damaged, chance = bytearray(path.read_bytes()), random.Random(2)
    for _ in range(8):
        damaged[chance.randrange(len(damaged))] ^= chance.randrange(1, 256)
    path.write_bytes(damaged)


def test_a_store_whose_files_are_gone_is_not_taken_for_an_empty_one(closed: Path) -> None:
    shutil.rmtree(closed / "rows")

    again = new_store(options(closed.parent), 0)

    assert (rows_of(again), again.position) == ({}, 0)


def test_a_store_of_another_partition_is_not_trusted(closed: Path) -> None:
    shutil.copytree(closed, closed.parent / "1")

    again = new_store(options(closed.parent), 1)

    assert (rows_of(again), again.position) == ({}, 0)


def test_a_store_that_was_closed_long_ago_is_not_trusted_for_it_may_have_missed_a_deletion(
    closed: Path,
) -> None:
    seal = closed / "closed-cleanly.json"
    content = json.loads(seal.read_text())
    content["closed_s"] = time.time() - TRUSTED_S - 1
    seal.write_text(json.dumps(content))

    again = new_store(options(closed.parent), 0)

    assert (rows_of(again), again.position) == ({}, 0)


@pytest.mark.parametrize("files", ["CURRENT", "MANIFEST-*"])
def test_a_store_that_cannot_be_opened_is_emptied(closed: Path, files: str) -> None:
    damage(closed, files)

    again = new_store(options(closed.parent), 0)

    assert (rows_of(again), again.position) == ({}, 0)
    again.put_all([(b"a", b"1")])
    assert again.get(b"a") == b"1"


def test_a_file_that_is_missing_is_not_taken_for_one_without_rows(closed: Path) -> None:
    (table,) = (closed / "rows").glob("*.sst")
    table.unlink()

    again = new_store(options(closed.parent), 0)

    assert (rows_of(again), again.position) == ({}, 0)


def test_rows_that_cannot_be_read_stop_the_worker_and_the_next_one_has_an_empty_store(closed: Path) -> None:
    damage(closed, "*.sst")
    store = new_store(options(closed.parent), 0)

    with pytest.raises(EngineError, match=r"cannot be read .* starting again rebuilds it") as failure:
        list(store.items())  # RocksDB's iterator ends at a damaged block as if no row followed
    with pytest.raises(EngineError, match=r"cannot be read .* starting again rebuilds it"):
        [store.get(b"key-%d" % number) for number in range(COUNT)]
    assert failure.value.code == Exit.PRODUCER
    store.drop()
    del failure, store  # its traceback refers to an iterator, which holds the lock
    gc.collect()

    assert rows_of(new_store(options(closed.parent), 0)) == {}


def test_a_whole_store_is_read_to_its_end(closed: Path) -> None:
    again = new_store(options(closed.parent), 0)

    assert isinstance(again, DiskStore)
    assert (len(rows_of(again)), again.position) == (COUNT, 17)
    again.put_all([(b"zz", b"1"), (b"key-0", None)])
    assert len(rows_of(again)) == COUNT
