"""Rows and records become durable, then the offsets they came from are committed; never the other way round.

One flush is under way at a time. Folding goes on meanwhile; what it changes belongs to the next flush.
Near the head of the topics flushes follow each other at the outlet's pace. Each takes records with the rows
that remember them, and of the other rows as many as a tenth of the time allows: events wait while rows are
encoded, and a row that changed ten times meanwhile is written once. When a lane owes no row any more, the
offsets of its input are committed (docs/decisions/0012). Far from the head a flush takes whole lanes: the
more is still to come, the more it waits for. `flush_interval` is about the longest that a row waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.output.commit import Cargo, Outlet
from stream.engine.task.lane import Lane

Work = Callable[[], Coroutine[Any, Any, None]]
SHARE_OF_BACKLOG = 0.1
"""A flush waits until it holds so much of what is still to come: alerts come late by a tenth of the lag."""
SHARE_OF_TIME = 0.1
"""Of the loop's time that rows may take near the head of the topics, as long as none waits too long."""
QUIET_S = 0.1
"""How long rows may take when no event was at hand: one may come meanwhile."""
ROW_S = 20e-6  # of the loop's time, until it was measured
ALL = 1 << 62
LONG_AGO_S = 1e9
"""The first flush waits for none before it. A monotonic clock may have begun only with the machine."""


class Flusher:
    """Owns the order: produce, acknowledge, commit, forget."""

    def __init__(
        self,
        *,
        options: EngineOptions,
        delivery: Delivery[Any],
        outlet: Outlet,
        own: Callable[[], Awaitable[None]],
        fail: FailStop,
    ) -> None:
        self._options = options
        self._delivery = delivery
        self._outlet = outlet
        self._own = own
        self._fail = fail
        self._under_way: asyncio.Task[None] | None = None
        self._quiet = True  # nothing was at hand at the last poll
        self._row_s = ROW_S
        self._born_s = time.monotonic()
        self._last_start = self._last_look = self._born_s - LONG_AGO_S
        self._owing_since: dict[int, float] = {}  # when a partition began to owe its rows
        self.count = 0
        self.seconds = 0.0
        self.on_flushed: Callable[[float], object] = lambda seconds: None

    def _dirty(self) -> list[Lane[Any]]:
        return [lane for lane in self._delivery.lanes.values() if lane.open and not lane.busy and lane.dirty]

    async def settle(self) -> None:
        """Called after every delivery: start a flush when due; wait when too much is not yet durable."""
        self.send_ahead()
        self.consider()
        while self._under_way is not None and self._uncommitted() > self._options.max_unflushed:
            await asyncio.wait([self._under_way])
            self.consider()

    def send_ahead(self) -> None:
        """What need not wait for its rows leaves at once (docs/decisions/0009)."""
        for lane in self._delivery.lanes.values():
            if lane.outgoing and lane.open and not lane.busy:
                lane.send_ahead(self._outlet.send_ahead)

    def _uncommitted(self) -> int:
        return sum(lane.uncommitted for lane in self._delivery.lanes.values())

    def consider(self) -> None:
        """Start a flush if one is due and none is under way."""
        if self._under_way is not None:
            return
        lanes, row_limit = self._due()
        if lanes:
            self._start(partial(self._flush, lanes, row_limit))

    def _due(self) -> tuple[list[Lane[Any]], int]:
        """The lanes to flush now, those first that wait longest, and how many rows of them."""
        now_s, interval_s = time.monotonic(), self._options.flush_interval_s
        waited_s = now_s - self._last_start
        if waited_s < min(self._outlet.pace_s, interval_s):
            return [], 0  # as a rule: this is asked at every delivery
        lanes, uncommitted = sorted(self._dirty(), key=self._owing_since_s), self._uncommitted()
        if uncommitted > self._options.max_unflushed / 2:
            return lanes, ALL  # before folding has to wait
        if uncommitted < SHARE_OF_BACKLOG * self._delivery.backlog:
            return [lane for lane in lanes if self._owing_since_s(lane) <= now_s - interval_s], ALL
        return lanes, self._row_limit(waited_s)

    def _owing_since_s(self, lane: Lane[Any]) -> float:
        return 0.0 if lane.midway else self._owing_since.get(lane.partition, self._born_s)

    def _row_limit(self, waited_s: float) -> int:
        """Near the head of the topics: for a share of the time since the last flush."""
        waiting = sum(lane.table.waiting_count for lane in self._delivery.lanes.values())
        in_time = waited_s / max(waited_s, self._options.flush_interval_s) * waiting
        quickly = QUIET_S if self._quiet else SHARE_OF_TIME * waited_s
        return int(max(in_time, quickly / self._row_s)) + 1

    def attend(self, *, quiet: bool) -> None:
        """Called with every poll: a flush or a look, if one is due. `quiet` says that nothing is at hand."""
        self._quiet = quiet
        self.consider()
        if self._under_way is None and self._look_due():
            self._start(self._look_for_other_writers)

    def _start(self, work: Work) -> None:
        self._under_way = asyncio.get_running_loop().create_task(self._guarded(work))

    async def drain(self) -> None:
        """Until everything given out is durable and committed."""
        while True:
            if self._under_way is not None:
                await asyncio.wait([self._under_way])
            elif self._fail.reason is None and self._dirty():
                self._start(partial(self._flush, self._dirty(), ALL))
            else:
                return

    async def _guarded(self, work: Work) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except BaseException as failure:
            self._fail(failure)
        finally:
            self._under_way = None
        if self._fail.reason is None:
            self.consider()

    async def _flush(self, lanes: Sequence[Lane[Any]], row_limit: int) -> None:
        started = self._last_start = time.monotonic()
        await self._own()
        cargo = self._load(lanes, row_limit)
        await self._outlet.settle(cargo)
        for each in cargo:
            each.lane.table.store_written(each.rows)
            each.lane.note_committed(each.flush, each.marks)
        if self._look_due():
            await self._look_for_other_writers()
        self.count += 1
        took = time.monotonic() - started
        self.seconds += took
        self.on_flushed(took)

    def _look_due(self) -> bool:
        if self._outlet.fence is None or not self._delivery.lanes:
            return False
        return time.monotonic() - self._last_look >= self._options.look_every_s

    async def _look_for_other_writers(self) -> None:
        """A changelog longer than we made it: a replaced worker wrote there too. Our next life mends it."""
        self._last_look = time.monotonic()
        lanes = list(self._delivery.lanes.values())
        ends = await self._outlet.changelog_ends([lane.partition for lane in lanes])
        for lane in lanes:
            end, ours = ends.get(lane.partition), lane.table.position
            if end is None or end == ours:
                continue
            place = f"{self._options.changelog}/{lane.partition}"
            if end < ours:
                text = f"{place} ends at {end}, but rows up to {ours} were written: it was cut or made anew"
                raise EngineError(Exit.DATA_LOSS, text)
            text = f"{place} ends at {end}, but our rows at {ours}: a replaced worker wrote there as well"
            raise EngineError(Exit.FENCED, f"{text}; starting again mends its rows")

    def _load(self, lanes: Sequence[Lane[Any]], row_limit: int) -> list[Cargo]:
        """Between two awaits: a row and the records it remembers are of one and the same instant."""
        began_s, left, cargo, dirty = time.perf_counter(), row_limit, [], self._dirty()
        for lane in lanes:
            if lane not in dirty or not (left > 0 or lane.speaks):
                continue
            if left > 0 and not lane.midway:
                self._owing_since[lane.partition] = self._last_start
            cargo.append(Cargo(lane, *lane.take_batch(left)))
            left -= len(cargo[-1].rows)
            self._outlet.write(cargo[-1])
        if rows := sum(len(each.rows) for each in cargo):
            self._row_s += 0.2 * ((time.perf_counter() - began_s) / rows - self._row_s)
        return cargo
