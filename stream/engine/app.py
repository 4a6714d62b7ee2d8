"""The Faust app around the engine: membership and agents are Faust's; delivery, rows and commits are ours."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
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
from stream.engine.input.transport import BatchConsumer, Transport
from stream.engine.options import EngineOptions
from stream.engine.output.commit import AcknowledgeThenCommit, OneTransaction, Outlet
from stream.engine.output.flush import Flusher
from stream.engine.output.group import EXPELLED, Group
from stream.engine.partition_id import PartitionId
from stream.engine.start.offsets import Marks, check_rows, starting_marks
from stream.engine.start.topic_ids import TopicWatch
from stream.engine.start.witnesses import keys_at
from stream.engine.state.recovery import Fence, changelog_end, recover
from stream.engine.state.store import new_store
from stream.engine.state.table import Table
from stream.engine.task.lane import Lane
from stream.engine.task.merge import Source

log = logging.getLogger("stream.engine")
OPEN_TIMEOUT_S = 60
CHANGELOG_TRIES = 25


class EngineApp(faust.App, Generic[State]):
    """`app.deliveries` is the channel for the one agent; `app.fail` is the one way out."""

    def __init__(self, options: EngineOptions, codec: Codec[State], fail: FailStop | None = None) -> None:
        self.options = options
        self.codec = codec
        self.fail = fail or FailStop()
        self.delivery: Delivery[State] = Delivery(codec, options.reference, options.ticks)
        self.delivering = False
        self.on_give_up: Callable[[str], object] = lambda topic: None
        self.on_recovered: Callable[[Lane[State]], object] = lambda lane: None
        self.recovered_rows = 0
        self.recovery_seconds = 0.0
        self._releasing = asyncio.Lock()
        self._opening: asyncio.Task[None] | None = None
        self._give_up = threading.Event()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="recover")
        self._topic_watch = TopicWatch(options, self.fail)
        super().__init__(options.app_id, **faust_settings(options))
        self.group = Group(lambda: self.batch_consumer.thread, options.delivery_timeout_s)
        outlet = OneTransaction if options.exactly_once else AcknowledgeThenCommit
        self._outlet: Outlet = outlet(options, self.group)
        self.flusher = Flusher(
            options=options,
            delivery=self.delivery,
            outlet=self._outlet,
            own=self.group.surely_ours,
            fail=self.fail,
        )
        self.deliveries = self.topic(*options.inputs, schema=DeliverySchema(key_type=bytes, value_type=bytes))

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self, host=self)

    @property
    def batch_consumer(self) -> BatchConsumer:
        return cast(BatchConsumer, self.consumer)

    @property
    def stuck(self) -> bool:
        """A thread waits for librdkafka for ever; Python would wait for that thread."""
        return isinstance(self._outlet, OneTransaction) and self._outlet.stuck

    def on_poll(self, *, quiet: bool) -> None:
        """See `Host`: a flush is started if one is due."""
        self.flusher.attend(quiet=quiet)

    def processor(self, fun: Callable[..., Coroutine[Any, Any, None]]) -> Any:
        """Decorator: the one agent that may touch rows. An exception in it ends the process."""

        return self.agent(self.deliveries)(fun)

    async def _on_agent_error(self, agent: Any, exc: BaseException) -> None:
        self.fail(exc)

    # -- partitions come and go ---------------------------------------------------------------------------

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Everything given out becomes durable and is committed while we still own it; then it is dropped."""
        if self.delivering and self.group.expelled:
            self.fail(EngineError(Exit.FENCED, EXPELLED))
        await self._release_lanes()
        await self.on_partitions_revoked.send(revoked)

    async def _release_lanes(self) -> None:
        self.delivering = False
        self._give_up.set()
        async with self._releasing:
            if self._opening is not None:
                await asyncio.wait([self._opening])  # not cancelled: its threads would go on unseen
            await self.flusher.drain()
            self.delivery.shut()
            if self.options.store is not None:
                await self._note_positions()
            self.delivery.close()
            self._outlet.let_go()

    async def _note_positions(self) -> None:
        """Disk stores are whole up to the end of the changelog, now that all of it is ours and durable."""
        lanes = list(self.delivery.lanes.values())
        ends = [self._in_thread(changelog_end, self.options, lane.partition) for lane in lanes]
        for lane, end in zip(lanes, await asyncio.gather(*ends), strict=True):
            alone = self.options.exactly_once or lane.table.position == end
            whole = alone and not lane.table.void
            lane.table.position = end if whole else 0  # what a replaced writer added is mended from the log

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
        except (KafkaException, AIOKafkaError, TimeoutError) as away:
            if not self.should_stop:
                self.fail(
                    EngineError(Exit.PRODUCER, f"no answer from Kafka when partitions were opened: {away!r}")
                )
        except BaseException as failure:
            if not self.should_stop:
                self.fail(failure)

    async def _open_lanes(self, assigned: set[TP]) -> None:
        places = [PartitionId(tp.topic, tp.partition) for tp in assigned if tp.topic in self.options.inputs]
        partitions = sorted({place.partition for place in places})
        if len(places) != len(partitions) * len(self.options.inputs):
            raise EngineError(
                Exit.CONFIGURATION,
                "the inputs must exist with equal numbers of partitions, and only workers may be members of "
                f"group {self.options.app_id}: this worker was given {_counted(places, self.options.inputs)}",
            )
        if not places:
            return
        await self._check_changelog()
        if self._give_up.is_set():
            raise InterruptedError
        await self._outlet.take_over(partitions)
        marks, highwaters, forgotten = await self._starting_marks(places)
        lanes = [self._new_lane(partition, marks, highwaters, len(partitions)) for partition in partitions]
        try:
            await self._recover(lanes)
            look_up = partial(keys_at, self.options, self.codec)
            await self._in_thread(check_rows, lanes, marks, highwaters, forgotten, look_up)
            if self._give_up.is_set():
                raise InterruptedError
            for lane in lanes:
                self.on_recovered(lane)
            await self.batch_consumer.thread.seek_to({place: offset for place, (offset, _) in marks.items()})
        except BaseException:
            for lane in lanes:
                lane.table.drop()  # else its lock would keep the next opening out
            raise
        for lane in lanes:
            self.delivery.open_lane(lane)
        self.delivering = True
        self._topic_watch.begin()
        log.info(
            "lanes are open: partitions %s, %d rows recovered in %.2f s",
            partitions,
            self.recovered_rows,
            self.recovery_seconds,
        )

    async def _recover(self, lanes: Sequence[Lane[State]]) -> None:
        started, (generation, _) = time.monotonic(), self.group.membership()
        fence = Fence(self._outlet.fence, generation) if self._outlet.fence else None
        tables = {lane.partition: lane.table for lane in lanes}
        self.recovered_rows = await self._in_thread(recover, self.options, tables, self._give_up, fence)
        self.recovery_seconds = time.monotonic() - started
        if void := sum(len(lane.table.void) for lane in lanes):
            log.warning("%d rows were overwritten by a replaced worker and will be written again", void)

    async def _check_changelog(self) -> None:
        """Asked again for some seconds: a broker that has just started knows of fewer partitions."""
        topic = self.options.changelog
        for _ in range(CHANGELOG_TRIES):
            found = await self._in_thread(self._outlet.partition_count, topic)
            wanted = len(self._partitions_of_inputs())
            if found == wanted:
                return
            await self.batch_consumer.thread.refresh_metadata()
            await asyncio.sleep(0.2)
        raise EngineError(
            Exit.CONFIGURATION, f"{topic} has {found} partitions; the inputs have {wanted}, and so must it"
        )

    def _partitions_of_inputs(self) -> set[int]:
        found: set[int] = self.batch_consumer.thread.partitions_for_topic(self.options.inputs[0])
        return found

    async def _starting_marks(
        self, places: list[PartitionId]
    ) -> tuple[Marks, dict[PartitionId, int], set[PartitionId]]:
        """Where to go on, where the inputs end, and which of them no offset is known of."""
        thread, ids = self.batch_consumer.thread, await self._topic_watch.look()
        committed = await asyncio.wait_for(thread.committed_marks(places), OPEN_TIMEOUT_S)
        first, last = await asyncio.wait_for(thread.ends(places), OPEN_TIMEOUT_S)
        marks = starting_marks(places, committed, first, last, ids)
        return marks, last, set(places) - committed.keys()

    def _new_lane(
        self, partition: int, marks: Marks, highwaters: Mapping[PartitionId, int], lanes: int
    ) -> Lane[State]:
        options = self.options
        sources = [Source(topic, partition, options.max_pending) for topic in options.inputs]
        for source in sources:
            source.highwater = highwaters[PartitionId(source.topic, partition)]
        name = f"{options.changelog}/{partition}"
        hot_rows = max(1, options.max_hot_rows // lanes)
        table = Table(self.codec, new_store(options, partition), hot_rows, name)
        lane = Lane(
            partition,
            sources=sources,
            table=table,
            options=options,
            reference=self.delivery.reference,
            flush_if_due=self.flusher.settle,
            on_give_up=self._give_up_waiting,
        )
        lane.start_at({topic: marks[PartitionId(topic, partition)] for topic in options.inputs})
        return lane

    def _give_up_waiting(self, topic: str) -> None:
        """Order is lost now, no record is."""
        log.warning(
            "%s has records to come, but none came for %.0f s: the merge by time goes on without them",
            topic,
            self.options.max_idle_s,
        )
        self.on_give_up(topic)

    async def _stop_consumer(self) -> None:
        """A graceful stop is a revocation that we ask for ourselves. It does not wait for a dead broker."""
        late = (
            f"stopping took more than {self.options.stop_timeout_s:.0f} s; what is not committed comes again"
        )
        watchdog = threading.Timer(self.options.stop_timeout_s, self.fail, [EngineError(Exit.PRODUCER, late)])
        watchdog.daemon = True
        watchdog.start()
        self._topic_watch.end()
        if self._consumer is not None:
            await self._release_lanes()
            await self._stop_fetcher()

    def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def _counted(places: Sequence[PartitionId], topics: Sequence[str]) -> str:
    return ", ".join(f"{sum(place.topic == topic for place in places)} of {topic}" for topic in topics)
