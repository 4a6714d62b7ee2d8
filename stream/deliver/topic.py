"""The alerts topic, and what the control topic says of customers, read from the offsets in the queue.

What Kafka knows of the group is only a hint. Every partition is read by this process: with a queue in a file
there is one. A position outside of what a topic holds stops it, because alerts that nobody read would be
missing in silence.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Literal

from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from msgspec import Struct

from stream.deliver.decide import read_alert, read_control
from stream.deliver.queue.rows import ReadAlert, ReadControl
from stream.kafka_causes import why_hidden

RECORDS_AT_ONCE = 500
POLL_S = 0.5
ASK_S = 3.0
TIMEOUT_S = 15.0
NEW_TOPIC_S = 20.0

NO_LEADER = frozenset(
    {
        KafkaError._UNKNOWN_PARTITION,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
"""What the client says of a partition that it does not find at the moment."""

Start = Literal["end", "beginning"]


class TopicError(Exception):
    """The topic cannot be read on safely; the message says why, and what to do."""

    def __init__(self, message: str, *, lost: bool = False) -> None:
        super().__init__(message)
        self.lost = lost
        """Kafka has records no more that were not read."""


class ReadRecords(Struct):
    """What was read at once."""

    alerts: list[ReadAlert]
    control: list[ReadControl]
    offsets: dict[str, dict[int, int]]
    """Topic -> partition -> the offset to read next."""


class AlertTopic:
    """Reads all partitions of both topics. Its methods block: use it from a thread of its own."""

    def __init__(
        self, client: Mapping[str, Any], group: str, topic: str, control: str, now_ms: Callable[[], int]
    ) -> None:
        """`client`: the connection settings of librdkafka. `control`: the topic of erasures and mutes."""
        self.topic, self.control = topic, control
        self._unread = self._unanswered = ""
        self._now_ms = now_ms
        self._consumer = Consumer(
            {
                **client,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "log_level": 0,
                "error_cb": self._note_unanswered,
            }
        )

    @property
    def problem(self) -> str:
        """Why nothing can be read at present; empty when all is well."""
        return self._unread or self._unanswered

    def ask(self) -> None:
        """Whether Kafka answers now: a frozen broker and a topic without news look the same to a reader."""
        try:
            self._consumer.list_topics(self.topic, timeout=ASK_S)
        except KafkaException as error:
            self._note_unanswered(error.args[0])
        else:
            self._unanswered = ""

    def start_points(
        self, topic: str, known: Mapping[int, int], start: Start, *, accept_gap: bool
    ) -> dict[int, int]:
        """Partition -> the offset to read next, for all partitions of one of the topics.

        A partition that the queue does not know yet is read from the `start`. `accept_gap`: where what was to
        be read next is gone, go on with the first record there is. TopicError, KafkaException.
        """
        found = {}
        for partition in self._partitions(topic):
            low, high = self._bounds(topic, partition)
            offset = known.get(partition, high if start == "end" else low)
            if not low <= offset <= high:
                if not accept_gap:
                    raise TopicError(_gap(topic, partition, offset, (low, high)), lost=True)
                offset = low
            found[partition] = offset
        return found

    def ends(self, topic: str) -> dict[int, int]:
        """Partition -> the offset of the next record that will be written."""
        return {partition: self._bounds(topic, partition)[1] for partition in self._partitions(topic)}

    def begin(self, offsets: Mapping[str, Mapping[int, int]]) -> None:
        """Read both topics from these offsets."""
        self._consumer.assign(_places(offsets))

    def poll(self) -> ReadRecords:
        """The next records; none when nothing came within half a second. TopicError, KafkaException."""
        batch, offsets = ReadRecords([], [], {}), defaultdict[str, dict[int, int]](dict)
        for message in self._next_messages():
            if (error := message.error()) is not None:
                self._fail_or_note(error)
                continue
            self._unread = self._unanswered = ""
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            offsets[topic][partition] = offset + 1
            if topic == self.topic:
                batch.alerts.append(self._alert(message))
            elif (found := read_control(partition, offset, message)) is not None:
                batch.control.append(found)
        batch.offsets = dict(offsets)
        return batch

    def _next_messages(self) -> list[Message]:
        """What is there as soon as there is something: `consume` alone would wait for a full batch."""
        first = self._consumer.poll(POLL_S)
        return [first, *self._consumer.consume(RECORDS_AT_ONCE - 1, 0)] if first is not None else []

    def commit(self, offsets: Mapping[str, Mapping[int, int]]) -> None:
        """Tell Kafka how far the queue is, for whoever looks at the lag of the group."""
        if places := _places(offsets):
            self._consumer.commit(offsets=places, asynchronous=True)

    def lag(self) -> dict[int, int]:
        """Partition -> alerts that were not read yet, as far as the client knows."""
        found = {}
        for place in self._consumer.position(self._consumer.assignment()):
            _, high = self._consumer.get_watermark_offsets(place, cached=True)
            if place.topic == self.topic and place.offset >= 0 and high >= 0:
                found[place.partition] = max(0, high - place.offset)
        return found

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _partitions(self, topic: str) -> list[int]:
        until = time.monotonic() + NEW_TOPIC_S
        while True:
            listed = self._consumer.list_topics(topic, timeout=TIMEOUT_S).topics.get(topic)
            if listed is not None and listed.partitions and listed.error is None:
                return sorted(listed.partitions)
            if reason := why_hidden(self._consumer, topic, TIMEOUT_S):
                raise TopicError(reason)
            if time.monotonic() > until:
                raise TopicError(f"{topic}: no such topic; run `stream topics apply`")
            time.sleep(0.5)

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that is stored, and that of the next record; waits for a partition that has no
        leader at the moment."""
        until = time.monotonic() + NEW_TOPIC_S
        while True:
            try:
                place = TopicPartition(topic, partition)
                low, high = self._consumer.get_watermark_offsets(place, timeout=TIMEOUT_S)
            except KafkaException as error:
                fault = error.args[0]
                if time.monotonic() > until or not (fault.retriable() or fault.code() in NO_LEADER):
                    raise
                time.sleep(0.5)
            else:
                return low, high

    def _alert(self, message: Message) -> ReadAlert:
        kind, written_ms = message.timestamp()
        at_ms = written_ms if kind == TIMESTAMP_LOG_APPEND_TIME else self._now_ms()
        return read_alert(message.partition(), message.offset(), at_ms, message.value())

    def _fail_or_note(self, error: KafkaError) -> None:
        if error.code() in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:
            raise TopicError(
                f"{self.topic} or {self.control}: Kafka has deleted records that were not read; `stream "
                "deliver run --accept-gap` goes on with the first one there is",
                lost=True,
            )
        if error.fatal():
            raise KafkaException(error)
        self._unread = str(error.str())

    def _note_unanswered(self, error: KafkaError) -> None:
        self._unanswered = f"Kafka does not answer: {error.str()}"


def _places(offsets: Mapping[str, Mapping[int, int]]) -> list[TopicPartition]:
    return [TopicPartition(topic, *each) for topic, found in offsets.items() for each in found.items()]


def _gap(topic: str, partition: int, offset: int, bounds: tuple[int, int]) -> str:
    where = f"{topic}/{partition}: the next offset to read is {offset}, but the topic holds "
    held = f"{bounds[0]} to {bounds[1] - 1}" if bounds[1] > bounds[0] else f"nothing, up to {bounds[1]}"
    why = "deleted before they were read" if offset < bounds[0] else "cut, or the topic was created again"
    return f"{where}{held}: records were {why}. `--accept-gap` goes on with the first record there is"
