"""Rows are live, changed, in the store in memory or on disk: `get` always gives what was put last."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.engine.app import EngineApp
from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.state.store import DiskStore, MemoryStore, Store, new_store
from stream.engine.state.table import Table
from stream.engine.task.commit_point import CommitPoint
from tests.support.toy_app import TOPICS, Counters, ToyCodec

KEYS = [b"a", b"b", b"c", b"d"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "delete", "checkpoint", "take rows", "take rows of", "store"]),
        st.sampled_from(KEYS),
    )
)


@given(STEPS)
def test_a_table_of_two_live_rows_behaves_as_a_dict(steps: list[tuple[str, bytes]]) -> None:
    table, plain = Table(ToyCodec(), MemoryStore(), max_hot_rows=2), dict[bytes, int]()
    flying: list[tuple[bytes, bytes | None]] = []
    written: dict[bytes, bytes | None] = {}
    for number, (step, key) in enumerate(steps):
        if step == "put":
            table.put(key, Counters(key.decode(), count=number))
            plain[key] = number
        elif step == "delete":
            table.delete(key)
            plain.pop(key, None)
        elif step == "checkpoint":
            table.checkpoint()
        elif step == "take rows" and not flying:
            flying = table.take_rows(1 + number % 2)
        elif step == "take rows of" and not flying:
            flying = table.take_rows_of([key, key])
        elif step == "store":
            table.store_written(flying)
            written.update(flying)
            flying = []
        for each in KEYS:
            row = table.get(each)
            assert (None if row is None else row.count) == plain.get(each)
    written.update(flying)
    written.update(table.take_all())
    left = {key: ToyCodec().decode_row(key, row).count for key, row in written.items() if row is not None}
    assert left == plain
    assert table.unwritten_count == 0


def test_rows_of_a_checkpoint_are_written_as_they_are_by_then_and_the_others_wait() -> None:
    table = Table(ToyCodec(), MemoryStore(), max_hot_rows=10)
    for key in KEYS[:3]:
        table.put(key, Counters(key.decode(), count=1))
    table.checkpoint()
    table.put(b"b", Counters("b", count=2))
    table.put(b"d", Counters("d", count=2))

    first, more = table.take_rows(1), table.take_rows(9)

    assert [key for key, _ in first] == [b"a"]
    assert [(key, ToyCodec().decode_row(key, row or b"").count) for key, row in more] == [
        (b"b", 2),
        (b"c", 1),
    ]
    assert (table.checkpoint_left, table.unwritten_count) == (0, 1)
    assert [key for key, _ in table.take_all()] == [b"d"], "b was written as it is now"


def test_a_row_changed_many_times_is_encoded_once() -> None:
    table = Table(ToyCodec(), MemoryStore(), max_hot_rows=10)
    for count in range(5):
        table.put(b"a", Counters("a", count=count))

    assert [key for key, _ in table.take_all()] == [b"a"]
    assert table.take_all() == []


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    pytest.importorskip("rocksdict")
    return tmp_path


def rows_of(store: Store) -> dict[bytes, bytes]:
    return dict(store.items())


def test_a_disk_store_closed_cleanly_comes_back_with_its_rows_and_position(disk: Path) -> None:
    store = DiskStore(disk, "app/topic")
    store.put_all([(b"a", b"1"), (b"b", b"2"), (b"a", None)])
    store.position = 17
    store.close()

    again = DiskStore(disk, "app/topic")
    assert (rows_of(again), again.position) == ({b"b": b"2"}, 17)


def test_a_disk_store_that_was_not_closed_is_emptied(disk: Path) -> None:
    store = DiskStore(disk, "app/topic")
    store.put_all([(b"a", b"never durable")])
    del store

    again = DiskStore(disk, "app/topic")
    assert (rows_of(again), again.position) == ({}, 0)


def test_a_disk_store_of_another_application_is_emptied(disk: Path) -> None:
    store = DiskStore(disk, "app/topic")
    store.put_all([(b"a", b"1")])
    store.position = 1
    store.close()

    assert rows_of(DiskStore(disk, "other/topic")) == {}


@pytest.mark.parametrize("row", [b"no json", b"[]", b"null", b"\xff"])
def test_a_row_that_cannot_be_read_is_reported_with_its_topic_and_never_with_its_key(row: bytes) -> None:
    store = MemoryStore()
    store.put_all([(b"secret-customer", row)])
    table = Table(ToyCodec(), store, max_hot_rows=2, name="rows/3")

    for look in (table.index, lambda: table.get(b"secret-customer"), lambda: list(table.applied())):
        with pytest.raises(EngineError) as failure:
            look()

        assert failure.value.code == Exit.DATA_LOSS
        assert str(failure.value).startswith("rows/3 holds a row that this version cannot read (")
        assert "secret" not in str(failure.value)


@pytest.mark.parametrize("seal", ["", "{", "[]", '{"identity":"app/topic"}'])
def test_an_incomplete_seal_does_not_count(tmp_path: Path, seal: str) -> None:
    store = DiskStore(tmp_path, "app/topic")
    store.put_all([(b"a", b"1")])
    store.position = 9
    store.close()
    (tmp_path / "closed-cleanly.json").write_text(seal)

    again = DiskStore(tmp_path, "app/topic")

    assert (again.position, again.get(b"a")) == (0, None)
    again.close()


def test_a_directory_that_cannot_be_used_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    options = EngineOptions(
        app_id="a", bootstrap="nowhere:1", inputs=("t",), changelog="rows", store=tmp_path / "file"
    )

    with pytest.raises(EngineError, match=r"the store in .*/file/2 cannot be opened") as failure:
        new_store(options, 2)

    assert failure.value.code == Exit.CONFIGURATION


def test_the_limit_of_live_rows_holds_for_all_partitions_together() -> None:
    options = EngineOptions(
        app_id="hot", bootstrap="127.0.0.1:1", inputs=TOPICS, changelog="rows", max_hot_rows=8,
        producer={"log_level": 0},
    )  # fmt: skip
    app = EngineApp(options, ToyCodec())
    ends = {PartitionId(topic, partition): 0 for topic in TOPICS for partition in range(4)}
    points = dict.fromkeys(ends, CommitPoint(0))
    tables = [app._new_lane(partition, points, ends, 4).table for partition in range(4)]
    for table in tables:
        for number in range(20):
            table.put(b"%d" % number, Counters(str(number)))
        table.store_written(table.take_all())
    assert sum(len(table._hot) for table in tables) <= 8
