"""Partitions that are let go: what their stores are sealed with is what they hold."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.engine import app as engine_app
from stream.engine.app import EngineApp
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.state.store import DiskStore, new_store
from stream.engine.task.commit_point import CommitPoint
from stream.engine.task.lane import Lane
from tests.support.engine_model import Raw
from tests.support.toy_app import TOPICS, Counters, ToyCodec, ToyProcessor

pytest.importorskip("rocksdict")
EVENT = b'{"key":"a","time_ms":1}'
END = 7


class Letting:
    """An app with one open lane, told to let it go. Kafka's part is the end of the changelog."""

    def __init__(self, folder: Path) -> None:
        self.options = EngineOptions(
            app_id="letting", bootstrap="127.0.0.1:1", inputs=TOPICS, changelog="rows", store=folder,
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

    async def let_go(self) -> int:
        """How many moments the agent was given while the end of the changelog was asked for."""
        letting = asyncio.create_task(self.app._release_lanes())
        while not self.asked.is_set():
            await asyncio.sleep(0.001)
        tp = PartitionId(TOPICS[0], 0)
        self.app.delivery.distribute([tp], {tp: [Raw(*tp, 0, EVENT)]}, {tp: 1}, 0.0)
        given, processor = 0, ToyProcessor("out")
        for moment in self.lane.moments():
            processor.apply(self.lane, moment)
            given += 1
        self.answer.set()
        await letting
        return given

    def sealed_at(self) -> int:
        store = new_store(self.options, 0)
        assert isinstance(store, DiskStore)
        return store.position


@pytest.fixture
def letting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Letting]:
    here = Letting(tmp_path)
    monkeypatch.setattr(engine_app, "changelog_end", here.changelog_end)
    yield here
    here.answer.set()


def test_nothing_is_given_out_any_more_once_all_of_it_is_committed(letting: Letting) -> None:
    """It would be folded into rows of which the store that is being sealed knows nothing."""
    assert asyncio.run(letting.let_go()) == 0
    assert letting.sealed_at() == END


def test_a_store_that_knows_of_rows_to_mend_is_not_sealed(letting: Letting) -> None:
    """Who opens it reads on from there, and would never see the void records that hide them."""
    letting.lane.table.void = {b"b"}

    asyncio.run(letting.let_go())

    assert letting.sealed_at() == 0
