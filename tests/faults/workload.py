"""Seeded input for the toy application: busy keys, keys that are silent for hours, and poison."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from confluent_kafka import Producer

from tests.support.toy_app import HOUR_MS, TOPICS, Event

START_MS = 1_300_000_000_000
BUSY_KEYS = 100
SLEEPERS = 40
CHUNK = 400
ACKNOWLEDGED_WITHIN_S = 60
POISON = [
    b"",
    b"{",
    b"null",
    b"[1]",
    b"\xff\xfe",
    b'{"key":1}',
    b'{"key":"a","time_ms":1e400}',
    b'{"key":"a"}',
]


class Input(NamedTuple):
    topic: str
    key: str
    value: bytes


class Shop:
    """Event times rise by a second on average; a sleeper has one event every three hours or more.

    Silences are far shorter than an hour or far longer: which of them raise an alert must not depend on how
    far apart from each other the topics are read.
    """

    def __init__(self, prefix: str, seed: int, poison: float = 0.002) -> None:
        self.prefix = prefix
        self._poison = poison
        self._chance = random.Random(seed)
        self._now_ms = START_MS
        self._wakes = {
            f"sleeper-{n}": START_MS + self._chance.randrange(3 * HOUR_MS) for n in range(SLEEPERS)
        }
        self._encode = msgspec.json.Encoder().encode

    def inputs(self, count: int) -> Iterator[Input]:
        """The next `count` inputs; time goes on from call to call."""
        chance = self._chance
        for _ in range(count):
            self._now_ms += chance.randrange(2_000)
            topic = f"{self.prefix}.{chance.choices(TOPICS, (2, 7, 1))[0]}"
            key = self._next_key()
            if chance.random() < self._poison:
                yield Input(topic, key, chance.choice(POISON))
            else:
                yield Input(topic, key, self._encode(Event(key, self._now_ms, chance.randrange(1_000))))

    def _next_key(self) -> str:
        sleeper = min(self._wakes, key=self._wakes.__getitem__)
        if self._wakes[sleeper] > self._now_ms:
            return f"busy-{self._chance.randrange(BUSY_KEYS)}"
        self._wakes[sleeper] = self._now_ms + 3 * HOUR_MS + self._chance.randrange(HOUR_MS)
        return sleeper


def produce(bootstrap: str, made: Iterator[Input]) -> int:
    """Send all of it, waiting for acknowledgements in between, so that no topic gets far ahead."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "max.in.flight.requests.per.connection": 1,  # docs/decisions/0011
        }
    )
    count = 0
    for topic, key, value in made:
        producer.produce(topic, value, key)
        count += 1
        if count % CHUNK == 0:
            _wait_for_all(producer)
    _wait_for_all(producer)
    return count


def _wait_for_all(producer: Producer) -> None:
    left = producer.flush(ACKNOWLEDGED_WITHIN_S)
    assert left == 0, f"{left} inputs were not acknowledged within {ACKNOWLEDGED_WITHIN_S} s"
