"""Reads what the worker writes, as it is written: all alerts, the last row of each profile, dead letters."""

from __future__ import annotations

import threading
from collections.abc import Callable

from confluent_kafka import Consumer, Message, TopicPartition

RECORDS_AT_ONCE = 500
BEHIND_MAX = 1_500
"""Records that the embedded broker certainly still holds; the player waits for a watcher further behind."""


class Watcher:
    """A thread that reads; `missed` counts records that the broker dropped before they were read."""

    def __init__(self, bootstrap: str, topics: tuple[str, str, str], partitions: int) -> None:
        """`topics`: those of profiles, alerts and dead letters, in this order."""
        self.rows: dict[bytes, bytes] = {}
        self.dead_letters: list[Message] = []
        self.missed = 0
        self.behind = 0
        """Unread records of the partition that has most, as far as the client knows."""
        self._profiles, self._alerts, _ = topics
        self._new_alerts: list[bytes] = []
        self._new_rows: dict[bytes, bytes] = {}
        self._partitions = [(topic, number) for topic in topics for number in range(partitions)]
        self._next = dict.fromkeys(self._partitions, 0)
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "demo-watcher",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        self._consumer.assign([TopicPartition(topic, number, 0) for topic, number in self._partitions])
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take_alerts(self) -> list[bytes]:
        """The alerts read since the last call, in order."""
        with self._lock:
            taken, self._new_alerts = self._new_alerts, []
        return taken

    def take_rows(self) -> dict[bytes, bytes]:
        """The rows of profiles that changed since the last call, by customer."""
        with self._lock:
            taken, self._new_rows = self._new_rows, {}
        return taken

    def finish(self) -> None:
        """Read to the end and stop; call it when the worker has stopped."""
        self._stop.set()
        self._thread.join()
        while any(self._left(partition, cached=False) > 0 for partition in self._partitions):
            self._take(self._consumer.consume(RECORDS_AT_ONCE, timeout=0.5))
        self._consumer.close()

    def _left(self, partition: tuple[str, int], *, cached: bool) -> int:
        ends = self._consumer.get_watermark_offsets(TopicPartition(*partition), timeout=10, cached=cached)
        return max(ends[1] - self._next[partition], 0) if ends else 0

    def _run(self) -> None:
        """Only this thread uses the consumer: two threads in one consumer can block each other for ever."""
        while not self._stop.is_set():
            self._take(self._consumer.consume(RECORDS_AT_ONCE, timeout=0.1))
            self.behind = max(self._left(partition, cached=True) for partition in self._partitions)

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            if message.error() is not None:
                continue
            partition = (message.topic(), message.partition())
            self.missed += max(message.offset() - self._next[partition], 0)
            self._next[partition] = message.offset() + 1
            self._keep(message)

    def _keep(self, message: Message) -> None:
        key, value = message.key() or b"", message.value()
        if message.topic() == self._alerts:
            with self._lock:
                self._new_alerts.append(value or b"")
        elif message.topic() == self._profiles:
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value
                with self._lock:
                    self._new_rows[key] = value
        else:
            self.dead_letters.append(message)


def paced(watcher: Watcher, check: Callable[[], None]) -> Callable[[], None]:
    """A check that also waits until the watcher has caught up."""

    def wait() -> None:
        check()
        while watcher.behind > BEHIND_MAX:
            check()
            threading.Event().wait(0.02)

    return wait
