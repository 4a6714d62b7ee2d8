"""Plays events into the embedded broker, never further ahead of the worker than the broker remembers.

The broker forgets silently beyond a few megabytes a partition. So bytes count as on their way until the
worker has committed them, and the player waits where too many are.
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
RECORD_OVERHEAD_BYTES = 100
STUCK_AFTER_S = 120.0
LOOK_EVERY_S = 0.05
Place = tuple[str, int]


class Player:
    """Sends in time order; counts by topic and partition what was sent and what the worker has committed."""

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: tuple[str, ...],
        partitions: int,
        check: Callable[[], None],
    ) -> None:
        """`check` is called while waiting; it raises when there is nothing to wait for any more."""
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
        places = [(topic, number) for topic in topics for number in range(partitions)]
        self._bytes: dict[Place, array[int]] = {place: array("q", [0]) for place in places}
        self._committed: dict[Place, int] = dict.fromkeys(places, 0)

    @property
    def committed(self) -> int:
        """How many events the worker is done with, for good."""
        return sum(self._committed.values())

    def play(self, events: Iterable[Event], advance: Callable[[Event], None]) -> None:
        for event in events:
            key = event.subject.encode()
            self.send(event, partition_of(key, self._partitions))
            advance(event)

    def send(self, event: Event, partition: int) -> None:
        """One event, when there is room for it."""
        place = (self._topics[RANK[type(event)]], partition)
        value, key = encode_event(event), event.subject.encode()
        size = len(value) + len(key) + RECORD_OVERHEAD_BYTES
        if self._is_full(place, size):
            self._wait(lambda: not self._is_full(place, size))
        self._produce(place, key, value, event.time_ms)
        sums = self._bytes[place]
        sums.append(sums[-1] + size)
        self.sent += 1
        self.sent_to = event.time

    def wait_until_done(self) -> None:
        """Until every event is committed."""
        self._wait(lambda: self.committed == self.sent)

    def close(self) -> None:
        self._group.close()

    def _is_full(self, place: Place, size: int) -> bool:
        sums, committed = self._bytes[place], self._committed[place]
        return sums[-1] - sums[committed] + size > BYTES_MAX or len(sums) - 1 - committed >= RECORDS_MAX

    def _produce(self, place: Place, key: bytes, value: bytes, time_ms: int) -> None:
        topic, partition = place
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
        """Everything sent must be out first: the worker cannot commit what still lingers here."""
        self._producer.flush(30)
        before, since = self.committed, time.monotonic()
        while True:
            self._check()
            self._look()
            if until():
                return
            if self._failures:
                raise DemoError(f"the embedded broker did not take an event: {self._failures[0]}")
            if self.committed > before:
                before, since = self.committed, time.monotonic()
            elif time.monotonic() - since > STUCK_AFTER_S:
                raise DemoError(
                    f"the worker stands still: {self.committed:,} of {self.sent:,} events are done"
                )
            time.sleep(LOOK_EVERY_S)

    def _look(self) -> None:
        """Ask the broker how far the worker's group has come."""
        asked = [TopicPartition(topic, partition) for topic, partition in self._bytes]
        for place in self._group.committed(asked, timeout=15):
            if place.offset > 0:
                self._committed[place.topic, place.partition] = place.offset
