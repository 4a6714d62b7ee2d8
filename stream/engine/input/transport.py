"""Faust's consumer and producer, replaced where Faust works record by record.

Faust keeps the group's membership, the threads and the agents. Its consumer sends one message per poll and
lane, which carries the lane itself. Offsets, commits and seeks are the engine's: Faust's acknowledgements
decide nothing, and its commit does nothing here. Faust's producer never connects: all records go through
output/producer.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Protocol, cast

from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage

from stream.engine.client_internals import Fetched
from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.input.consumer_thread import ConsumerThread
from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.start.offsets import OUT_OF_LOG, check_fetch
from stream.engine.task.lane import Lane

BUSY_POLL_S = 0.005
"""How long a poll waits for records while a lane already has some to apply."""
POLL_PACE_S = 0.005
"""Polls that bring few records start so far apart: each costs two threads some ms, however few it brings. At
10,000 events/s alerts take 26 ms (median) with 5 ms, 37 with 10, 54 with 20, for a tenth more CPU."""
FEW_RECORDS = 1_000


def brings_few(records: Mapping[Any, Fetched]) -> bool:
    """Whether the fetches of a poll hold so few records that the next poll has time."""
    return sum(len(fetched.records) for fetched in records.values()) <= FEW_RECORDS


class Host(Protocol):
    """The application that the consumer belongs to, as far as the consumer needs it."""

    options: EngineOptions
    delivery: Delivery[Any]
    delivering: bool  # lanes are open, and fetched records may go to them
    fail: FailStop

    def on_poll(self, *, quiet: bool) -> None:
        """Called after every poll. `quiet`: it brought nothing, and no lane waits for the agent."""


class BatchConsumer(driver.Consumer):
    """Polls, gives the records to the lanes, and sends each lane with something to do to the agent."""

    transport: BatchTransport
    _thread: ConsumerThread
    _next_poll = 0.0

    def _new_consumer_thread(self) -> ConsumerThread:
        host, more = self.transport.host, {"loop": self.loop, "beacon": self.beacon}
        thread = ConsumerThread(self, options=host.options, fail=host.fail, **more)
        host.fail.leave = thread.leave_group
        return thread

    @property
    def thread(self) -> ConsumerThread:
        return self._thread

    async def _drain_messages(self, fetcher: Any) -> None:
        host = self.transport.host
        try:
            while not (self.should_stop or fetcher.should_stop):
                for lane in await self._poll_once(host):
                    if not lane.queued:
                        lane.queued = True
                        await self.callback(self._message_with(lane))
        except asyncio.CancelledError:
            # Faust takes a fetcher that is cancelled in a rebalance for one to be started again, and crashes
            # on that (faust/transport/consumer.py, Fetcher._fetcher); this one is being stopped.
            if not fetcher.should_stop:
                raise
        except BaseException as failure:
            if not (self.should_stop or self.app.should_stop):
                away = isinstance(failure, KafkaError)
                text = f"no input from Kafka at {host.options.bootstrap}: {failure!r}"
                host.fail(EngineError(Exit.PRODUCER, text) if away else failure)

    async def _poll_once(self, host: Host) -> list[Lane[Any]]:
        """The lanes with something to do."""
        delivery, options = host.delivery, host.options
        asked = delivery.to_fetch()
        if not host.delivering or not asked:
            await asyncio.sleep(BUSY_POLL_S if host.delivering and delivery.lanes else options.poll_s)
            lanes = list(delivery.lanes.values()) if host.delivering else []
            return [lane for lane in lanes if lane.may_have_moments()]
        await asyncio.sleep(self._next_poll - time.monotonic())
        busy = any(lane.queued or lane.busy or lane.due.waiting for lane in delivery.lanes.values())
        self._next_poll = time.monotonic() + POLL_PACE_S
        timeout_s = BUSY_POLL_S if busy else options.poll_s
        try:
            records, ends = await self._thread.poll(asked, timeout_s, options.max_poll_records)
        except OUT_OF_LOG:
            if host.delivering:
                await self._rewind({tp: delivery.next_offset(tp) for tp in delivery.to_fetch()})
            return []
        if not host.delivering:
            return []
        if not brings_few(records):
            self._next_poll = 0.0
        result = delivery.distribute(asked, records, ends, time.monotonic())
        if result.rewind:
            await self._rewind(result.rewind)
        host.on_poll(quiet=not (records or busy))
        return [lane for lane in delivery.lanes.values() if lane in result.lanes or lane.may_have_moments()]

    async def _rewind(self, offsets: Mapping[PartitionId, int]) -> None:
        """Fetch again from these offsets. EngineError: records there were deleted before they were read."""
        check_fetch(offsets, *await self._thread.ends(offsets))
        await self._thread.seek_to(offsets)

    def _message_with(self, lane: Lane[Any]) -> ConsumerMessage:
        topic = lane.sources[0].topic
        return ConsumerMessage(
            topic, lane.partition, 0, time.time(), 0, None, None, cast(bytes, lane), None, 0, 0,
            TP(topic, lane.partition), generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def ack(self, message: Any) -> bool:
        """The agent has taken the lane; nothing follows about durability."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Nothing: offsets are committed by output/commit.py."""
        return False

    async def wait_empty(self) -> None:
        """Nothing: the flusher is drained before partitions are given up."""

    async def verify_all_partitions_active(self) -> None:
        """Nothing: Faust would judge by offsets that it does not have."""


class SilentProducer(driver.Producer):
    """Faust's own producer, never connected."""

    async def on_start(self) -> None:
        """Nothing."""


class BatchTransport(driver.Transport):
    """Makes Faust use the consumer and the producer above."""

    Consumer = BatchConsumer
    Producer = SilentProducer

    def __init__(self, urls: Any, app: AppT, host: Host) -> None:
        super().__init__(urls, app)
        self.host = host
