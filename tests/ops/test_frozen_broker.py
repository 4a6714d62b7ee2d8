"""A broker that is frozen under a command: it ends with one line, and does not go on for hours in vain."""

from types import SimpleNamespace

import click
import pytest
from confluent_kafka import KafkaError, KafkaException

from stream.config.settings import Settings
from stream.ops.cluster import cluster_errors
from stream.ops.send import OutgoingRecord, send_records
from stream.page import dashboard
from stream.page.live.feed import UNREAD
from stream.page.live.topics import UnreachableError
from stream.privacy import erasure
from stream.worker.kafka.topics_admin import ClusterError

ROOM = 3


class FrozenProducer:
    """Has room for three records, and tells of each of them that it was not acknowledged in time."""

    def __init__(self, *, never_tells=False):
        self._waiting, self._never_tells, self.taken = [], never_tells, 0

    def produce(self, topic, value, key, partition=-1, on_delivery=None, **_):
        if len(self._waiting) == ROOM:
            raise BufferError
        self._waiting.append(on_delivery)
        self.taken += 1

    def poll(self, wait_s):
        if wait_s:
            self.flush(wait_s)

    def flush(self, _):
        if self._never_tells:
            return len(self._waiting)
        for tell in self._waiting:
            tell(KafkaError(KafkaError._MSG_TIMED_OUT), None)
        self._waiting = []
        return 0


def records(count):
    return [OutgoingRecord("purchases", b"{}", b"c")] * count


@pytest.mark.parametrize(("count", "never_tells"), [(1_000, False), (2, False), (2, True)])
def test_sending_ends_at_the_first_record_that_is_not_acknowledged_in_time(count, never_tells):
    """A file of ten million events was tried to its end: five minutes for each hundred thousand of them."""
    producer = FrozenProducer(never_tells=never_tells)

    with pytest.raises(ClusterError, match="has not answered for 60 s: 0 records are acknowledged"):
        send_records(producer, records(count), lambda: None)

    assert producer.taken <= ROOM + 1


def test_an_erasure_that_kafka_may_have_taken_is_not_said_to_be_none(monkeypatch):
    monkeypatch.setattr(erasure, "producer", lambda _: FrozenProducer())

    with pytest.raises(ClusterError, match="has not said whether it took the erasure; run this again"):
        erasure.send_erasure(Settings(), "c1", 0)


@pytest.mark.parametrize("failure", [TimeoutError(), KafkaException(KafkaError(KafkaError._TIMED_OUT))])
def test_a_question_without_an_answer_is_one_line(failure):
    with pytest.raises(click.ClickException, match="Kafka"), cluster_errors():
        raise failure


def test_reading_the_topics_once_is_given_up_when_the_broker_freezes_in_the_midst(monkeypatch):
    monkeypatch.setattr(dashboard, "ASKED_EVERY_S", 0.001)
    monkeypatch.setattr(dashboard, "GIVEN_UP_S", 0.01)
    shop = SimpleNamespace(
        start=lambda: None,
        stop=lambda: None,
        unready=lambda: [UNREAD],
        faults=list,
        revision="7",
        unanswered="Kafka does not answer: timed out",
    )
    with pytest.raises(UnreachableError, match="Kafka does not answer: timed out"):
        dashboard.read_once(shop)  # type: ignore[arg-type]
