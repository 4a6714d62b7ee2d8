"""Flushes: rows and records become durable, then the offsets of the input behind them are committed.

The order, which is the guarantee:

1.  Produce, acknowledge, commit, forget. A flush first makes sure that this worker still owns its partitions.
    It takes a batch of each lane (between two awaits, so that a row and the records in its outbox are of one
    instant) and hands it to the producer. When Kafka has acknowledged all of it, the commit points are
    committed; only then does the lane forget what was in the batch. A crash at any point lets input come
    again, and none is lost.
2.  One flush is under way at a time. Events are applied meanwhile; their changes belong to the next flush.
3.  At least once: a record in the outbox of a row may be sent before that row (`send_early`), so that alerts
    do not wait for a flush (docs/decisions/0009). After a crash it is sent once more.
4.  Exactly once: rows, records and offsets of a lane are one transaction (output/commit.py). Nothing leaves
    before it, and readers see its records when it ends.

When a flush starts, and how many rows it takes:

5.  Near the head of the topics (few records are still to be read) flushes follow each other at the
    committer's pace. Encoding rows keeps events waiting, so a flush takes as many rows as need about a tenth
    of the time since the one before, or more where they would wait longer than `flush_interval_s`. The commit
    follows when the last row of the lane's checkpoint is written (task/lane.py, rule 6; docs/decisions/0012).
6.  Far from the head a flush takes whole lanes, and waits until the changes are a tenth of the backlog: a row
    that changes often is then written once. No lane waits longer than `flush_interval_s`.
7.  When half of `max_unflushed` moments are not committed, a flush takes everything; beyond `max_unflushed`
    the agent waits for it.
8.  With at least once the flusher also checks every `look_every_s` whether a changelog is longer than it made
    it. Then a replaced worker wrote there as well, and this one exits: its next start repairs the rows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from aiokafka.errors import KafkaError as AIOKafkaError

from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.output.commit import Committer
from stream.engine.task.batch import FlushBatch
from stream.engine.task.lane import Lane

Work = Callable[[], Coroutine[Any, Any, None]]
SHARE_OF_BACKLOG = 0.1
"""Of what is still to be read, so much is applied between two flushes: alerts come late by a tenth of the
lag."""
SHARE_OF_TIME = 0.1
"""Of the event loop's time that encoding rows may take near the head of the topics."""
QUIET_S = 0.1
"""How long encoding rows may take at once when no event was at hand: one may come meanwhile."""
ROW_S = 20e-6
"""Time to encode a row, until it was measured."""
ROW_S_WEIGHT = 0.2
"""Weight of the newest measurement in the moving average of it."""
BUSY_S = 5.0
"""How long a revocation waits for the agent to come to the end of a lane's moments."""
BUSY_PAUSE_S = 0.005
ALL = 1 << 62
"""No limit of rows."""
LONG_AGO_S = 1e9
"""The first flush waits for none before it. A monotonic clock may have begun only with the machine."""


class Flusher:
    """Decides when a flush starts, and keeps its order (rule 1)."""

    def __init__(
        self,
        *,
        options: EngineOptions,
        delivery: Delivery[Any],
        committer: Committer,
        until_owned: Callable[[], Awaitable[None]],
        fail: FailStop,
    ) -> None:
        self._options = options
        self._delivery = delivery
        self._committer = committer
        self._until_owned = until_owned
        self._fail = fail
        self._under_way: asyncio.Task[None] | None = None
        self._quiet = True  # the last poll brought nothing, and no lane waited for the agent
        self._row_s = ROW_S
        self._born_s = time.monotonic()
        self._last_start = self._last_look = self._born_s - LONG_AGO_S
        self._checkpoint_s: dict[int, float] = {}  # partition -> when its last checkpoint was made
        self.on_flushed: Callable[[float], object] = lambda seconds: None

    async def flush_if_due(self) -> None:
        """Called by the agent after the moments of a lane. Waits while too much is not durable (rule 7)."""
        self.send_early()
        self.maybe_flush()
        while self._under_way is not None and self._uncommitted() > self._options.max_unflushed:
            await asyncio.wait([self._under_way])
            self.maybe_flush()

    def send_early(self) -> None:
        """Send the records that may leave before the rows in whose outbox they are (rule 3)."""
        for lane in self._delivery.lanes.values():
            if lane.outgoing and lane.open and not lane.busy:
                lane.offer_outgoing(self._committer.send_before_rows)

    def maybe_flush(self) -> None:
        """Start a flush if one is due and none is under way. Does not wait."""
        if self._under_way is not None:
            return
        lanes, row_limit = self._lanes_due()
        if lanes:
            self._start(partial(self._flush, lanes, row_limit))

    def on_poll(self, *, quiet: bool) -> None:
        """Called after every poll: start a flush or a look for other writers, if one is due."""
        self._quiet = quiet
        self.maybe_flush()
        if self._under_way is None and self._is_look_due():
            self._start(self._look_for_other_writers)

    async def drain(self) -> None:
        """Flush until everything given out is durable and committed, or the process fails.

        The agent may be in the middle of a lane's moments: it is waited for, for BUSY_S at most. What it does
        after that is not flushed, and comes again.
        """
        until_s = time.monotonic() + BUSY_S
        while True:
            if self._under_way is not None:
                await asyncio.wait([self._under_way])
            elif self._fail.reason is None and self._busy() and time.monotonic() < until_s:
                await asyncio.sleep(BUSY_PAUSE_S)
            elif self._fail.reason is None and self._dirty():
                self._start(partial(self._flush, self._dirty(), ALL))
            else:
                return

    def _busy(self) -> bool:
        return any(lane.open and lane.busy for lane in self._delivery.lanes.values())

    def _dirty(self) -> list[Lane[Any]]:
        return [lane for lane in self._delivery.lanes.values() if lane.open and not lane.busy and lane.dirty]

    def _uncommitted(self) -> int:
        return sum(lane.uncommitted for lane in self._delivery.lanes.values())

    def _lanes_due(self) -> tuple[list[Lane[Any]], int]:
        """The lanes to flush now, the longest waiting first, and how many rows of them (rules 5 to 7)."""
        now_s, interval_s = time.monotonic(), self._options.flush_interval_s
        since_last_s = now_s - self._last_start
        if since_last_s < min(self._committer.pace_s, interval_s):
            return [], 0  # nearly always: this is asked after every poll
        lanes, uncommitted = sorted(self._dirty(), key=self._waiting_since_s), self._uncommitted()
        if uncommitted > self._options.max_unflushed / 2:
            return lanes, ALL
        if uncommitted < SHARE_OF_BACKLOG * self._delivery.backlog:
            return [lane for lane in lanes if self._waiting_since_s(lane) <= now_s - interval_s], ALL
        return lanes, self._row_limit(since_last_s)

    def _waiting_since_s(self, lane: Lane[Any]) -> float:
        """Changes of the lane may wait since then; one with a checkpoint under way always goes first."""
        return 0.0 if lane.partly_written else self._checkpoint_s.get(lane.partition, self._born_s)

    def _row_limit(self, since_last_s: float) -> int:
        """How many rows a flush near the head of the topics takes (rule 5)."""
        waiting = sum(lane.table.unwritten_count for lane in self._delivery.lanes.values())
        in_time = since_last_s / max(since_last_s, self._options.flush_interval_s) * waiting
        encoding_s = QUIET_S if self._quiet else SHARE_OF_TIME * since_last_s
        return int(max(in_time, encoding_s / self._row_s)) + 1

    def _start(self, work: Work) -> None:
        self._under_way = asyncio.get_running_loop().create_task(self._guarded(work))

    async def _guarded(self, work: Work) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except AIOKafkaError as away:  # the group's coordinator, or the leader of a changelog partition
            text = f"Kafka at {self._options.bootstrap} does not answer: {away!r}; nothing wrong is committed"
            self._fail(EngineError(Exit.PRODUCER, text))
        except BaseException as failure:
            self._fail(failure)
        finally:
            self._under_way = None
        if self._fail.reason is None:
            self.maybe_flush()

    async def _flush(self, lanes: Sequence[Lane[Any]], row_limit: int) -> None:
        started = self._last_start = time.monotonic()
        await self._until_owned()
        batches = self._take_batches(lanes, row_limit)
        await self._committer.commit([batch for _, batch in batches])
        for lane, batch in batches:
            lane.note_durable(batch)
        if self._is_look_due():
            await self._look_for_other_writers()
        self.on_flushed(time.monotonic() - started)

    def _take_batches(self, lanes: Sequence[Lane[Any]], row_limit: int) -> list[tuple[Lane[Any], FlushBatch]]:
        """Without an await: a row and the records in its outbox are of one instant."""
        began_s, left, dirty = time.perf_counter(), row_limit, self._dirty()
        batches: list[tuple[Lane[Any], FlushBatch]] = []
        for lane in lanes:
            if lane not in dirty or not (left > 0 or lane.has_outbox_records):
                continue
            if left > 0 and not lane.partly_written:
                self._checkpoint_s[lane.partition] = self._last_start
            batch = lane.take_batch(left)
            left -= len(batch.rows)
            self._committer.write(batch)
            batches.append((lane, batch))
        if rows := sum(len(batch.rows) for _, batch in batches):
            self._row_s += ROW_S_WEIGHT * ((time.perf_counter() - began_s) / rows - self._row_s)
        return batches

    def _is_look_due(self) -> bool:
        if self._committer.fence is None or not self._delivery.lanes:
            return False
        return time.monotonic() - self._last_look >= self._options.look_every_s

    async def _look_for_other_writers(self) -> None:
        """EngineError: a changelog is longer than we made it, or shorter (rule 8)."""
        self._last_look = time.monotonic()
        lanes = list(self._delivery.lanes.values())
        ends = await self._committer.changelog_ends([lane.partition for lane in lanes])
        for lane in lanes:
            end, ours = ends.get(lane.partition), lane.table.position
            if end is None or end == ours:
                continue
            name = f"{self._options.changelog}/{lane.partition}"
            if end < ours:
                text = (
                    f"{name} ends at {end}, but rows up to {ours} were written: it was cut or created again"
                )
                raise EngineError(Exit.DATA_LOSS, text)
            text = f"{name} ends at {end}, but our rows at {ours}: a replaced worker wrote there as well"
            raise EngineError(Exit.FENCED, f"{text}; starting again repairs its rows")
