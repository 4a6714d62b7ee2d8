"""The consumer in its own thread: what is asked of it on the event loop, and answered over there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import aiokafka
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, KafkaConnectionError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.input.fetch import Highwaters, Records, fetched, highwaters
from stream.engine.input.fetch_size import MAX_FETCH_BYTES, MAX_PARTITION_BYTES
from stream.engine.input.lease import Lease
from stream.engine.input.member import Member
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.task.batch import Mark

Result = TypeVar("Result")
MS = 1000
START_RETRY_S = 0.5
METADATA_MAX_AGE_MS = 5_000
"""A broker that has just started may not know the topics: the leader of the group then assigns nothing to
anybody, until it looks again (aiokafka: after five minutes)."""
FETCH_WAIT_MS = 50
"""aiokafka fetches once per node at a time: a long wait for one partition delays the others."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The aiokafka consumer in its thread. Each method runs a coroutine over there and waits for it here."""

    lease: Lease

    def __init__(self, consumer: Any, *, options: EngineOptions, fail: FailStop, **more: Any) -> None:
        super().__init__(consumer, **more)
        self._options = options
        self._fail = fail

    async def on_start(self) -> None:
        """A broker that is away for a moment when we start is waited for."""
        until = time.monotonic() + self._options.delivery_timeout_s
        while True:
            try:
                await super().on_start()
                return
            except KafkaConnectionError as away:
                if self.app.should_stop:
                    self._fail.exit(0)  # nothing was begun
                if time.monotonic() > until:
                    self._fail(EngineError(Exit.PRODUCER, f"no Kafka answers: {away}"))
                await self._ensure_consumer().stop()
                await asyncio.sleep(START_RETRY_S)

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        options, conf = self._options, self.app.conf
        # Equal ranges of every topic: a partition number of all inputs goes to one worker by construction.
        # Sticky or round robin place each topic by itself. aiokafka has no cooperative protocol; with it the
        # lanes that stay would not be closed and opened again, which is what a rebalance costs here.
        self._assignor = RangePartitionAssignor
        self.lease = Lease(options.session_timeout_s)
        auth = driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context)
        return Member(
            self.lease,
            client_id=conf.broker_client_id,
            group_id=options.app_id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="none",  # every start is an explicit seek, and there is no other move
            max_poll_interval_ms=86_400_000,
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
            fetch_max_bytes=MAX_FETCH_BYTES,
            max_partition_fetch_bytes=MAX_PARTITION_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            request_timeout_ms=int(conf.broker_request_timeout * MS),
            session_timeout_ms=int(options.session_timeout_s * MS),
            heartbeat_interval_ms=int(min(3.0, options.session_timeout_s / 4) * MS),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * MS),
            check_crcs=conf.broker_check_crcs,
            isolation_level="read_uncommitted",
            **auth,
        )

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.lease.renew(time.monotonic())
        await super().on_partitions_assigned(assigned, generation_id)

    async def there(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await in the consumer's thread."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.thread_loop))

    async def poll(self, places: Iterable[PartitionId], timeout_s: float, limit: int) -> tuple[Any, Any]:
        return await self.there(self._poll({TopicPartition(*place) for place in places}, timeout_s, limit))

    async def _poll(
        self, partitions: set[TopicPartition], timeout_s: float, limit: int
    ) -> tuple[Records, Highwaters]:
        fetcher = self._ensure_consumer()._fetcher
        with fetcher._subscriptions.fetch_context():
            records = await fetched(fetcher, partitions, timeout_s, limit)
        return records, highwaters(fetcher, partitions)

    async def seek_to(self, offsets: Mapping[PartitionId, int]) -> None:
        await self.there(self._seek_to(offsets))

    async def _seek_to(self, offsets: Mapping[PartitionId, int]) -> None:
        consumer = self._ensure_consumer()
        for place, offset in offsets.items():
            consumer.seek(TopicPartition(*place), offset)

    async def ends(
        self, places: Iterable[PartitionId]
    ) -> tuple[dict[PartitionId, int], dict[PartitionId, int]]:
        """First and next offset of each partition."""
        consumer, partitions = self._ensure_consumer(), [TopicPartition(*place) for place in places]
        first = await self.there(consumer.beginning_offsets(partitions))
        last = await self.there(consumer.end_offsets(partitions))
        return (
            {PartitionId(*partition): offset for partition, offset in first.items()},
            {PartitionId(*partition): offset for partition, offset in last.items()},
        )

    async def next_offsets(self, places: Iterable[PartitionId]) -> dict[PartitionId, int]:
        last = await self.there(
            self._ensure_consumer().end_offsets([TopicPartition(*each) for each in places])
        )
        return {PartitionId(*partition): offset for partition, offset in last.items()}

    async def refresh_metadata(self) -> None:
        await self.there(self._refresh_metadata())

    async def _refresh_metadata(self) -> None:
        await self._ensure_consumer()._client.force_metadata_update()

    def partitions_for_topic(self, topic: str) -> set[int]:
        return self._ensure_consumer().partitions_for_topic(topic) or set()

    async def committed_marks(self, places: Iterable[PartitionId]) -> dict[PartitionId, tuple[int, Mark]]:
        coordinator = self._ensure_consumer()._coordinator
        found = await self.there(
            coordinator.fetch_committed_offsets([TopicPartition(*each) for each in places])
        )
        return {
            PartitionId(*partition): (value.offset, Mark.decode(value.metadata or ""))
            for partition, value in found.items()
            if value.offset >= 0
        }

    async def commit_marks(self, marks: Mapping[PartitionId, tuple[int, Mark]]) -> None:
        offsets = {
            TopicPartition(*place): OffsetAndMetadata(offset, mark.encode())
            for place, (offset, mark) in marks.items()
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
    def membership(self) -> tuple[int, str]:
        """Generation and member id, as the broker knows us."""
        coordinator = self._ensure_consumer()._coordinator
        return coordinator.generation, coordinator.member_id
