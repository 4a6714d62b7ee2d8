"""The Faust app that holds the engine together.

Faust does the group's membership and runs the agent; delivery, rows, flushes and commits are the engine's.
When partitions are assigned, lanes are opened in the background: become their writer, find the start offsets,
recover the rows, check them against the inputs, seek. When they are revoked, everything given out is made
durable and committed first, while they still belong to this worker.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, cast

import faust
from aiokafka.errors import KafkaError as AIOKafkaError
from confluent_kafka import KafkaException
from faust.tables.manager import TableManager
from faust.types import TP

from stream.engine.codec import Codec, State
from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.faust_settings import DeliverySchema, faust_settings
from stream.engine.input.delivery import Delivery
from stream.engine.input.transaction_watch import TransactionWatch
from stream.engine.input.transport import BatchConsumer, BatchTransport
from stream.engine.options import EngineOptions
from stream.engine.output.commit import AtLeastOnce, Committer, ExactlyOnce
from stream.engine.output.flush import Flusher
from stream.engine.output.group import EXPELLED, Group
from stream.engine.output.group_watch import GroupWatch
from stream.engine.partition_id import PartitionId
from stream.engine.start.new_lane import new_lane, shared_partitions
from stream.engine.start.offsets import check_rows, start_points
from stream.engine.start.spot_check import check_last_read, keys_at
from stream.engine.start.topic_ids import TopicWatch
from stream.engine.state.recovery import Fence, changelog_end, recover
from stream.engine.state.recovery_progress import RecoveryProgress
from stream.engine.state.store import check_directory
from stream.engine.task.commit_point import CommitPoints
from stream.engine.task.group_progress import GroupProgress
from stream.engine.task.lane import Lane

log = logging.getLogger("stream.engine")
OPEN_TIMEOUT_S = 60
CHANGELOG_TRIES, CHANGELOG_RETRY_S = 25, 0.2
"""A broker that has just started reports fewer partitions for some seconds."""


class EngineApp(faust.App, Generic[State]):
    """One worker. `processor` registers its agent; `fail` ends the process.

    `on_recovered` is called with each lane before it gives out anything, `on_give_up` with the name of a
    topic that the merge no longer waits for; both may be replaced. `before_joining`: what may fail first.
    """

    def __init__(self, options: EngineOptions, codec: Codec[State], fail: FailStop | None = None) -> None:
        self.options = options
        self.codec = codec
        self.fail = fail or FailStop()
        self.delivery: Delivery[State] = Delivery(codec, options.ticks, GroupProgress(options))
        self.delivering = False  # lanes are open
        self.recovery = RecoveryProgress()
        self.on_give_up: Callable[[str], object] = lambda topic: None
        self.on_recovered: Callable[[Lane[State]], object] = lambda lane: None
        self.before_joining: list[Callable[[], Awaitable[None]]] = []
        self._releasing = asyncio.Lock()
        self._opening: asyncio.Task[None] | None = None
        self._stop_opening = threading.Event()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="recover")
        self._topic_watch = TopicWatch(options, self.fail)
        super().__init__(options.app_id, **faust_settings(options))
        self.group = Group(lambda: self.batch_consumer.thread, options.delivery_timeout_s)
        self.transactions = TransactionWatch(options, self.group, self.delivery, self.fail)
        group_watch = GroupWatch(options, self.group, self.delivery, self.fail)
        self._watches = (self._topic_watch, group_watch, self.transactions)
        guarantee = ExactlyOnce if options.exactly_once else AtLeastOnce
        self._committer: Committer = guarantee(options, self.group)
        self.flusher = Flusher(
            options=options,
            delivery=self.delivery,
            committer=self._committer,
            until_owned=self.group.until_owned,
            fail=self.fail,
        )
        self._lane_channel = self.topic(
            *options.inputs, schema=DeliverySchema(key_type=bytes, value_type=bytes)
        )

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self, host=self)

    @property
    def batch_consumer(self) -> BatchConsumer:
        return cast(BatchConsumer, self.consumer)

    @property
    def stuck(self) -> bool:
        """A thread is blocked in librdkafka for ever, and an orderly exit would wait for it."""
        return isinstance(self._committer, ExactlyOnce) and self._committer.stuck

    def on_poll(self, *, quiet: bool) -> None:
        """See `Host` in input/transport.py."""
        self.flusher.on_poll(quiet=quiet)

    def processor(self, fun: Callable[..., Coroutine[Any, Any, None]]) -> Any:
        """Decorator for the one agent that may change rows. An exception in it ends the process."""

        return self.agent(self._lane_channel)(fun)

    async def _on_agent_error(self, agent: Any, exc: BaseException) -> None:
        self.fail(exc)

    async def on_first_start(self) -> None:
        """Faust awaits this before it starts the consumer, which joins the group."""
        try:
            await self._in_thread(check_directory, self.options.store)
            for opening in self.before_joining:
                await opening()
        except asyncio.CancelledError:
            self.fail.exit(0)  # told to stop, and nothing was begun
            raise
        except Exception as failure:
            self.fail(failure)

    def _crash(self, reason: BaseException) -> None:
        """One of Faust's services failed. Left to itself Faust would end with 1 and no last line."""
        super()._crash(reason)
        if not self._stopped.is_set():
            self.fail(reason)

    def _create_directories(self) -> None:
        """Nothing: Faust would create `<app_id>-data` for its tables, and has none here."""

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Faust awaits this before the group goes on."""
        if self.delivering and self.group.expelled:
            self.fail(EngineError(Exit.FENCED, EXPELLED))
        await self._release_lanes()
        await self.on_partitions_revoked.send(revoked)

    async def _release_lanes(self) -> None:
        """Everything given out becomes durable and is committed; then the lanes are closed."""
        self.delivering = False
        self._stop_opening.set()
        async with self._releasing:
            if self._opening is not None:
                await asyncio.wait([self._opening])  # not cancelled: its threads would go on all the same
            await self.flusher.drain()
            self.delivery.stop_lanes()
            if self.options.store is not None:
                await self._note_positions()
            self.delivery.close_lanes()
            self._committer.on_revoked()

    async def _note_positions(self) -> None:
        """A store on disk holds everything up to the end of its changelog, if nobody else wrote there.

        Else its position is 0, so that the next start rebuilds it from the changelog.
        """
        lanes = list(self.delivery.lanes.values())
        ends = [self._in_thread(changelog_end, self.options, lane.partition) for lane in lanes]
        for lane, end in zip(lanes, await asyncio.gather(*ends), strict=True):
            alone = self.options.exactly_once or lane.table.position == end
            lane.table.position = end if alone and not lane.table.hides_rows else 0

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Faust's bookkeeping; the lanes are opened in the background, so that the group need not wait."""
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
        self._stop_opening = threading.Event()
        self._opening = asyncio.get_running_loop().create_task(self._open_guarded(assigned))
        await self.on_partitions_assigned.send(assigned)

    async def _open_guarded(self, assigned: set[TP]) -> None:
        try:
            await self._open_lanes(assigned)
        except InterruptedError:
            log.info("the partitions were revoked before their lanes were open")
        except (KafkaException, AIOKafkaError, TimeoutError) as away:
            if not self.should_stop:
                text = f"no answer from Kafka when partitions were opened: {away!r}"
                self.fail(EngineError(Exit.PRODUCER, text))
        except BaseException as failure:
            if not self.should_stop:
                self.fail(failure)

    async def _open_lanes(self, assigned: set[TP]) -> None:
        tps = [PartitionId(tp.topic, tp.partition) for tp in assigned if tp.topic in self.options.inputs]
        partitions = shared_partitions(tps, self.options)
        if not tps:
            return
        await self._check_changelog()
        if self._stop_opening.is_set():
            raise InterruptedError
        await self._committer.take_over(partitions)
        points, highwaters, forgotten = await self._start_points(tps)
        lanes = [self._new_lane(partition, points, highwaters, len(partitions)) for partition in partitions]
        try:
            count, took_s = await self._recover(lanes)
            look_up = partial(keys_at, self.options, self.codec)
            await self._in_thread(check_rows, lanes, points, highwaters, forgotten, look_up)
            if self._stop_opening.is_set():
                raise InterruptedError
            for lane in lanes:
                self.on_recovered(lane)
            await self.batch_consumer.thread.seek_to({tp: point.offset for tp, point in points.items()})
        except BaseException:
            for lane in lanes:
                lane.table.drop()  # releases RocksDB's lock for the next opening
            raise
        for lane in lanes:
            self.delivery.open_lane(lane)
        self.delivering = True
        for watch in self._watches:
            watch.start()
        log.info("lanes are open: partitions %s, %d rows recovered in %.2f s", partitions, count, took_s)

    async def _recover(self, lanes: Sequence[Lane[State]]) -> tuple[int, float]:
        """Records read, and the seconds it took."""
        started, (generation, _) = time.monotonic(), self.group.generation_and_member()
        fence = Fence(self._committer.fence, generation) if self._committer.fence else None
        tables = {lane.partition: lane.table for lane in lanes}
        count = await self._in_thread(recover, self.options, tables, self._stop_opening, fence, self.recovery)
        if void := sum(len(lane.table.void) for lane in lanes):
            log.warning("%d rows were overwritten by a replaced worker and will be written again", void)
        return count, time.monotonic() - started

    async def _check_changelog(self) -> None:
        """EngineError: it has not as many partitions as the inputs."""
        topic = self.options.changelog
        for _ in range(CHANGELOG_TRIES):
            found = await self._in_thread(self._committer.partition_count, topic)
            wanted = len(self.group.partitions(self.options.inputs[0]))
            if found == wanted:
                return
            await self.batch_consumer.thread.refresh_metadata()
            await asyncio.sleep(CHANGELOG_RETRY_S)
        text = f"{topic} has {found} partitions; the inputs have {wanted}, and so must it"
        raise EngineError(Exit.CONFIGURATION, text)

    async def _start_points(
        self, tps: list[PartitionId]
    ) -> tuple[CommitPoints, dict[PartitionId, int], set[PartitionId]]:
        """Where to go on, where the inputs end, and for which of them the group has no offset."""
        thread, ids = self.batch_consumer.thread, await self._topic_watch.look()
        committed = await asyncio.wait_for(thread.committed_points(tps), OPEN_TIMEOUT_S)
        first, last = await asyncio.wait_for(thread.ends(tps), OPEN_TIMEOUT_S)
        points = start_points(tps, committed, first, last, ids)
        await self._in_thread(check_last_read, self.options, points)
        return points, last, set(tps) - committed.keys()

    def _new_lane(
        self, partition: int, points: CommitPoints, highwaters: Mapping[PartitionId, int], lanes: int
    ) -> Lane[State]:
        flush, give_up = self.flusher.flush_if_due, self._give_up_waiting
        lane_with = partial(Lane, progress=self.delivery.progress, flush_if_due=flush, on_give_up=give_up)
        start = partial(new_lane, points=points, highwaters=highwaters, lanes=lanes, lane_with=lane_with)
        changelog_id = self._topic_watch.id_of(self.options.changelog)
        return start(partition, self.options, self.codec, changelog_id=changelog_id)

    def _give_up_waiting(self, topic: str) -> None:
        """The order of time is given up for once; no record is lost."""
        text = "Kafka has more records of %s, but delivered none for %.0f s: the merge goes on without them"
        log.warning(text, topic, self.options.max_idle_s)
        self.on_give_up(topic)

    async def _stop_consumer(self) -> None:
        """An orderly stop is a revocation on our own request. It does not wait for a dead broker for ever."""
        limit_s = self.options.stop_timeout_s
        watchdog = threading.Timer(limit_s, lambda: self.fail(self.group.stopped_late(limit_s)))
        watchdog.daemon = True
        watchdog.start()
        for watch in self._watches:
            watch.stop()
        if self._consumer is not None:
            try:
                await self._release_lanes()
            except Exception as failure:
                self.fail(failure)  # Faust would end with 1 and no last line
            await self._stop_fetcher()

    def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
