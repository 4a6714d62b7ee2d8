"""`stream deliver run` as a process of its own, on some broker; it can be killed at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from stream.core.alerts.delivery import DeliveryRecord
from stream.core.events.event import CustomerMuted, Event
from stream.core.events.remarks import Mute
from stream.core.units import DAY_MS
from stream.wire import encode_event
from tests.support.builders import at, erased
from tests.support.kafka_broker import free_port
from tests.support.webhook_receiver import SECRET

TIMEOUT_S = 60.0


def wait_until(true: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + TIMEOUT_S
    while not true():
        assert time.monotonic() < until, f"waited in vain for: {what}"
        time.sleep(0.05)


class DeliverProcess:
    """Runs from `start` to `kill` or `stop`; its queue stays."""

    def __init__(self, folder: Path, bootstrap: str, prefix: str, *, broken: str = "") -> None:
        """`broken`: a fault of tests/faults/broken_deliver.py."""
        self._program = ["tests.faults.broken_deliver", broken] if broken else ["stream"]
        self.folder, self.prefix, self.bootstrap = folder, prefix, bootstrap
        self.port = free_port()
        self.environ = {
            **os.environ,
            "STREAM_BROKERS": bootstrap,
            "STREAM_TOPIC_PREFIX": prefix,
            "STREAM_APP_ID": prefix,
            "STREAM_DELIVER_ENDPOINTS": str(folder / "endpoints.toml"),
            "STREAM_DELIVER_QUEUE": str(folder / "queue.db"),
            "STREAM_DELIVER_HTTP_PORT": str(self.port),
            "STREAM_LOG_FORMAT": "json",
            "RECEIVER_SECRET": SECRET,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
        for role in ("alerts", "control", "deliveries"):  # a mock broker makes a topic that is asked for
            self._producer.list_topics(f"{prefix}customers.{role}.v1", timeout=TIMEOUT_S)

    def write(self, *bodies: bytes, partition: int = 0) -> None:
        """Write alerts to the topic, all into one partition: an alert has its customer as the key."""
        for body in bodies:
            self.send(body, partition)
        self.flush()

    def send(self, body: bytes, partition: int = 0) -> None:
        """Hand an alert to the producer."""
        self._producer.produce(f"{self.prefix}customers.alerts.v1", value=body, partition=partition)
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until all is on the topic."""
        assert self._producer.flush(TIMEOUT_S) == 0

    def erase(self, customer: str) -> None:
        """Write an erasure to the control topic."""
        self._say(msgspec.structs.replace(erased((time.time() * 1_000 - at(0)) / DAY_MS), subject=customer))

    def mute(self, customer: str) -> None:
        """Write to the control topic that nothing about a customer may reach anybody."""
        now, data = datetime.now(UTC), Mute(reason="staff")
        self._say(CustomerMuted(id=f"m-{customer}", source="/page", subject=customer, time=now, data=data))

    def _say(self, event: Event) -> None:
        customer = event.subject
        self._producer.produce(f"{self.prefix}customers.control.v1", encode_event(event), customer.encode())
        assert self._producer.flush(TIMEOUT_S) == 0

    def outcomes(self) -> list[DeliveryRecord]:
        """All records that are on the deliveries topic now; waits for a broker that does not know it yet."""
        until = time.monotonic() + TIMEOUT_S
        while True:
            try:
                return self._outcomes()
            except KafkaException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)

    def _outcomes(self) -> list[DeliveryRecord]:
        topic = f"{self.prefix}customers.deliveries.v1"
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "none", "log_level": 0})
        found = []
        for partition in consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions:
            place = TopicPartition(topic, partition)
            place.offset, end = consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
            consumer.assign([place])
            for message in consumer.consume(end - place.offset, TIMEOUT_S) if end > place.offset else ():
                record = msgspec.json.decode(message.value(), type=DeliveryRecord)
                assert message.key().decode() == record.subject
                found.append(record)
        consumer.close()
        return found

    def start(self, *words: str, wait: bool = True) -> None:
        """Start it, and wait until it reads the topic."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._program, "deliver", "run", *words],
                env=self.environ,
                stdout=log,
                stderr=log,
            )
        if wait:
            wait_until(self.is_ready, f"the process is ready\n{self.log()[-2_000:]}")

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()[-3_000:]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    def end(self, how: signal.Signals) -> int:
        """Send a signal, and wait for the end; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(TIMEOUT_S)

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""
