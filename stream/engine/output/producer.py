"""One librdkafka producer: what is written to it, and the proof that it arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from stream.engine.client_log import CLIENT_LOG
from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.state.epoch import EPOCH_HEADER, FENCE_KEY
from stream.engine.task.batch import Outgoing
from stream.engine.task.commit_point import CommitPoints
from stream.engine.units import MS_PER_S

ROOM_WAIT_S = 0.1
QUERY_TIMEOUT_S = 30
NOT_THE_OWNER = {
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
}
"""Errors by which Kafka says that another worker owns the partition or the transactional id now."""

REFUSED_AGAIN = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError.POLICY_VIOLATION,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
"""Errors that a record gets at every attempt: doing its transaction again is of no use."""


SHRUNK = "; was the topic deleted, or created again with fewer partitions?"
NO_ACL = "; an ACL for this user is missing"
HINTS = {
    KafkaError._UNKNOWN_PARTITION: SHRUNK,
    KafkaError._UNKNOWN_TOPIC: SHRUNK,
    KafkaError.UNKNOWN_TOPIC_OR_PART: SHRUNK,
    KafkaError.INVALID_TIMESTAMP: "; is this machine's clock more than an hour ahead of the broker's?",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: f"{NO_ACL} (WRITE on the topic)",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: f"{NO_ACL} (IDEMPOTENT_WRITE on the cluster)",
    KafkaError.GROUP_AUTHORIZATION_FAILED: f"{NO_ACL} (READ on the group)",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: f"{NO_ACL} (WRITE on the transactional id)",
}
"""What to look at when Kafka refuses for one of these reasons."""


class AbortedError(Exception):
    """A transaction was aborted for a reason that passes, mostly the restart of a broker."""


def error_of(failure: KafkaException) -> KafkaError:
    """The error inside confluent-kafka's exception."""
    error: KafkaError = failure.args[0]
    return error


def stopped_by(error: KafkaError, topic: str = "") -> EngineError:
    """What a failed write means for this process; `topic`: where it was to go, if it was a record."""
    if error.code() in NOT_THE_OWNER:
        return EngineError(Exit.FENCED, f"another worker owns this now: {error.str()}")
    hint, where = HINTS.get(error.code(), ""), f" to write to {topic}" if topic else ""
    text = f"the producer failed{where}, nothing of this flush is committed: {error.str()}{hint}"
    return EngineError(Exit.PRODUCER, text)


class Sender:
    """Idempotent; transactional when it is given an id. What is written between two ends is one flush."""

    def __init__(self, options: EngineOptions, name: str, transactional_id: str | None = None) -> None:
        self._timeout_s, self._bootstrap = options.delivery_timeout_s, options.bootstrap
        self._failed: list[tuple[KafkaError, str]] = []  # with the topic of the record; empty: all of them
        settings = self._settings(options, name)
        if transactional_id is not None:
            message_s = min(options.delivery_timeout_s, options.transaction_timeout_s)
            settings |= {
                "transactional.id": transactional_id,
                "enable.sparse.connections": False,  # it connects again by itself to a coordinator it lost
                "transaction.timeout.ms": int(options.transaction_timeout_s * MS_PER_S),
                "message.timeout.ms": int(message_s * MS_PER_S),
            }
        self._producer = Producer({**settings, **options.producer}, logger=CLIENT_LOG)

    def _settings(self, options: EngineOptions, name: str) -> dict[str, Any]:
        return {
            "bootstrap.servers": options.bootstrap,
            "client.id": name,
            "acks": "all",
            "enable.idempotence": True,
            "max.in.flight.requests.per.connection": 1,  # with more, records can be lost: docs/decisions/0011
            "partitioner": "murmur2_random",  # as Java clients place keys
            "compression.type": "lz4",
            "linger.ms": 5,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 1 << 20,
            "message.timeout.ms": int(options.delivery_timeout_s * MS_PER_S),
            "delivery.report.only.error": True,
            "on_delivery": self._note_failure,
            "error_cb": self._note_fatal,
            "log_level": 3,
        }

    def _note_failure(self, error: KafkaError, message: Message) -> None:
        self._failed.append((error, message.topic() or ""))

    def _note_fatal(self, error: KafkaError) -> None:
        if error.fatal():
            self._failed.append((error, ""))

    def partition_count(self, topic: str) -> int:
        """0 when there is no such topic. (The embedded broker creates a topic when it is asked for one.)"""
        found = self._producer.list_topics(topic, QUERY_TIMEOUT_S).topics.get(topic)
        return 0 if found is None or found.error is not None else len(found.partitions)

    def write_rows(
        self,
        topic: str,
        partition: int,
        rows: Iterable[tuple[bytes, bytes | None]],
        epoch: int | None = None,
    ) -> None:
        """Produce rows (None: a tombstone) to one partition of the changelog, with the epoch as a header."""
        produce = self._producer.produce
        headers = None if epoch is None else {EPOCH_HEADER: str(epoch).encode()}
        try:
            for key, row in rows:
                try:
                    produce(topic, row, key, partition, headers=headers)
                except BufferError:
                    self._make_room()
                    produce(topic, row, key, partition, headers=headers)
        except KafkaException as failure:  # librdkafka knows it at once: the topic has no such partition
            raise stopped_by(error_of(failure), topic) from failure

    def fence(self, topic: str, epochs: Mapping[int, int]) -> None:
        """Begin an epoch in each changelog partition. Blocks until the records are acknowledged."""
        for partition, epoch in epochs.items():
            self.write_rows(topic, partition, [(FENCE_KEY, None)], epoch)
        self.wait_for_acks()

    def write_records(self, records: Iterable[Outgoing]) -> None:
        """Produce records to whichever topic and partition they name."""
        for topic, key, value, headers, partition, _ in records:
            target = {} if partition is None else {"partition": partition}
            attached = None if headers is None else list(headers)
            try:
                try:
                    self._producer.produce(topic, value, key, headers=attached, **target)
                except BufferError:
                    self._make_room()
                    self._producer.produce(topic, value, key, headers=attached, **target)
            except KafkaException as failure:
                raise stopped_by(error_of(failure), topic) from failure

    def _make_room(self) -> None:
        """librdkafka's queue is full: wait until it is empty."""
        self._producer.poll(ROOM_WAIT_S)
        self._producer.flush(self._timeout_s)

    def wait_for_acks(self) -> None:
        """Block until everything written is acknowledged. EngineError: it was not."""
        left = self._producer.flush(self._timeout_s + ROOM_WAIT_S)
        if left:  # a line of the client's log, queued at the last moment, counts too
            left = self._producer.flush(ROOM_WAIT_S)
        if left or any(error.code() == KafkaError._MSG_TIMED_OUT for error, _ in self._failed[:1]):
            count = left or len(self._failed)
            text = (
                f"Kafka at {self._bootstrap} did not acknowledge {count} records in {self._timeout_s:.0f} s"
            )
            raise EngineError(
                Exit.PRODUCER, f"{text}; nothing of this flush is committed, its input comes again"
            )
        if self._failed:
            raise stopped_by(*self._failed[0])

    # -- transactions -------------------------------------------------------------------------------------

    def take_over(self) -> None:
        """Fence whoever used this transactional id before, and end what that one left open. Blocks."""
        try:
            self._producer.init_transactions(self._timeout_s)
        except KafkaException as failure:
            if error_of(failure).code() == KafkaError._TIMED_OUT:
                text = f"Kafka at {self._bootstrap} has not answered for {self._timeout_s:.0f} s"
                reason = f"{text}; nothing of this flush is committed, its input comes again"
                raise EngineError(Exit.PRODUCER, reason) from failure
            raise stopped_by(error_of(failure)) from failure

    def begin(self) -> None:
        """Begin a transaction with what is written next."""
        try:
            self._producer.begin_transaction()
        except KafkaException as failure:
            raise stopped_by(error_of(failure)) from failure

    def commit(self, points: CommitPoints, group: bytes) -> None:
        """Commit rows, records and offsets as one, on behalf of the group's member (`group`). Blocks.

        AbortedError: this sender is of no more use; a new one must take over and look what came of it.
        """
        offsets = [TopicPartition(*tp, point.offset, point.metadata()) for tp, point in points.items()]
        try:
            self._tried_twice(
                lambda: self._producer.send_offsets_to_transaction(offsets, group, self._timeout_s)
            )
            self._tried_twice(lambda: self._producer.commit_transaction(self._timeout_s))
        except KafkaException as failure:
            error = error_of(failure)
            if refused := next((each for each in self._failed if each[0].code() in REFUSED_AGAIN), None):
                raise stopped_by(*refused) from failure
            if error.code() not in NOT_THE_OWNER and (error.txn_requires_abort() or error.retriable()):
                why = "".join(f" ({topic}: {each.str()})" for each, topic in self._failed[:1])
                raise AbortedError(error.str() + why) from failure
            raise stopped_by(error) from failure

    def _tried_twice(self, step: Callable[[], object]) -> None:
        """After a time-out librdkafka asks for the same call again; it gets that once."""
        try:
            step()
        except KafkaException as failure:
            if not error_of(failure).retriable():
                raise
            step()
