"""When a flush starts: at once near the head of the topics, with a share of the backlog far from it."""

from __future__ import annotations

import asyncio

import pytest

from stream.engine.failure import FailStop
from stream.engine.flush import SHARE_OF_BACKLOG, Flusher
from stream.engine.lane import Outgoing
from stream.engine.outlet import Cargo
from tests.engine.test_lane import ENGAGEMENT, Pipe, event

APPLIED = 20
FAR = round(APPLIED / SHARE_OF_BACKLOG)


class Ledger:
    """An outlet that only notes what it was given."""

    fence = None

    def __init__(self, pace_s: float = 0.0, ahead: bool = True, turns: int = 1) -> None:
        self.pace_s = pace_s
        self.turns = turns
        self.ahead = ahead
        self.flushed: list[int] = []
        self.partitions: list[list[int]] = []
        self.sent: list[tuple[str, bytes | None]] = []

    def send_ahead(self, records: list[Outgoing]) -> list[Outgoing]:
        if not self.ahead:
            return records
        self._note(records)
        return []

    def _note(self, records: list[Outgoing]) -> None:
        self.sent += [(record.topic, record.value) for record in records]

    def write(self, cargo: Cargo) -> None:
        self.flushed.append(len(cargo.rows))
        self._note(cargo.outgoing)

    async def settle(self, cargoes: list[Cargo]) -> None:
        self.partitions.append([cargo.lane.partition for cargo in cargoes])


def flusher_of(pipe: Pipe, ledger: Ledger) -> Flusher:
    async def own() -> None:
        return

    return Flusher(options=pipe.options, delivery=pipe.delivery, outlet=ledger, own=own, fail=FailStop())


async def rows_flushed(still_to_come: int, flush_interval_s: float) -> list[int]:
    """Rows per flush, when `APPLIED` events of as many customers were applied since the last one."""
    pipe, ledger = Pipe(heartbeat=None, ticks=None, flush_interval_s=flush_interval_s), Ledger()
    flusher = flusher_of(pipe, ledger)

    async def applied(count: int, to_come: int) -> None:
        first = pipe.lane.applied_count
        pipe.feed(ENGAGEMENT, *(event(f"c{first + n}", first + n) for n in range(count)))
        source = pipe.lane.sources[1]
        source.highwater = source.expected + to_come
        pipe.moments()
        flusher.consider()
        if flusher._under_way:
            await flusher._under_way

    await applied(1, 0)  # the clock of the flusher starts
    await applied(APPLIED, still_to_come)
    return ledger.flushed[1:]


@pytest.mark.parametrize(
    ("still_to_come", "flush_interval_s", "flushed"),
    [
        (0, 3_600.0, [APPLIED]),
        (FAR - 20, 3_600.0, [APPLIED - 1]),  # with more to come, the merge holds the last one back
        (FAR * 2, 3_600.0, []),
        (FAR * 2, 0.0, [APPLIED - 1]),
    ],
    ids=["at the head", "near it", "far from it", "far from it, and the interval is over"],
)
def test_a_flush_waits_for_a_share_of_what_is_still_to_come(still_to_come, flush_interval_s, flushed):
    assert asyncio.run(rows_flushed(still_to_come, flush_interval_s)) == flushed


async def sent_and_flushed(ledger: Ledger) -> tuple[list[tuple[str, bytes | None]], list[int]]:
    """What is out, and the rows of each flush, when one flush is done and an event more was applied."""
    pipe = Pipe(heartbeat=None, ticks=None, flush_interval_s=3_600.0)
    flusher = flusher_of(pipe, ledger)
    for number in range(2):
        pipe.feed(ENGAGEMENT, event(f"c{number}", number))
        pipe.moments()
        pipe.lane.send("alerts", b"c", f"alert {number}".encode())
        await flusher.settle()
        if flusher._under_way:
            await flusher._under_way
    return ledger.sent, ledger.flushed


def test_an_alert_does_not_wait_for_the_flush_of_the_row_that_remembers_it() -> None:
    sent, flushed = asyncio.run(sent_and_flushed(Ledger(pace_s=1_800.0)))
    assert sent == [("alerts", b"alert 0"), ("alerts", b"alert 1")]
    assert flushed == [1]  # the second row waits until it is time again


def test_an_alert_of_a_transaction_leaves_with_its_row() -> None:
    sent, flushed = asyncio.run(sent_and_flushed(Ledger(pace_s=1_800.0, ahead=False)))
    assert (sent, flushed) == ([("alerts", b"alert 0")], [1])


async def partitions_flushed(lanes: int, turns: int, flushes: int, **options: float) -> list[list[int]]:
    """The partitions that each flush took along, with an event more for every partition before each."""
    ledger = Ledger(turns=turns)
    pipes = [Pipe(heartbeat=None, ticks=None, **options) for _ in range(lanes)]
    flusher = flusher_of(pipes[0], ledger)
    for number, pipe in enumerate(pipes):
        pipe.lane.partition = number
        pipes[0].delivery.lanes[number] = pipe.lane
    for number in range(flushes):
        for pipe in pipes:
            pipe.feed(ENGAGEMENT, event(f"c{number}", number))
            pipe.moments()
        await flusher._flush(flusher._due())
    return ledger.partitions


@pytest.mark.parametrize(
    ("lanes", "turns", "taken"),
    [
        (4, 4, [[0], [1], [2], [3], [0]]),
        (6, 4, [[0, 1], [2, 3], [4, 5], [0, 1], [2, 3]]),
        (1, 4, [[0]] * 5),
        (4, 1, [[0, 1, 2, 3]] * 5),
    ],
)
def test_near_the_head_the_partitions_take_turns(lanes: int, turns: int, taken: list[list[int]]) -> None:
    found = asyncio.run(partitions_flushed(lanes, turns, 5, flush_interval_s=3_600.0))
    assert [sorted(each) for each in found] == taken


def test_no_partition_waits_for_its_turn_longer_than_the_interval() -> None:
    assert asyncio.run(partitions_flushed(4, 4, 2, flush_interval_s=0.0)) == [[0, 1, 2, 3]] * 2
