"""Sends imported events to the input topics in time order, from the first that is not acknowledged yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from stream.config.settings import Settings
from stream.core.events.event import EVENT_TYPES
from stream.importing.files.output.outgoing import OutgoingEvent
from stream.kafka_login import librdkafka_login

SENT_AT_ONCE = 5_000
"""Events between two waits for the acknowledgements of all: at most these are sent twice after a crash."""
FLUSH_TIMEOUT_S = 60.0
TOPICS_TIMEOUT_S = 15
KINDS_BY_RANK = tuple(EVENT_TYPES)
"""Kinds of input topics; the index is `OutgoingEvent.rank`."""


class SendError(Exception):
    """Not every event reached the brokers; the journal says how many did."""


def client_settings(settings: Settings) -> dict[str, Any]:
    """Settings of librdkafka's producer. Topics are never created by sending to them."""
    given = {
        "bootstrap.servers": settings.brokers,
        "security.protocol": settings.security,
        "ssl.ca.location": settings.ssl_ca_file,
        "ssl.certificate.location": settings.ssl_cert_file,
        "ssl.key.location": settings.ssl_key_file,
    }
    return {
        **{name: value for name, value in given.items() if value},
        **librdkafka_login(settings),
        "allow.auto.create.topics": False,
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "max.in.flight.requests.per.connection": 1,  # docs/decisions/0011
        "compression.type": "lz4",
        "linger.ms": 50,
    }


def input_topics(settings: Settings) -> tuple[str, ...]:
    """The names of the input topics, by rank."""
    return tuple(settings.topic_prefix + getattr(settings, f"topic_{kind}") for kind in KINDS_BY_RANK)


class Acknowledgements(Protocol):
    """What was sent before, and how that is noted."""

    @property
    def sent(self) -> int:
        """Events that are acknowledged."""

    def begin(self, cluster_id: str, topics: tuple[str, ...]) -> None:
        """The brokers answer, and the topics exist."""

    def is_sent(self, number: int, event: OutgoingEvent) -> bool:
        """Whether the event of this number, from 1, need not be sent."""

    def handed_over(self, number: int, event: OutgoingEvent) -> None:
        """This event is on its way."""

    def acknowledged(self) -> None:
        """All events that were handed over have arrived."""


def send_to_kafka(
    events: Iterator[OutgoingEvent],
    settings: Settings,
    noted: Acknowledgements,
    advance: Callable[[int], None],
) -> int:
    """Send the events that were not sent before; returns how many were sent by this call."""
    from confluent_kafka import KafkaError, Message, Producer

    failures: list[str] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failures.append(f"{message.topic()}: {error}")

    producer, topics = Producer({**client_settings(settings), "log_level": 0}), input_topics(settings)
    noted.begin(_checked_cluster(producer, topics, settings), topics)
    sent = 0
    try:
        for number, event in enumerate(events, start=1):
            if noted.is_sent(number, event):
                continue
            _hand_over(producer, topics[event.rank], event, delivered)
            noted.handed_over(number, event)
            sent += 1
            if sent % SENT_AT_ONCE == 0:
                _wait_for_acknowledgements(producer, failures, noted)
                advance(SENT_AT_ONCE)
    finally:  # also after Ctrl-C: what is on its way is waited for and noted
        _wait_for_acknowledgements(producer, failures, noted)
    return sent


def _hand_over(producer: Any, topic: str, event: OutgoingEvent, delivered: Callable[..., None]) -> None:
    key = event.subject.encode()
    while True:
        try:
            producer.produce(topic, event.value, key, timestamp=event.time_ms, on_delivery=delivered)
            break
        except BufferError:
            producer.poll(0.1)
    producer.poll(0)


def _wait_for_acknowledgements(producer: Any, failures: list[str], noted: Acknowledgements) -> None:
    left = producer.flush(FLUSH_TIMEOUT_S)
    if left or failures:
        why = failures[0] if failures else f"{left} events were not acknowledged in {FLUSH_TIMEOUT_S:.0f} s"
        raise SendError(
            f"{why}; {noted.sent:,} events are acknowledged: run the same command again to continue"
        )
    noted.acknowledged()


def _checked_cluster(producer: Any, topics: tuple[str, ...], settings: Settings) -> str:
    """The id of the cluster; SendError when it does not answer or lacks a topic."""
    from confluent_kafka import KafkaException

    from stream.kafka_causes import NoAnswerError, wait_for_kafka

    try:
        wait_for_kafka(client_settings(settings), TOPICS_TIMEOUT_S)
        cluster = producer.list_topics(timeout=TOPICS_TIMEOUT_S)
    except NoAnswerError as cause:
        raise SendError(f"no broker answers at {settings.brokers} (STREAM_BROKERS): {cause}") from cause
    except KafkaException as failure:
        raise SendError(f"no broker answers at {settings.brokers}: {failure.args[0].str()}") from failure
    missing = [name for name in topics if name not in cluster.topics]
    if missing:
        raise SendError(
            f"there is no topic {', '.join(missing)}; create the topics with: stream topics apply"
        )
    return str(cluster.cluster_id)
