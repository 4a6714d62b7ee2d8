"""Rows and records become durable, then the offsets they came from are committed; never the other way round.

One flush is under way at a time. Folding goes on meanwhile; what it changes belongs to the next flush.
Near the head of the topics a flush starts as soon as the outlet's pace allows; the more is still to come, the
more a flush takes with it, because a row that changed ten times is written once. `flush_interval` is the
longest that rows wait for a flush of their lane.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine
from functools import partial
from typing import Any

from stream.engine.delivery import Delivery
from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.lane import Lane
from stream.engine.options import EngineOptions
from stream.engine.outlet import Cargo, Outlet

Work = Callable[[], Coroutine[Any, Any, None]]
SHARE_OF_BACKLOG = 0.1
"""A flush waits until it holds so much of what is still to come: alerts come late by a tenth of the lag."""


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
        self._last_start = self._last_look = 0.0
        self._last_starts: dict[int, float] = {}  # of the flushes that took a partition along
        self._born_s = time.monotonic()
        self.count = 0
        self.seconds = 0.0
        self.on_flushed: Callable[[float], object] = lambda seconds: None

    def _dirty(self) -> list[Lane[Any]]:
        return [lane for lane in self._delivery.lanes.values() if lane.open and not lane.busy and lane.dirty]

    async def settle(self) -> None:
        """Called after every delivery: start a flush when due; wait when too much is not yet durable."""
        self.send_ahead()
        self.consider()
        while self._under_way is not None and self._unflushed() > self._options.max_unflushed:
            await asyncio.wait([self._under_way])
            self.consider()

    def send_ahead(self) -> None:
        """What need not wait for its rows leaves at once (docs/decisions/0009)."""
        for lane in self._delivery.lanes.values():
            if lane.outgoing and lane.open and not lane.busy:
                lane.outgoing = self._outlet.send_ahead(lane.outgoing)

    def _unflushed(self) -> int:
        return sum(lane.unflushed for lane in self._delivery.lanes.values())

    def consider(self) -> None:
        """Start a flush if one is due and none is under way."""
        if self._under_way is not None:
            return
        if due := self._due():
            self._start(partial(self._flush, due))

    def _due(self) -> list[Lane[Any]]:
        """The lanes to flush now. Near the head they take turns: events wait while many rows are encoded."""
        now_s = time.monotonic()
        waited_s = now_s - self._last_start
        if waited_s < min(self._outlet.pace_s, self._options.flush_interval_s):
            return []  # as a rule: this is asked at every delivery
        dirty = sorted(self._dirty(), key=self._flushed_s)
        longest_s = now_s - self._options.flush_interval_s
        if overdue := [lane for lane in dirty if self._flushed_s(lane) <= longest_s]:
            return overdue
        if waited_s < self._outlet.pace_s:
            return []
        if self._unflushed() < SHARE_OF_BACKLOG * self._delivery.backlog:
            return []
        return dirty[: math.ceil(len(self._delivery.lanes) / self._outlet.turns)]

    def _flushed_s(self, lane: Lane[Any]) -> float:
        return self._last_starts.get(lane.partition, self._born_s)

    def attend(self) -> None:
        """Called with every poll: a flush if one is due, else a look if that is."""
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
                self._start(partial(self._flush, self._dirty()))
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

    async def _flush(self, due: Collection[Lane[Any]]) -> None:
        started = self._last_start = time.monotonic()
        await self._own()
        lanes = [lane for lane in self._dirty() if lane in due]
        self._last_starts.update((lane.partition, started) for lane in lanes)
        cargo = [self._load(lane) for lane in lanes]
        await self._outlet.settle(cargo)
        for each in cargo:
            each.lane.table.rest(each.rows)
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

    def _load(self, lane: Lane[Any]) -> Cargo:
        """Between two awaits: the lane's rows, records and marks are of one and the same instant."""
        outgoing, lane.outgoing = lane.outgoing, []
        cargo = Cargo(lane, lane.flush_number, lane.table.flush(), outgoing, lane.marks())
        lane.unflushed = 0
        lane.flush_number += 1
        self._outlet.write(cargo)
        return cargo
