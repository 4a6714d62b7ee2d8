"""The consumer in its own thread: asked on the event loop, answered over there.

The thread keeps the group's heartbeats going while the event loop is busy with records.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import aiokafka
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, KafkaConnectionError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream.engine import client_internals as internals
from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.input.delivery import AT_END
from stream.engine.input.fetch_size import MAX_FETCH_BYTES, MAX_PARTITION_BYTES, next_size
from stream.engine.input.lease import Lease
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.task.commit_point import CommitPoint, CommitPoints
from stream.engine.units import MS_PER_S

Result = TypeVar("Result")
Ends = dict[TopicPartition, int | None]
START_RETRY_S = 0.5
JOIN_LOOK_S = 1.0
LEAVE_TIMEOUT_S = 2.0
"""A broker that takes longer to hear that a failed worker leaves will notice it by the end of the session."""
METADATA_MAX_AGE_MS = 5_000
"""A broker that has just started may not know the topics. The group's leader then assigns nothing to anybody
until it asks again, by default after five minutes."""
FETCH_WAIT_MS = 50
"""How long the broker may wait for records. aiokafka has one fetch per broker under way at a time, so a long
wait for one partition delays the others."""
MAX_POLL_INTERVAL_MS = 86_400_000
"""A day: aiokafka must not leave the group because records wait for the merge."""
HEARTBEAT_MAX_S, HEARTBEATS_PER_SESSION = 3.0, 4


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """A member of the consumer group. Its methods may be awaited on the event loop of the application."""

    lease: Lease

    def __init__(self, consumer: Any, *, options: EngineOptions, fail: FailStop, **more: Any) -> None:
        super().__init__(consumer, **more)
        self._options = options
        self._fail = fail

    async def on_start(self) -> None:
        """Connect; a broker that is away for a moment is waited for."""
        until = time.monotonic() + self._options.delivery_timeout_s
        while True:
            try:
                await super().on_start()
                if internals.knows_brokers(self._ensure_consumer()):
                    break
                raise KafkaConnectionError("the broker names no brokers yet")
            except KafkaConnectionError as away:
                if self.app.should_stop:
                    self._fail.exit(0)  # nothing was begun
                if time.monotonic() > until:
                    self._fail(EngineError(Exit.PRODUCER, f"no Kafka answers: {away}"))
                await self._ensure_consumer().stop()
                await asyncio.sleep(START_RETRY_S)
        internals.on_answered_heartbeat(self._ensure_consumer(), self.lease.renew)
        internals.adapt_fetch_size(self._ensure_consumer(), next_size)
        self.add_future(self._watch_join())

    async def _watch_join(self) -> None:
        """A refused join ends the process: aiokafka would wait for ever for somebody to ask why.

        So does the end of one of aiokafka's own tasks: the worker would stay, without partitions or records.
        """
        while not self.should_stop:
            await asyncio.sleep(JOIN_LOOK_S)
            if (ended := internals.gave_up(self._ensure_consumer())) is not None:
                self._fail(EngineError(Exit.PRODUCER, f"the client of Kafka gave up: {ended!r}"))
            if (refused := internals.join_refused(self._ensure_consumer())) is not None:
                group = self._options.app_id
                text = f"the group {group} refuses this worker: {refused!r} (an ACL? the session time-out?)"
                self._fail(EngineError(Exit.CONFIGURATION, text))

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        options, conf = self._options, self.app.conf
        internals.read_in_bulk(options.max_batch_bytes)
        # Equal ranges of every topic give one worker the same partition number of all inputs. Sticky and
        # round robin assignors place each topic by itself. aiokafka has no cooperative protocol, so that a
        # rebalance closes and opens the lanes that stay as well: that is most of what it costs here.
        self._assignor = RangePartitionAssignor
        self.lease = Lease(options.session_timeout_s)
        auth = driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context)
        heartbeat_s = min(HEARTBEAT_MAX_S, options.session_timeout_s / HEARTBEATS_PER_SESSION)
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=options.app_id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",  # every start seeks to its offsets; nothing else may move them
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
            fetch_max_bytes=MAX_FETCH_BYTES,
            max_partition_fetch_bytes=MAX_PARTITION_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            request_timeout_ms=int(conf.broker_request_timeout * MS_PER_S),
            session_timeout_ms=int(options.session_timeout_s * MS_PER_S),
            heartbeat_interval_ms=int(heartbeat_s * MS_PER_S),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * MS_PER_S),
            check_crcs=conf.broker_check_crcs,
            isolation_level="read_committed",
            **auth,
        )

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Faust calls this after a rebalance: the group has just dealt with us."""
        self.lease.renew(time.monotonic())
        await super().on_partitions_assigned(assigned, generation_id)

    async def there(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await a coroutine in the consumer's thread."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.thread_loop))

    def leave_group(self) -> None:
        """Leave the group because the process ends now. Blocks for LEAVE_TIMEOUT_S at most; never raises.

        On the consumer's own thread it does nothing: it would wait for itself.
        """
        loop = self.thread_loop
        if self._consumer is None or not loop.is_running() or asyncio._get_running_loop() is loop:
            return
        leaving = asyncio.run_coroutine_threadsafe(internals.leave_group(self._consumer), loop)
        with suppress(Exception):
            leaving.result(LEAVE_TIMEOUT_S)

    async def poll(self, tps: Iterable[PartitionId], timeout_s: float, limit: int) -> tuple[Any, Any]:
        """What was fetched of each partition, `limit` records at most, and their ends (or AT_END).

        The end of a partition is its last stable offset: where its oldest open transaction begins.
        """
        return await self.there(self._poll({TopicPartition(*tp) for tp in tps}, timeout_s, limit))

    async def _poll(
        self, partitions: set[TopicPartition], timeout_s: float, limit: int
    ) -> tuple[internals.Records, Ends]:
        consumer = self._ensure_consumer()
        records = await internals.take_fetched(consumer, partitions, timeout_s, limit)
        ends: Ends = {}
        for partition, (position, end, _) in internals.positions(consumer, partitions).items():
            at_end = position is not None and end is not None and position >= end
            ends[partition] = AT_END if at_end else end
        return records, ends

    async def hidden(self, tps: Iterable[PartitionId]) -> dict[PartitionId, tuple[int, int]]:
        """Of the partitions in which an open transaction hides records: where it begins, where the log ends.

        As the broker reported it last.
        """
        return await self.there(self._hidden([TopicPartition(*tp) for tp in tps]))

    async def _hidden(self, partitions: list[TopicPartition]) -> dict[PartitionId, tuple[int, int]]:
        found = internals.positions(self._ensure_consumer(), partitions)
        return {
            PartitionId(*partition): (begin, end)
            for partition, (_, begin, end) in found.items()
            if begin is not None and end is not None and begin < end
        }

    async def open_transaction(self, tp: PartitionId) -> internals.OpenTransaction | None:
        """The oldest open transaction of a partition, as the broker knows it now."""
        client = self._ensure_consumer()._client
        return await self.there(internals.open_transaction(client, TopicPartition(*tp)))

    async def seek_to(self, offsets: Mapping[PartitionId, int]) -> None:
        """Fetch from these offsets next."""
        await self.there(self._seek_to(offsets))

    async def _seek_to(self, offsets: Mapping[PartitionId, int]) -> None:
        consumer = self._ensure_consumer()
        for tp, offset in offsets.items():
            consumer.seek(TopicPartition(*tp), offset)

    async def ends(self, tps: Iterable[PartitionId]) -> tuple[dict[PartitionId, int], dict[PartitionId, int]]:
        """First and next offset of each partition."""
        consumer, partitions = self._ensure_consumer(), [TopicPartition(*tp) for tp in tps]
        first = await self.there(consumer.beginning_offsets(partitions))
        last = await self.there(consumer.end_offsets(partitions))
        return _by_id(first), _by_id(last)

    async def next_offsets(self, tps: Iterable[PartitionId]) -> dict[PartitionId, int]:
        """The offset that the next record of each partition will get."""
        partitions = [TopicPartition(*tp) for tp in tps]
        return _by_id(await self.there(self._ensure_consumer().end_offsets(partitions)))

    async def refresh_metadata(self) -> None:
        """Ask the broker for topics and partitions now."""
        await self.there(internals.refresh_metadata(self._ensure_consumer()))

    def partitions_for_topic(self, topic: str) -> set[int]:
        """The partition numbers of a topic, as far as they are known."""
        return self._ensure_consumer().partitions_for_topic(topic) or set()

    async def committed_points(self, tps: Iterable[PartitionId]) -> CommitPoints:
        """Of the partitions for which the group has an offset. EngineError: see CommitPoint.decode."""
        partitions = [TopicPartition(*tp) for tp in tps]
        found = await self.there(internals.committed_offsets(self._ensure_consumer(), partitions))
        committed = {PartitionId(*each): value for each, value in found.items() if value.offset >= 0}
        return {
            tp: CommitPoint.decode(tp, value.offset, value.metadata or "") for tp, value in committed.items()
        }

    async def commit_points(self, points: CommitPoints) -> None:
        """Commit offsets and metadata. EngineError: this worker is no longer in charge of all of them."""
        offsets = {
            TopicPartition(*tp): OffsetAndMetadata(point.offset, point.metadata())
            for tp, point in points.items()
        }
        try:
            await self.there(self._ensure_consumer().commit(offsets))
        except CommitFailedError as failure:
            raise EngineError(
                Exit.FENCED, "another worker has these partitions now; what was not committed is left to it"
            ) from failure
        except KafkaError as failure:
            raise EngineError(Exit.FENCED, f"offsets could not be committed: {failure!r}") from failure

    @property
    def generation_and_member(self) -> tuple[int, str]:
        """Of this membership; the generation is negative when the group removed it."""
        return internals.generation_and_member(self._ensure_consumer())


def _by_id(offsets: Mapping[TopicPartition, int]) -> dict[PartitionId, int]:
    return {PartitionId(*partition): offset for partition, offset in offsets.items()}
