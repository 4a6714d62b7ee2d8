"""Partitions are revoked: a store is sealed with the position up to which it really is complete."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream.engine import app as engine_app
from stream.engine.app import EngineApp
from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.state import recovery
from stream.engine.state.store import DiskStore, new_store
from stream.engine.task.commit_point import CommitPoint
from stream.engine.task.lane import Lane
from tests.support.engine_model import Raw, fetched
from tests.support.toy_app import TOPICS, Counters, ToyCodec, ToyProcessor

pytest.importorskip("rocksdict")
EVENT = b'{"key":"a","time_ms":1}'
END = 7


class RevokedApp:
    """An app with one open lane, whose partition is revoked. The test gives the end of the changelog."""

    def __init__(self, folder: Path) -> None:
        self.options = EngineOptions(
            app_id="revoked", bootstrap="127.0.0.1:1", inputs=TOPICS, changelog="rows", store=folder,
            producer={"log_level": 0},
        )  # fmt: skip
        self.app: EngineApp[Counters] = EngineApp(self.options, ToyCodec())
        ends = {PartitionId(topic, 0): 0 for topic in TOPICS}
        points = dict.fromkeys(ends, CommitPoint(0))
        self.lane: Lane[Counters] = self.app._new_lane(0, points, ends, 1)
        self.lane.table.position = END
        self.app.delivery.open_lane(self.lane)
        self.asked, self.answer = threading.Event(), threading.Event()

    def changelog_end(self, _options: EngineOptions, _partition: int) -> int:
        self.asked.set()
        assert self.answer.wait(10)
        return END

    async def close_lanes(self) -> int:
        """Returns how many moments the agent got while the end of the changelog was asked for."""
        closing = asyncio.create_task(self.app._release_lanes())
        while not self.asked.is_set():
            await asyncio.sleep(0.001)
        tp = PartitionId(TOPICS[0], 0)
        self.app.delivery.distribute([tp], {tp: fetched([Raw(*tp, 0, EVENT)])}, {tp: 1}, 0.0)
        given, processor = 0, ToyProcessor("out")
        for moment in self.lane.moments():
            processor.apply(self.lane, moment)
            given += 1
        self.answer.set()
        await closing
        return given

    def sealed_at(self) -> int:
        store = new_store(self.options, 0)
        assert isinstance(store, DiskStore)
        return store.position


@pytest.fixture
def revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RevokedApp]:
    here = RevokedApp(tmp_path)
    monkeypatch.setattr(engine_app, "changelog_end", here.changelog_end)
    yield here
    here.answer.set()


def test_nothing_is_given_out_after_the_last_commit(revoked: RevokedApp) -> None:
    """It would change rows that the store, which is being sealed, does not get any more."""
    assert asyncio.run(revoked.close_lanes()) == 0
    assert revoked.sealed_at() == END


@pytest.mark.parametrize("where", ["void", "rewriting"])
def test_a_store_with_rows_to_rewrite_is_not_sealed(revoked: RevokedApp, where: str) -> None:
    """The next worker would read on from its position, and never see the void records in front of it."""
    setattr(revoked.lane.table, where, {b"b"})

    asyncio.run(revoked.close_lanes())

    assert revoked.sealed_at() == 0


def test_a_broker_that_is_frozen_when_a_store_is_sealed_is_one_line_and_no_fault_of_ours(
    revoked: RevokedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was 70, with a traceback; at a stop it depended on which of two time-outs of 30 s came first."""

    def unanswered(*_: object) -> tuple[int, int]:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    monkeypatch.setattr(engine_app, "changelog_end", recovery.changelog_end)
    monkeypatch.setattr(recovery, "_first_and_next", unanswered)
    with pytest.raises(EngineError, match="no answer from Kafka about the end of rows/0") as ended:
        asyncio.run(revoked.app._release_lanes())

    assert ended.value.code == Exit.PRODUCER


def test_a_full_disk_at_the_stop_is_one_line_and_an_exit_code(monkeypatch, tmp_path):
    revoked, codes = RevokedApp(tmp_path / "rows"), list[int]()
    revoked.answer.set()
    monkeypatch.setattr(engine_app, "changelog_end", revoked.changelog_end)
    monkeypatch.setattr(revoked.app, "_consumer", object())
    monkeypatch.setattr(revoked.app.fail, "exit", codes.append)
    monkeypatch.setattr(revoked.app.fail, "leave", lambda: None)

    async def nothing() -> None:
        """No fetcher runs."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(revoked.app, "_stop_fetcher", nothing)
    monkeypatch.setattr(Path, "write_text", full)
    asyncio.run(revoked.app._stop_consumer())

    assert codes == [71]
    assert "cannot be written" in str(revoked.app.fail.reason)
    assert "No space left on device" in str(revoked.app.fail.reason)
