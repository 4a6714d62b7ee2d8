"""Sends events to the embedded broker, never further ahead of the worker than the broker can hold.

The embedded broker silently drops the oldest records of a partition beyond a few megabytes. So the player
counts the bytes that the worker has not committed yet, and waits while there are too many.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable
from datetime import datetime

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from stream.core.events.event import RANK, Event
from stream.demo.failure import DemoError
from stream.wire import encode_event, partition_of
from stream.worker.kafka.embedded import RETAINED_BYTES, RETAINED_RECORDS

BYTES_MAX = RETAINED_BYTES // 3
RECORDS_MAX = RETAINED_RECORDS // 5
"""Of one partition; well below what the broker holds, since its own counting is not known exactly."""
RECORD_OVERHEAD_BYTES = 100
"""Upper estimate of what a record takes beside its key and value."""
STALLED_AFTER_S = 120.0
"""Without a new commit for so long, the demo ends."""
POLL_EVERY_S = 0.05
Partition = tuple[str, int]
"""(topic, partition number)."""


class Player:
    """Sends events in time order; counts, by partition, what was sent and what the worker has committed."""

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: tuple[str, ...],
        partitions: int,
        check: Callable[[], None],
    ) -> None:
        """`group`: that of the worker. `check` is called while waiting, and raises to give up."""
        self.sent = 0
        self.sent_to: datetime | None = None
        self._topics = topics
        self._partitions = partitions
        self._check = check
        self._failures: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "linger.ms": 20,
                "enable.idempotence": True,
                "max.in.flight.requests.per.connection": 1,  # docs/decisions/0011
                "log_level": 0,
            }
        )
        self._group = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0})
        all_partitions = [(topic, number) for topic in topics for number in range(partitions)]
        self._bytes: dict[Partition, array[int]] = {where: array("q", [0]) for where in all_partitions}
        self._committed: dict[Partition, int] = dict.fromkeys(all_partitions, 0)

    @property
    def committed(self) -> int:
        """Events that the worker has finished and committed."""
        return sum(self._committed.values())

    def play(self, events: Iterable[Event], advance: Callable[[Event], None]) -> None:
        """Send all events; `advance` is called after each."""
        for event in events:
            key = event.subject.encode()
            self.send(event, partition_of(key, self._partitions))
            advance(event)

    def send(self, event: Event, partition: int) -> None:
        """Send one event, as soon as the broker can hold it."""
        where = (self._topics[RANK[type(event)]], partition)
        value, key = encode_event(event), event.subject.encode()
        size = len(value) + len(key) + RECORD_OVERHEAD_BYTES
        if self._is_full(where, size):
            self._wait(lambda: not self._is_full(where, size))
        self._produce(where, key, value, event.time_ms)
        sums = self._bytes[where]
        sums.append(sums[-1] + size)
        self.sent += 1
        self.sent_to = event.time

    def wait_until_done(self) -> None:
        """Wait until the worker has committed every event."""
        self._wait(lambda: self.committed == self.sent)

    def close(self) -> None:
        self._group.close()

    def _is_full(self, where: Partition, size: int) -> bool:
        sums, committed = self._bytes[where], self._committed[where]
        return sums[-1] - sums[committed] + size > BYTES_MAX or len(sums) - 1 - committed >= RECORDS_MAX

    def _produce(self, where: Partition, key: bytes, value: bytes, time_ms: int) -> None:
        topic, partition = where
        while True:
            try:
                self._producer.produce(
                    topic, value, key, partition, timestamp=time_ms, on_delivery=self._delivered
                )
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failures.append(f"{message.topic()}: {error}")

    def _wait(self, until: Callable[[], bool]) -> None:
        """Flush first: the worker cannot commit what is still in the buffer of the producer."""
        self._producer.flush(30)
        before, since = self.committed, time.monotonic()
        while True:
            self._check()
            self._read_commits()
            if until():
                return
            if self._failures:
                raise DemoError(f"the embedded broker rejected an event: {self._failures[0]}")
            if self.committed > before:
                before, since = self.committed, time.monotonic()
            elif time.monotonic() - since > STALLED_AFTER_S:
                raise DemoError(
                    f"the worker has stalled: {self.committed:,} of {self.sent:,} events are done"
                )
            time.sleep(POLL_EVERY_S)

    def _read_commits(self) -> None:
        """Ask the broker for the committed offsets of the worker."""
        partitions = [TopicPartition(topic, partition) for topic, partition in self._bytes]
        for where in self._group.committed(partitions, timeout=15):
            if where.offset > 0:
                self._committed[where.topic, where.partition] = where.offset
