"""Faust's consumer, delivering by the batch: one message per (partition number, poll), carrying its lane.

Faust keeps the group membership, the threads and the agents. Offsets, commits and seeks are ours: Faust's own
acknowledgements decide nothing (its commit is a no-op here).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Protocol, cast

from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage

from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.input.consumer_thread import ConsumerThread
from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.start.offsets import OUTSIDE, check_fetch
from stream.engine.task.lane import Lane

CROWDED_POLL_S = 0.005
POLL_PACE_S = 0.005
"""Polls that bring little start so far apart: each costs two threads some ms, however little it brings.
At 10,000 events/s alerts take 26 ms (median) with 5, 37 with 10, 54 with 20, for a tenth more CPU."""
LITTLE = 1_000


class Host(Protocol):
    """The application that the consumer belongs to, as far as the consumer needs it."""

    options: EngineOptions
    delivery: Delivery[Any]
    delivering: bool  # lanes are open: what is fetched may be handed to them
    fail: FailStop

    def on_poll(self, *, quiet: bool) -> None:
        """Called after every poll; `quiet`: it brought nothing, and no lane has anything at hand."""


class BatchConsumer(driver.Consumer):
    """Polls, hands raw records to the lanes, and rings the agent once per lane touched."""

    transport: Transport
    _thread: ConsumerThread
    _next_poll = 0.0

    def _new_consumer_thread(self) -> ConsumerThread:
        host = self.transport.host
        return ConsumerThread(self, options=host.options, fail=host.fail, loop=self.loop, beacon=self.beacon)

    @property
    def thread(self) -> ConsumerThread:
        return self._thread

    async def _drain_messages(self, fetcher: Any) -> None:
        host = self.transport.host
        try:
            while not (self.should_stop or fetcher.should_stop):
                for lane in await self._poll_once(host):
                    if not lane.rung:
                        lane.rung = True
                        await self.callback(self._doorbell(lane))
        except asyncio.CancelledError:
            # Faust takes a fetcher that is cancelled in a rebalance for one to be started again, and crashes
            # on that (faust/transport/consumer.py, Fetcher._fetcher); this one is being stopped.
            if not fetcher.should_stop:
                raise
        except BaseException as failure:
            if not (self.should_stop or self.app.should_stop):
                away = isinstance(failure, KafkaError)
                text = f"no input from Kafka: {failure!r}"
                host.fail(EngineError(Exit.PRODUCER, text) if away else failure)

    async def _poll_once(self, host: Host) -> list[Lane[Any]]:
        delivery, options = host.delivery, host.options
        asked = delivery.wanted()
        if not host.delivering or not asked:
            await asyncio.sleep(CROWDED_POLL_S if host.delivering and delivery.lanes else options.poll_s)
            return (
                [lane for lane in delivery.lanes.values() if lane.wants_attention()]
                if host.delivering
                else []
            )
        await asyncio.sleep(self._next_poll - time.monotonic())
        crowded = any(lane.rung for lane in delivery.lanes.values())
        self._next_poll = time.monotonic() + POLL_PACE_S
        timeout_s = CROWDED_POLL_S if crowded else options.poll_s
        try:
            records, ends = await self._thread.poll(asked, timeout_s, options.max_poll_records)
        except OUTSIDE:
            if host.delivering:
                await self._rewind({place: delivery.expected(place) for place in delivery.wanted()})
            return []
        if not host.delivering:
            return []
        if sum(map(len, records.values())) > LITTLE:
            self._next_poll = 0.0
        result = delivery.distribute(asked, records, ends, time.monotonic())
        if result.rewind:
            await self._rewind(result.rewind)
        host.on_poll(quiet=not (records or crowded))
        return [lane for lane in delivery.lanes.values() if lane in result.touched or lane.wants_attention()]

    async def _rewind(self, offsets: Mapping[PartitionId, int]) -> None:
        """A gap: fetch again from where we are. Records deleted unread are the end of it."""
        check_fetch(offsets, *await self._thread.ends(offsets))
        await self._thread.seek_to(offsets)

    def _doorbell(self, lane: Lane[Any]) -> ConsumerMessage:
        topic = lane.sources[0].topic
        return ConsumerMessage(
            topic, lane.partition, 0, time.time(), 0, None, None, cast(bytes, lane), None, 0, 0,
            TP(topic, lane.partition), generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def ack(self, message: Any) -> bool:
        """A doorbell was answered; it says nothing about durability."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        return False

    async def wait_empty(self) -> None:
        return

    async def verify_all_partitions_active(self) -> None:
        return


class SilentProducer(driver.Producer):
    """Faust's own producer, never connected: all that is written goes through `sender`."""

    async def on_start(self) -> None:
        return


class Transport(driver.Transport):
    """How Faust reaches Kafka for us: it makes the consumer and the producer above."""

    Consumer = BatchConsumer
    Producer = SilentProducer

    def __init__(self, urls: Any, app: AppT, host: Host) -> None:
        super().__init__(urls, app)
        self.host = host
