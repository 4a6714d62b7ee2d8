"""The deliveries topic: what became of each alert at each endpoint, written by this program alone.

A report that Kafka has not acknowledged is written again, under the same id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from stream.deliver.queue.reports import Report
from stream.deliver.topic import TIMEOUT_S, TopicError
from stream.kafka_causes import why_hidden
from stream.wire import encode_alert

HEADERS = [("content-type", b"application/cloudevents+json")]


class DeliveriesTopic:
    """Writes reports. Its methods block: use it from a thread of its own."""

    def __init__(self, client: Mapping[str, Any], topic: str) -> None:
        """`client`: the connection settings of librdkafka."""
        self.topic = topic
        self.problem = ""
        """Why nothing can be written at present; empty when all is well."""
        self._producer = Producer(
            {
                **client,
                "acks": "all",
                "enable.idempotence": True,
                "max.in.flight.requests.per.connection": 1,  # docs/decisions/0011
                "partitioner": "murmur2_random",  # as Java clients place keys
                "compression.type": "gzip",  # what every client can read
                "linger.ms": 5,
                "message.timeout.ms": int(TIMEOUT_S * 1_000),
                "log_level": 0,
            }
        )

    def check(self) -> None:
        """TopicError when there is no such topic; KafkaException when no broker answers."""
        if reason := why_hidden(self._producer, self.topic, TIMEOUT_S):
            raise TopicError(reason)
        found = self._producer.list_topics(self.topic, timeout=TIMEOUT_S).topics[self.topic]
        if found.error is not None and found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise TopicError(f"{self.topic}: no such topic; run `stream topics apply`")

    def write(self, reports: Sequence[Report]) -> list[Report]:
        """Write reports, and wait; those that Kafka has acknowledged."""
        written: list[Report] = []

        def note(report: Report, error: KafkaError | None) -> None:
            if error is None:
                written.append(report)
            else:
                self.problem = f"{self.topic}: {error.str()}"

        for each in reports:
            body, key = encode_alert(each.record), each.record.subject.encode()

            def done(error: KafkaError | None, _: Message, report: Report = each) -> None:
                note(report, error)

            self._producer.produce(self.topic, body, key, headers=HEADERS, on_delivery=done)
        self._producer.flush(2 * TIMEOUT_S)
        if len(written) == len(reports):
            self.problem = ""
        return written
