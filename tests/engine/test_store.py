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
from stream.engine.state.seal import TRUSTED_S
from stream.engine.state.store import DiskStore, Store, new_store

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


@pytest.fixture
def both(closed: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The store as it was closed at offset 17, and as it was closed later at 18, with one row more."""
    earlier = tmp_path / "earlier"
    shutil.copytree(closed, earlier)
    store = new_store(options(closed.parent), 0)
    store.put_all([(b"later", b"1")])
    store.position = 18
    store.close()
    return earlier, closed


def put_back(source: Path, target: Path, *names: str) -> None:
    """Replace these files or folders of one store by those of another."""
    for name in names:
        for path in [target / name] if (target / name).exists() else []:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        copy(source / name, target / name)


def assert_rebuilt(place: Path, caplog: pytest.LogCaptureFixture, why: str, topic_id: str = "") -> None:
    """It is emptied, and one line says why."""
    caplog.clear()
    again = new_store(options(place.parent), int(place.name), topic_id)
    assert (rows_of(again), again.position) == ({}, 0)
    assert [why in line for line in caplog.messages] == [True], caplog.messages
    again.drop()


def test_the_later_of_two_stores_is_trusted(both: tuple[Path, Path]) -> None:
    again = new_store(options(both[1].parent), 0)

    assert (len(rows_of(again)), again.position) == (COUNT + 1, 18)


def test_older_rows_under_a_newer_seal_are_rebuilt(both: tuple[Path, Path], caplog) -> None:
    put_back(*both, "rows")

    assert_rebuilt(both[1], caplog, "is rebuilt from the changelog: its files are not those of its seal")


def test_newer_rows_under_an_older_seal_are_rebuilt(both: tuple[Path, Path], caplog) -> None:
    put_back(*both, "closed-cleanly.json")

    assert_rebuilt(both[1], caplog, "its files are not those of its seal")


def test_a_backup_that_was_put_back_in_part_is_rebuilt(both: tuple[Path, Path], caplog) -> None:
    earlier, later = both
    for name in {path.name for path in (later / "rows").iterdir()} & {
        path.name for path in (earlier / "rows").iterdir()
    }:
        if name.endswith(".sst") or name.startswith(("MANIFEST", "CURRENT")):
            shutil.copy(earlier / "rows" / name, later / "rows" / name)

    assert_rebuilt(later, caplog, "its files are not those of its seal")


def test_a_whole_backup_with_its_own_seal_is_trusted_at_its_own_position(both: tuple[Path, Path]) -> None:
    put_back(*both, "rows", "closed-cleanly.json")

    again = new_store(options(both[1].parent), 0)

    assert (len(rows_of(again)), again.position) == (COUNT, 17)


def test_rows_of_another_partition_under_our_seal_are_rebuilt(closed: Path, caplog) -> None:
    other = new_store(options(closed.parent), 1)
    other.put_all([(b"key-1", b"other")])
    other.position = 17
    other.close()
    put_back(closed.parent / "1", closed, "rows")

    assert_rebuilt(closed, caplog, "its files are not those of its seal")


def test_a_store_of_another_partition_says_whose_it_is(closed: Path, caplog) -> None:
    shutil.copytree(closed, closed.parent / "1")

    assert_rebuilt(closed.parent / "1", caplog, "it belongs to app/rows/0, and not to app/rows/1")


def test_a_store_of_a_changelog_that_was_created_again_is_rebuilt(tmp_path: Path, caplog) -> None:
    store = new_store(options(tmp_path), 0, "id-one")
    store.put_all([(b"a", b"1")])
    store.position = 1
    store.close()

    assert_rebuilt(tmp_path / "0", caplog, "its changelog was created again (it had the id id-one", "id-two")


@pytest.mark.parametrize("ids", [("id-one", ""), ("", "id-two"), ("id-one", "id-one")])
def test_nothing_follows_from_a_changelog_whose_id_is_not_known(tmp_path: Path, ids: tuple[str, str]) -> None:
    store = new_store(options(tmp_path), 0, ids[0])
    store.put_all([(b"a", b"1")])
    store.position = 1
    store.close()

    assert rows_of(new_store(options(tmp_path), 0, ids[1])) == {b"a": b"1"}


def test_a_seal_of_a_version_that_named_no_contents_counts_as_none(closed: Path, caplog) -> None:
    seal = closed / "closed-cleanly.json"
    content = json.loads(seal.read_text())
    del content["contents"]
    seal.write_text(json.dumps(content))

    assert_rebuilt(closed, caplog, "its seal cannot be read")


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
