"""The player and the watcher on the embedded broker; a slow reader stands for the worker."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from stream.core.events.event import MessageDelivered
from stream.core.events.payload import MessageTouch
from stream.demo import player as player_module
from stream.demo.failure import DemoError
from stream.demo.player import Player
from stream.demo.watcher import Watcher
from stream.worker.kafka.embedded import PARTITIONS, RETAINED_BYTES, EmbeddedBroker

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

TOPICS = ("purchases", "engagement", "feedback", "control")
LINK_BYTES = 10_000
EVENTS = 1 + RETAINED_BYTES * PARTITIONS * 6 // 5 // LINK_BYTES
"""A fifth more than all partitions of a topic can hold."""


def message(number):
    return MessageDelivered(
        id=f"m{number}",
        source="/test",
        subject=f"customer-{number % 50}",
        time=datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        data=MessageTouch(message_id=f"m{number}", channel="email", link="x" * LINK_BYTES),
    )


@pytest.fixture
def broker():
    with EmbeddedBroker() as broker:
        broker.create(*TOPICS, "profiles", "alerts", "dead")
        yield broker


class SlowReader(threading.Thread):
    """Reads the topics in small batches and commits each."""

    def __init__(self, bootstrap):
        super().__init__(daemon=True)
        self.read: Counter[str] = Counter()
        self.stop = threading.Event()
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "reader", "auto.offset.reset": "earliest"}
        )
        places = [TopicPartition(topic, number, 0) for topic in TOPICS for number in range(PARTITIONS)]
        self._consumer.assign(places)  # joining the group would take three seconds

    def run(self):
        while not self.stop.is_set():
            batch = self._consumer.consume(300, timeout=0.1)
            self.read.update(m.value() for m in batch if m.error() is None)
            if batch:
                self._consumer.commit(asynchronous=False)
        self._consumer.close()


def test_more_events_than_the_broker_can_hold_arrive_without_loss(broker, monkeypatch):
    monkeypatch.setattr(player_module, "STALLED_AFTER_S", 30.0)
    reader = SlowReader(broker.bootstrap)
    reader.start()
    player = Player(broker.bootstrap, "reader", TOPICS, PARTITIONS, lambda: None)
    player.play((message(number) for number in range(EVENTS)), lambda event: None)
    player.wait_until_done()
    player.close()
    reader.stop.set()
    reader.join()

    assert player.sent == player.committed == EVENTS
    assert len(reader.read) == EVENTS
    assert set(reader.read.values()) == {1}


def test_a_stalled_worker_ends_the_demo(broker, monkeypatch):
    monkeypatch.setattr(player_module, "STALLED_AFTER_S", 0.2)
    player = Player(broker.bootstrap, "nobody", TOPICS, PARTITIONS, lambda: None)

    with pytest.raises(DemoError, match="has stalled: 0 of"):
        player.play((message(number) for number in range(EVENTS)), lambda event: None)


def test_the_watcher_keeps_the_last_row_of_each_key_and_every_alert(broker):
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for number in range(8):
        producer.produce("profiles", f"row {number}", f"key {number % 2}", 0)
    producer.produce("profiles", None, "key 0", 0)
    producer.produce("alerts", "alert", "key 1", 3)
    producer.produce("dead", "letter", "key 1", 1)
    producer.flush()
    watcher = Watcher(broker.bootstrap, ("profiles", "alerts", "dead"), PARTITIONS)
    watcher.start()
    watcher.finish()

    assert watcher.rows == {b"key 1": b"row 7"}
    assert watcher.take_alerts() == [b"alert"]
    assert watcher.take_alerts() == []
    assert [letter.value() for letter in watcher.dead_letters] == [b"letter"]
    assert watcher.missed == 0


def test_a_watcher_that_was_too_slow_counts_what_it_missed(broker):
    producer = Producer({"bootstrap.servers": broker.bootstrap, "queue.buffering.max.kbytes": 200_000})
    for number in range(3_000):
        producer.produce("profiles", b"x" * 4_000, f"key {number % 9}", 0)
        producer.poll(0)
    producer.flush()
    watcher = Watcher(broker.bootstrap, ("profiles", "alerts", "dead"), PARTITIONS)
    watcher.start()
    watcher.finish()

    assert watcher.missed > 0
    assert len(watcher.rows) == 9
