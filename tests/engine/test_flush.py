"""When a flush starts and what it takes: often and little near the head of the topics, seldom far from it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from stream.engine.failure import FailStop
from stream.engine.output.commit import Committer
from stream.engine.output.flush import ALL, SHARE_OF_BACKLOG, Flusher
from stream.engine.task.batch import FlushBatch, Outgoing
from tests.support.lane_pipe import ENGAGEMENT, PROCESSOR, Pipe, event

APPLIED = 20
FAR = round(APPLIED / SHARE_OF_BACKLOG)


class Notes:
    """A committer that only notes what it was given."""

    fence = None

    def __init__(self, pace_s: float = 0.0, ahead: bool = True) -> None:
        self.pace_s = pace_s
        self.ahead = ahead
        self.flushed: list[int] = []
        self.partitions: list[list[int]] = []
        self.sent: list[tuple[str, bytes | None]] = []

    def send_before_rows(self, records: list[Outgoing]) -> list[Outgoing]:
        if not self.ahead:
            return records
        self._note(records)
        return []

    def _note(self, records: list[Outgoing]) -> None:
        self.sent += [(record.topic, record.value) for record in records]

    def write(self, batch: FlushBatch) -> None:
        self.flushed.append(len(batch.rows))
        self._note(batch.outgoing)

    async def commit(self, batches: list[FlushBatch]) -> None:
        self.partitions.append([batch.partition for batch in batches])


def flusher_of(pipe: Pipe, notes: Notes) -> Flusher:
    async def owned() -> None:
        return

    return Flusher(
        options=pipe.options,
        delivery=pipe.delivery,
        committer=cast(Committer, notes),
        until_owned=owned,
        fail=FailStop(),
    )


async def rows_flushed(still_to_come: int, flush_interval_s: float) -> list[int]:
    """Rows per flush, when `APPLIED` events of different keys were applied since the last one."""
    pipe, notes = Pipe(reference=None, ticks=None, flush_interval_s=flush_interval_s), Notes()
    flusher = flusher_of(pipe, notes)

    async def applied(count: int, to_come: int) -> None:
        first = pipe.lane.applied_count
        pipe.feed(ENGAGEMENT, *(event(f"c{first + n}", first + n) for n in range(count)))
        source = pipe.lane.sources[1]
        source.highwater = source.expected + to_come
        pipe.moments()
        flusher.maybe_flush()
        if flusher._under_way:
            await flusher._under_way

    await applied(1, 0)  # the clock of the flusher starts
    await applied(APPLIED, still_to_come)
    return notes.flushed[1:]


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


async def sent_and_flushed(notes: Notes) -> tuple[list[tuple[str, bytes | None]], list[int]]:
    """Records sent, and rows of each flush, after one flush and one more event."""
    pipe = Pipe(reference=None, ticks=None, flush_interval_s=3_600.0)
    flusher = flusher_of(pipe, notes)
    for number in range(2):
        pipe.feed(ENGAGEMENT, event(f"c{number}", number))
        pipe.moments()
        pipe.lane.send("alerts", b"c", f"alert {number}".encode(), row=f"c{number}".encode())
        await flusher.flush_if_due()
        if flusher._under_way:
            await flusher._under_way
    return notes.sent, notes.flushed


def test_an_alert_does_not_wait_for_the_flush_of_its_row() -> None:
    sent, flushed = asyncio.run(sent_and_flushed(Notes(pace_s=1_800.0)))
    assert sent == [("alerts", b"alert 0"), ("alerts", b"alert 1")]
    assert flushed == [1]  # the second row waits until it is time again


def test_in_a_transaction_an_alert_leaves_with_its_row() -> None:
    sent, flushed = asyncio.run(sent_and_flushed(Notes(pace_s=1_800.0, ahead=False)))
    assert (sent, flushed) == ([("alerts", b"alert 0")], [1])


def pipes_of(count: int, **options: Any) -> tuple[list[Pipe], Flusher, Notes]:
    """So many lanes, and one flusher for all of them."""
    pipes = [Pipe(partition=number, reference=None, ticks=None, **options) for number in range(count)]
    notes = Notes()
    flusher = flusher_of(pipes[0], notes)
    for pipe in pipes:
        pipes[0].delivery.lanes[pipe.lane.partition] = pipe.lane
    return pipes, flusher, notes


def more_events(pipe: Pipe, count: int) -> None:
    """Events of different keys, one ms apart."""
    first = pipe.lane.applied_count
    pipe.feed(ENGAGEMENT, *(event(f"c{first + n}", first + n) for n in range(count)))
    pipe.moments()


def committed(pipe: Pipe) -> int:
    return pipe.lane.committed_offset(ENGAGEMENT)


@pytest.mark.parametrize(
    ("waited_s", "flush_interval_s", "quiet", "rows"),
    [
        (1.0, 3_600.0, False, 10),
        (0.1, 3_600.0, False, 1),
        (0.1, 3_600.0, True, 10),
        (0.1, 0.2, False, 50),
        (0.1, 0.1, False, 100),
        (7.0, 0.1, False, 100),
    ],
    ids=["a tenth of a second", "less", "nothing at hand", "half of the interval", "all of it", "late"],
)
def test_near_the_head_rows_take_a_tenth_of_the_time_but_none_waits_too_long(
    waited_s: float, flush_interval_s: float, quiet: bool, rows: int
) -> None:
    [pipe], flusher, _ = pipes_of(1, flush_interval_s=flush_interval_s)
    more_events(pipe, 100)
    flusher._quiet, flusher._row_s = quiet, 0.0099

    assert flusher._row_limit(waited_s) == rows + 1


def test_offsets_are_committed_when_the_last_row_of_their_input_is_written() -> None:
    [pipe], flusher, notes = pipes_of(1)
    more_events(pipe, 5)
    found = []
    for _ in range(4):
        asyncio.run(flusher._flush([pipe.lane], 2))
        found.append(
            (notes.flushed[-1], committed(pipe), pipe.lane.committed_flush, pipe.lane.partly_written)
        )
        more_events(pipe, 1)  # belongs to the next commit

    assert found == [(2, 0, 1, True), (2, 0, 2, True), (1, 5, 3, False), (2, 5, 4, True)]


def test_a_lane_with_a_checkpoint_under_way_goes_first() -> None:
    pipes, flusher, notes = pipes_of(3, flush_interval_s=3_600.0)
    flusher._row_limit = lambda since_last_s: 4  # type: ignore[method-assign]
    for pipe in pipes:
        more_events(pipe, 3)
    for _ in range(3):
        asyncio.run(flusher._flush(*flusher._lanes_due()))

    assert notes.partitions == [[0, 1], [1, 2], [2]]
    assert notes.flushed == [3, 1, 2, 2, 1]


def test_a_record_in_an_outbox_leaves_with_its_row_alone() -> None:
    [pipe], flusher, notes = pipes_of(1)
    more_events(pipe, 3)
    pipe.lane.send("alerts", b"c1", b"alert", row=b"c1")
    pipe.lane.send("deadletter", b"c2", b"letter")

    asyncio.run(flusher._flush([pipe.lane], 0))
    assert (notes.flushed, notes.sent) == ([1], [("alerts", b"alert")])
    assert (committed(pipe), pipe.lane.committed_flush, pipe.lane.partly_written) == (0, 1, False)

    asyncio.run(flusher._flush([pipe.lane], 9))
    assert (notes.flushed, notes.sent[1:]) == ([1, 2], [("deadletter", b"letter")])
    assert (committed(pipe), pipe.lane.committed_flush) == (3, 2)


def test_the_row_of_an_alert_that_was_sent_early_is_in_the_next_flush() -> None:
    """Otherwise a crash would send it again as long as other rows are written first."""
    [pipe], flusher, notes = pipes_of(1)
    more_events(pipe, 3)
    pipe.lane.send("alerts", b"c1", b"alert", row=b"c1")
    flusher.send_early()
    assert notes.sent == [("alerts", b"alert")]

    asyncio.run(flusher._flush([pipe.lane], 0))
    assert (notes.flushed, pipe.lane.table.unwritten_count) == ([1], 2)
    asyncio.run(flusher._flush([pipe.lane], 0))
    assert (notes.flushed, notes.sent) == ([1], [("alerts", b"alert")])


def test_a_lane_for_which_no_rows_are_left_takes_part_if_it_has_records_of_an_outbox() -> None:
    pipes, flusher, notes = pipes_of(3)
    for pipe in pipes:
        more_events(pipe, 3)
    pipes[2].lane.send("alerts", b"c0", b"alert", row=b"c0")
    asyncio.run(flusher._flush([pipe.lane for pipe in pipes], 3))

    assert (notes.partitions, notes.flushed) == ([[0, 2]], [3, 1])
    assert [committed(pipe) for pipe in pipes] == [3, 0, 0]


def test_all_rows_are_written_before_the_agent_would_have_to_wait() -> None:
    [pipe], flusher, _ = pipes_of(1, flush_interval_s=3_600.0, max_unflushed=10)
    more_events(pipe, 5)
    assert flusher._lanes_due()[1] < ALL
    more_events(pipe, 1)
    assert flusher._lanes_due() == ([pipe.lane], ALL)


def test_no_lane_waits_longer_than_the_interval() -> None:
    pipes, flusher, notes = pipes_of(4, flush_interval_s=0.0)
    for pipe in pipes:
        more_events(pipe, 3)
        pipe.lane.sources[1].highwater += 1_000  # far from the head
    asyncio.run(flusher._flush(*flusher._lanes_due()))

    assert (notes.partitions, notes.flushed) == ([[0, 1, 2, 3]], [3] * 4)


def test_a_revocation_waits_for_the_agent_in_the_middle_of_a_batch() -> None:
    async def flushed() -> list[int]:
        pipe, notes = Pipe(reference=None, ticks=None), Notes()
        flusher = flusher_of(pipe, notes)
        pipe.feed(ENGAGEMENT, *(event(f"c{n}", n) for n in range(4)))
        moments = pipe.lane.moments()
        PROCESSOR.apply(pipe.lane, next(moments))
        draining = asyncio.create_task(flusher.drain())
        await asyncio.sleep(0)
        assert notes.flushed == []
        for moment in moments:
            PROCESSOR.apply(pipe.lane, moment)
        await draining
        return notes.flushed

    assert asyncio.run(flushed()) == [4]


def test_a_revocation_gives_up_an_agent_that_does_not_come_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def flushed() -> list[int]:
        pipe, notes = Pipe(reference=None, ticks=None), Notes()
        pipe.feed(ENGAGEMENT, *(event(f"c{n}", n) for n in range(4)))
        moments = pipe.lane.moments()
        PROCESSOR.apply(pipe.lane, next(moments))
        await flusher_of(pipe, notes).drain()
        return notes.flushed

    monkeypatch.setattr("stream.engine.output.flush.BUSY_S", 0.0)
    assert asyncio.run(flushed()) == []
