"""What a worker asks of the group's commit points, and what it concludes without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.input.delivery import Delivery
from stream.engine.output.group import Group
from stream.engine.output.group_watch import GroupWatch
from stream.engine.partition_id import PartitionId
from stream.engine.task.commit_point import CommitPoint, CommitPoints
from stream.engine.task.group_progress import Clocks, GroupProgress
from tests.support.group_simulation import PURCHASES, options
from tests.support.toy_app import HOUR_MS, TOPICS, ToyCodec

PARTITIONS = {0, 1, 2}
NOW_MS = 500_000 * HOUR_MS


class Member:
    """The group's coordinator, as this worker sees it."""

    def __init__(self) -> None:
        self.points: CommitPoints = {}
        self.ends: dict[PartitionId, int] = {}
        self.asked: list[set[PartitionId]] = []
        self.failure: Exception | None = None

    def partitions_for_topic(self, topic: str) -> set[int]:
        return PARTITIONS

    async def committed_points(self, tps: Iterable[PartitionId]) -> CommitPoints:
        self.asked.append(set(tps))
        if self.failure is not None:
            raise self.failure
        return self.points

    async def next_offsets(self, tps: Iterable[PartitionId]) -> dict[PartitionId, int]:
        return dict.fromkeys(tps, 0) | self.ends


class Watched:
    """A worker that has some of the partitions."""

    def __init__(self, ours: set[int]) -> None:
        how = options()
        self.now_s = 1_000.0
        self.member = Member()
        self.progress = GroupProgress(how, Clocks(lambda: NOW_MS, lambda: self.now_s))
        delivery: Delivery[Any] = Delivery(ToyCodec(), None, self.progress)
        delivery.lanes = dict.fromkeys(ours)  # type: ignore[assignment]  # only their numbers matter
        group = Group(lambda: self.member, 1.0)  # type: ignore[arg-type, return-value]
        self.watch = GroupWatch(how, group, delivery, FailStop())

    def look(self, after_s: float = 10.0) -> None:
        self.now_s += after_s
        asyncio.run(self.watch.look())


def test_only_the_partitions_of_others_are_asked_for():
    here = Watched({0, 2})
    here.look()

    assert here.member.asked == [{PartitionId(topic, 1) for topic in TOPICS}]


def test_a_worker_that_has_all_partitions_asks_nothing():
    here = Watched({0, 1, 2})
    here.look()

    assert here.member.asked == []


def test_what_others_have_read_moves_the_reference():
    here = Watched({0})
    here.member.points = {PartitionId(PURCHASES, 1): CommitPoint(7, flush=3, clock_ms=9, given_ms=NOW_MS)}
    here.look()

    assert (here.progress.reference_ms, here.progress.newest_ms) == (NOW_MS, NOW_MS)


def test_what_others_are_sent_ends_the_quiet():
    here = Watched({0})
    here.look()
    first_s = here.now_s
    here.look()
    assert here.progress.read_s == first_s, "no log has grown since"

    here.member.ends = {PartitionId(PURCHASES, 1): 8}
    here.look()
    assert here.progress.read_s == here.now_s


@pytest.mark.parametrize(
    "failure", [KafkaConnectionError(), EngineError(Exit.CONFIGURATION, "set by hand"), TimeoutError()]
)
def test_without_an_answer_others_may_be_reading(failure):
    here = Watched({0})
    here.member.failure = failure
    here.look(after_s=1_000.0)

    assert not here.progress.quiet
