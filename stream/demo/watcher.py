"""Reads what the worker says while it says it: every alert, the last row of every profile, dead letters."""

from __future__ import annotations

import threading
from collections.abc import Callable

from confluent_kafka import Consumer, Message, TopicPartition

AT_ONCE = 500
BEHIND_MAX = 1_500
"""Rows the embedded broker surely still remembers; the player waits for a watcher further behind."""


class Watcher:
    """A thread that keeps up; `missed` counts records the broker forgot before they were read."""

    def __init__(self, bootstrap: str, topics: tuple[str, str, str], partitions: int) -> None:
        """`topics` are those of profiles, alerts and dead letters."""
        self.rows: dict[bytes, bytes] = {}
        self.dead_letters: list[Message] = []
        self.missed = 0
        self.behind = 0
        """Records of the fullest partition that are written and not read yet, as far as is known."""
        self._profiles, self._alerts, _ = topics
        self._new_alerts: list[bytes] = []
        self._places = [(topic, number) for topic in topics for number in range(partitions)]
        self._next = dict.fromkeys(self._places, 0)
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
        self._consumer.assign([TopicPartition(topic, number, 0) for topic, number in self._places])
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take_alerts(self) -> list[bytes]:
        """What has come since the last call, in order."""
        with self._lock:
            taken, self._new_alerts = self._new_alerts, []
        return taken

    def finish(self) -> None:
        """Read to the end, then stop; nothing is written any more."""
        self._stop.set()
        self._thread.join()
        while any(self._left(place, cached=False) > 0 for place in self._places):
            self._take(self._consumer.consume(AT_ONCE, timeout=0.5))
        self._consumer.close()

    def abandon(self) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _left(self, place: tuple[str, int], *, cached: bool) -> int:
        ends = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=10, cached=cached)
        return max(ends[1] - self._next[place], 0) if ends else 0

    def _run(self) -> None:
        """The consumer is touched by this thread alone: two of them can lock each other out for ever."""
        while not self._stop.is_set():
            self._take(self._consumer.consume(AT_ONCE, timeout=0.1))
            self.behind = max(self._left(place, cached=True) for place in self._places)

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            if message.error() is not None:
                continue
            place = (message.topic(), message.partition())
            self.missed += max(message.offset() - self._next[place], 0)
            self._next[place] = message.offset() + 1
            self._sort(message)

    def _sort(self, message: Message) -> None:
        key, value = message.key() or b"", message.value()
        if message.topic() == self._alerts:
            with self._lock:
                self._new_alerts.append(value or b"")
        elif message.topic() == self._profiles:
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value
        else:
            self.dead_letters.append(message)


def paced(watcher: Watcher, check: Callable[[], None]) -> Callable[[], None]:
    """A check that also waits for a watcher that has fallen behind."""

    def wait() -> None:
        check()
        while watcher.behind > BEHIND_MAX:
            check()
            threading.Event().wait(0.02)

    return wait
