"""Imported events to Kafka, resumable: a journal holds how many of them, in order, the brokers have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from stream.config.settings import Settings
from stream.core.events.event import EVENT_TYPES
from stream.importing.files.run import Told

SENT_AT_ONCE = 5_000
FLUSH_TIMEOUT_S = 60.0
KINDS = tuple(EVENT_TYPES)
"""In the order of `Told.rank`."""


class SendError(click.ClickException):
    """Not everything reached the brokers; what did is in the journal."""


class Journal:
    """How far this import of these files has come; kept after the end, so that a second run sends nothing."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self.sent = self._read()

    def _read(self) -> int:
        try:
            told = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return 0
        return int(told["sent"]) if told.get("import") == self._fingerprint else 0

    def keep(self, sent: int) -> None:
        partial = self._path.with_name(self._path.name + ".part")
        partial.write_text(json.dumps({"import": self._fingerprint, "sent": sent}))
        partial.replace(self._path)
        self.sent = sent


def client_settings(settings: Settings) -> dict[str, Any]:
    """librdkafka's names for how to reach the brokers; topics are never made by sending to them."""
    given = {
        "bootstrap.servers": settings.brokers,
        "security.protocol": settings.security,
        "sasl.mechanism": settings.sasl_mechanism if settings.security.startswith("SASL") else "",
        "sasl.username": settings.sasl_username,
        "sasl.password": settings.sasl_password,
        "ssl.ca.location": settings.ssl_ca_file,
        "ssl.certificate.location": settings.ssl_cert_file,
        "ssl.key.location": settings.ssl_key_file,
    }
    return {
        **{name: value for name, value in given.items() if value},
        "allow.auto.create.topics": False,
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "max.in.flight.requests.per.connection": 1,  # docs/decisions/0011
        "compression.type": "lz4",
        "linger.ms": 50,
    }


def topics(settings: Settings) -> tuple[str, ...]:
    """The input topics, by rank."""
    return tuple(settings.topic_prefix + getattr(settings, f"topic_{kind}") for kind in KINDS)


def send(told: Iterator[Told], settings: Settings, journal: Journal, advance: Callable[[int], None]) -> int:
    """Send in time order what the journal does not have yet; returns how many were sent now."""
    from confluent_kafka import KafkaError, Message, Producer

    failures: list[str] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failures.append(f"{message.topic()}: {error}")

    producer, names = Producer({**client_settings(settings), "log_level": 0}), topics(settings)
    _check_topics(producer, names, settings)
    handed = already = journal.sent
    try:
        for number, event in enumerate(told, start=1):
            if number <= already:
                continue
            _hand_over(producer, names[event.rank], event, delivered)
            handed = number
            if number % SENT_AT_ONCE == 0:
                _settle(producer, failures, journal, number)
                advance(SENT_AT_ONCE)
    finally:  # told to stop, it waits for what is on its way and notes it
        _settle(producer, failures, journal, handed)
    return handed - already


def _hand_over(producer: Any, topic: str, event: Told, delivered: Callable[..., None]) -> None:
    key = event.subject.encode()
    while True:
        try:
            producer.produce(topic, event.value, key, timestamp=event.time_ms, on_delivery=delivered)
            break
        except BufferError:
            producer.poll(0.1)
    producer.poll(0)


def _settle(producer: Any, failures: list[str], journal: Journal, number: int) -> None:
    left = producer.flush(FLUSH_TIMEOUT_S)
    if left or failures:
        why = failures[0] if failures else f"{left} events were not acknowledged in {FLUSH_TIMEOUT_S:.0f} s"
        raise SendError(f"{why}; {journal.sent:,} events are safe: the same command goes on from there")
    journal.keep(number)


def _check_topics(producer: Any, names: tuple[str, ...], settings: Settings) -> None:
    from confluent_kafka import KafkaException

    try:
        there = producer.list_topics(timeout=15).topics
    except KafkaException as failure:
        raise SendError(f"no broker answers at {settings.brokers}: {failure.args[0].str()}") from failure
    missing = [name for name in names if name not in there]
    if missing:
        raise SendError(f"there is no topic {', '.join(missing)}; make the topics with: stream topics apply")
