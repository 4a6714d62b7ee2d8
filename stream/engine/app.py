"""The Faust app around the engine: membership and agents are Faust's; delivery, rows and commits are ours."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, cast

import faust
from faust.tables.manager import TableManager
from faust.types import TP

from stream.engine.delivery import Delivery, Place
from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.faust_settings import DeliverySchema, faust_settings
from stream.engine.flush import Flusher
from stream.engine.job import Job, State
from stream.engine.lane import Lane, Mark
from stream.engine.merge import Source
from stream.engine.options import EngineOptions
from stream.engine.outlet import AcknowledgeThenCommit, Marks, OneTransaction, Outlet
from stream.engine.recovery import changelog_end, recover
from stream.engine.store import DiskStore, MemoryStore, Store
from stream.engine.table import Table
from stream.engine.transport import BatchConsumer, Transport

log = logging.getLogger("stream.engine")
FENCE_SHARE = 0.8  # of the session timeout: a worker that was away longer does not write
OPEN_TIMEOUT_S = 60
CHANGELOG_TRIES = 25
GC_THRESHOLD = 50_000
"""Rows are many and in no cycles: looking through them at Python's own pace took 12% of the time."""


class EngineApp(faust.App, Generic[State]):
    """`app.deliveries` is the channel for the one agent; `app.fail` is the one way out."""

    def __init__(self, options: EngineOptions, job: Job[State], fail: FailStop | None = None) -> None:
        self.options = options
        self.job = job
        self.fail = fail or FailStop()
        self.delivery: Delivery[State] = Delivery(job, options.heartbeat, options.ticks)
        self.delivering = False
        self.on_give_up: Callable[[str], object] = lambda topic: None
        self.recovered_rows = 0
        self.recovery_seconds = 0.0
        self._alive = time.monotonic()
        self._opening: asyncio.Task[None] | None = None
        self._give_up = threading.Event()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="recover")
        super().__init__(options.app_id, **faust_settings(options))
        self._outlet: Outlet = (
            OneTransaction(options, lambda: self.batch_consumer.thread.membership)
            if options.exactly_once
            else AcknowledgeThenCommit(options, self._commit_marks)
        )
        self.flusher = Flusher(
            options=options,
            delivery=self.delivery,
            outlet=self._outlet,
            own=self._own,
            fail=self.fail,
        )
        self.deliveries = self.topic(*options.inputs, schema=DeliverySchema(key_type=bytes, value_type=bytes))

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    @property
    def batch_consumer(self) -> BatchConsumer:
        return cast(BatchConsumer, self.consumer)

    def keeper(self, fun: Callable[..., Coroutine[Any, Any, None]]) -> Any:
        """Decorator: the one agent that may touch rows. An exception in it ends the process."""

        return self.agent(self.deliveries)(fun)

    async def _on_agent_error(self, agent: Any, exc: BaseException) -> None:
        self.fail(exc)

    # -- partitions come and go ---------------------------------------------------------------------------

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Everything given out becomes durable and is committed while we still own it; then it is dropped."""
        await self._release_lanes()
        await self.on_partitions_revoked.send(revoked)

    async def _release_lanes(self) -> None:
        self.delivering = False
        self._give_up.set()
        if self._opening is not None:
            await asyncio.wait([self._opening])  # not cancelled: its threads would go on unseen
        await self.flusher.drain()
        if self.options.store is not None:
            await self._note_positions()
        self.delivery.close()
        self._outlet.let_go()

    async def _note_positions(self) -> None:
        """Disk stores are whole up to the end of the changelog, now that all of it is ours and durable."""
        lanes = list(self.delivery.lanes.values())
        ends = [self._in_thread(changelog_end, self.options, lane.partition) for lane in lanes]
        for lane, end in zip(lanes, await asyncio.gather(*ends), strict=True):
            lane.table.position = end

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Faust's bookkeeping first; the lanes open in the background, so that the group need not wait."""
        self._assignment = assigned
        await self.topics.maybe_wait_for_subscriptions()
        await self.topics.on_partitions_assigned(assigned)
        self.flow_control.resume()
        self.consumer.resume_flow()
        await self._fetcher.maybe_start()
        cast(TableManager, self.tables).recovery.completed.set()
        self.on_rebalance_end()
        if self.should_stop:
            return
        self._give_up = threading.Event()
        self._opening = asyncio.get_running_loop().create_task(self._open_guarded(assigned))
        await self.on_partitions_assigned.send(assigned)

    async def _open_guarded(self, assigned: set[TP]) -> None:
        try:
            await self._open_lanes(assigned)
        except InterruptedError:
            log.info("the partitions were taken away again before they were open")
        except BaseException as failure:
            if not self.should_stop:
                self.fail(failure)

    async def _open_lanes(self, assigned: set[TP]) -> None:
        places = [Place(tp.topic, tp.partition) for tp in assigned if tp.topic in self.options.inputs]
        partitions = sorted({place.partition for place in places})
        if len(places) != len(partitions) * len(self.options.inputs):
            raise EngineError(
                Exit.CONFIGURATION,
                f"the inputs {', '.join(self.options.inputs)} must exist with the same number of partitions",
            )
        if not places:
            return
        await self._check_changelog(len(self._partitions_of_inputs()))
        if self._give_up.is_set():
            raise InterruptedError
        await self._outlet.take_over(partitions)
        marks, highwaters = await self._starting_marks(places)
        lanes = [self._new_lane(partition, marks, highwaters) for partition in partitions]
        started = time.monotonic()
        give_up = self._give_up
        counts = await asyncio.gather(
            *(self._in_thread(recover, self.options, lane.partition, lane.table, give_up) for lane in lanes)
        )
        self.recovered_rows, self.recovery_seconds = sum(counts), time.monotonic() - started
        if give_up.is_set():
            raise InterruptedError
        await self.batch_consumer.thread.seek_to({place: offset for place, (offset, _) in marks.items()})
        for lane in lanes:
            self.delivery.open(lane)
        self._alive = time.monotonic()
        self.delivering = True
        log.info(
            "lanes are open: partitions %s, %d rows recovered in %.2f s",
            partitions,
            self.recovered_rows,
            self.recovery_seconds,
        )

    async def _check_changelog(self, wanted: int) -> None:
        topic = self.options.changelog
        for _ in range(CHANGELOG_TRIES):
            found = await self._in_thread(self._outlet.partition_count, topic)
            if found == wanted:
                return
            await asyncio.sleep(0.2)
        raise EngineError(
            Exit.CONFIGURATION, f"{topic} has {found} partitions; the inputs have {wanted}, and so must it"
        )

    def _partitions_of_inputs(self) -> set[int]:
        found: set[int] = self.batch_consumer.thread.partitions_for_topic(self.options.inputs[0])
        return found

    async def _starting_marks(
        self, places: list[Place]
    ) -> tuple[dict[Place, tuple[int, Mark]], dict[Place, int]]:
        """Where to go on: the committed mark, or the beginning when there never was one."""
        thread = self.batch_consumer.thread
        committed = await asyncio.wait_for(thread.committed_marks(places), OPEN_TIMEOUT_S)
        first, last = await asyncio.wait_for(thread.ends(places), OPEN_TIMEOUT_S)
        marks = {}
        for place in places:
            offset, mark = committed.get(place, (first[place], Mark(0, None, None)))
            if not first[place] <= offset <= last[place]:
                raise EngineError(
                    Exit.DATA_LOSS,
                    f"{place.topic}/{place.partition} holds offsets {first[place]} to {last[place]}, but the "
                    f"next one to read is {offset}: records were deleted unread, or the topic was made anew",
                )
            marks[place] = (offset, mark)
        return marks, last

    def _new_lane(self, partition: int, marks: Marks, highwaters: Mapping[Place, int]) -> Lane[State]:
        options = self.options
        sources = [Source(topic, partition, options.max_pending) for topic in options.inputs]
        for source in sources:
            source.highwater = highwaters[Place(source.topic, partition)]
        table = Table(self.job, self._new_store(partition), options.max_hot_rows)
        lane = Lane(
            partition,
            sources=sources,
            table=table,
            options=options,
            heartbeat=self.delivery.heartbeat,
            settle=self.flusher.settle,
            on_give_up=self._give_up_waiting,
        )
        lane.begin({topic: marks[Place(topic, partition)] for topic in options.inputs})
        return lane

    def _new_store(self, partition: int) -> Store:
        if self.options.store is None:
            return MemoryStore()
        return DiskStore(
            self.options.store / str(partition), f"{self.options.app_id}/{self.options.changelog}"
        )

    async def rewind(self, offsets: Mapping[Place, int]) -> None:
        """A gap: fetch again from where we are. Records deleted unread are the end of it."""
        first, _ = await self.batch_consumer.thread.ends(offsets)
        for place, offset in offsets.items():
            if first[place] > offset:
                raise EngineError(
                    Exit.DATA_LOSS,
                    f"{place.topic}/{place.partition} begins at {first[place]}, but {offset} was not read "
                    "yet: records were deleted before they were read",
                )
        await self.batch_consumer.thread.seek_to(offsets)

    def _give_up_waiting(self, topic: str) -> None:
        """Order is lost now, no record is."""
        log.warning(
            "%s has records to come, but none came for %.0f s: the merge by time goes on without them",
            topic,
            self.options.max_idle_s,
        )
        self.on_give_up(topic)

    # -- durability ---------------------------------------------------------------------------------------

    async def _commit_marks(self, marks: Marks) -> None:
        await self.batch_consumer.thread.commit_marks(marks)

    def _own(self) -> None:
        """Self-fencing: whoever was away for most of a session must not write."""
        now = time.monotonic()
        if now - self._alive > self.options.session_timeout_s * FENCE_SHARE:
            raise EngineError(
                Exit.FENCED,
                f"this process stood still for {now - self._alive:.0f} s; its partitions may be gone",
            )

    async def _pulse(self) -> None:
        """Notes that the event loop runs."""
        while not self.should_stop:
            self._alive = time.monotonic()
            await asyncio.sleep(1)

    async def on_start(self) -> None:
        self.add_future(self._pulse())
        await super().on_start()

    async def _stop_consumer(self) -> None:
        """A graceful stop is a revocation that we ask for ourselves. It does not wait for a dead broker."""
        late = (
            f"stopping took more than {self.options.stop_timeout_s:.0f} s; what is not committed comes again"
        )
        watchdog = threading.Timer(self.options.stop_timeout_s, self.fail, [EngineError(Exit.PRODUCER, late)])
        watchdog.daemon = True
        watchdog.start()
        if self._consumer is not None:
            await self._release_lanes()
            await self._stop_fetcher()

    def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def run(app: EngineApp[Any]) -> None:
    """Run as a worker until SIGTERM or SIGINT; ends the process. A failure exits with its own code."""
    gc.freeze()  # code and modules: never garbage
    gc.set_threshold(GC_THRESHOLD, 20, 100)
    worker = faust.Worker(app, loglevel="WARN", quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None  # it writes "OK ^" and cursor codes to stdout, also where that is no terminal
    worker.execute_from_commandline()
