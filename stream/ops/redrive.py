"""Sends dead letters to their topics again, each exactly once, whatever is interrupted or runs beside it.

A batch of dead letters and a `done` marker with their ids are one transaction: Kafka shows both or neither.
All runs on one dead-letter topic have one transactional id. A run that begins (`take_over`) ends what a
killed run left open, and shuts out one that is still under way: that one can send nothing more, and says so.
Only then the topic is read, so that everything that was sent before is known.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import msgspec
from confluent_kafka import KafkaError, KafkaException, Producer
from msgspec import Struct

from stream.config.settings import Settings
from stream.kafka_causes import in_words
from stream.ops.cluster import HeaderPairs, TopicReader, bounds, partitions_of, producer, reader
from stream.ops.dead_letters import (
    MARKER,
    REDRIVEN_FROM,
    DeadLetterRecord,
    DeadLetterTopic,
    RedriveMarker,
)
from stream.wire import (
    TOPIC_KIND_OF,
    Decoded,
    Reason,
    Rejected,
    TopicKind,
    Unknown,
    decode,
    decode_line,
    kind_of,
)
from stream.wire.binary import attributes_of, is_binary
from stream.worker.kafka.topics import INPUTS, TopicNames
from stream.worker.kafka.topics_admin import ClusterError

SILENT = logging.getLogger("stream.ops.redrive.silent")
SILENT.disabled = True
BATCH = 500
"""Dead letters of one transaction."""
TRANSACTION_S = 30
"""After so long the brokers end the transaction of a run that was killed. Until then, or until the next run,
readers wait in front of its records."""
PATIENCE_S = 60.0
"""How long to wait for the end of an older transaction on the dead-letter topic: workers have them too."""
LOOK_S = 0.2
TRIES = 3
"""Of one transaction: after a refused record librdkafka may need a second one to find its numbers again."""
REPLACED = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}
"""Errors by which Kafka says that another producer has the transactional id now."""
REFUSED = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError.POLICY_VIOLATION,
}
"""Errors that are about one record, or about a few that travel together."""


class Route(Struct, frozen=True):
    """The topic and key to send a dead letter with, or the obstacle that keeps it where it is."""

    letter: DeadLetterRecord
    topic: str = ""
    key: bytes | None = None
    obstacle: str = ""


class RedriveCounts(Struct):
    """How many dead letters a run sent."""

    sent: int = 0
    refused: int = 0
    """Refused by a broker, each by itself: too large for the topic, say."""


def route_of(letter: DeadLetterRecord, names: TopicNames, repair: bool) -> Route:
    """Decide by this version's schemas; `repair` takes a wrong key or topic from the event itself."""
    kinds = {getattr(names, role): cast(TopicKind, role) for role in INPUTS}
    if letter.cut:
        return Route(letter, obstacle="only a part of it was kept: it was too large")
    if letter.topic not in kinds:
        return Route(letter, obstacle=f"{letter.topic} is none of this shop's input topics")
    now_ms = int(time.time() * 1_000)
    decoded = decode(kinds[letter.topic], letter.key, letter.value, letter.headers, now_ms=now_ms)
    if isinstance(decoded, Rejected) and repair:
        decoded = _by_the_event_itself(letter, now_ms)
        if not isinstance(decoded, Rejected | Unknown):
            return Route(letter, getattr(names, kind_of(decoded)), decoded.subject.encode())
    if isinstance(decoded, Rejected):
        return Route(letter, obstacle=f"{decoded.reason}: {decoded.detail}")
    if isinstance(decoded, Unknown):
        return Route(letter, obstacle=f"unknown type {decoded.type!r}")
    return Route(letter, letter.topic, letter.key)


def _by_the_event_itself(letter: DeadLetterRecord, now_ms: int) -> Decoded:
    """The event with the key and on the topic that it names itself, or why it is none even then."""
    binary = is_binary(letter.headers)
    if isinstance(binary, Rejected):
        return binary
    if not binary:
        nothing = Rejected(Reason.NULL_VALUE, "there is no event to take the key and the topic from")
        return nothing if letter.value is None else decode_line(letter.value, now_ms=now_ms)
    attributes = attributes_of(letter.headers)
    if isinstance(attributes, Rejected):
        return attributes
    kind = TOPIC_KIND_OF.get(attributes.type)
    if kind is None:
        return Unknown(attributes.type)
    return decode(kind, attributes.subject.encode(), letter.value, letter.headers, now_ms=now_ms)


def take_over(settings: Settings, names: TopicNames) -> Producer:
    """The producer of this run. Returns when every earlier run can send nothing more, and what these sent can
    be read. Blocks. KafkaException: refused, such as a missing ACL; ClusterError: not within PATIENCE_S.
    """
    client = producer(
        settings,
        **{
            "transactional.id": f"{settings.app_id}-{names.deadletter}-redrive",
            "transaction.timeout.ms": TRANSACTION_S * 1_000,
            "message.timeout.ms": TRANSACTION_S * 1_000,
            "enable.sparse.connections": False,  # it connects again by itself to a coordinator it lost
            "logger": SILENT,
        },
    )
    client.init_transactions(PATIENCE_S)
    wait_until_readable(settings, names)
    return client


def wait_until_readable(settings: Settings, names: TopicNames) -> None:
    """Return when all that is on the dead-letter topic now can be read: markers may lie behind an open
    transaction of a worker, and who does not see them would send again what they name.

    ClusterError: not within PATIENCE_S.
    """
    with reader(settings) as committed, reader(settings, "read_uncommitted") as written:
        _wait_for_ends(names, committed, written)


def _wait_for_ends(names: TopicNames, committed: TopicReader, written: TopicReader) -> None:
    until = time.monotonic() + PATIENCE_S
    for number in partitions_of(written, names.deadletter):
        end = bounds(written, names.deadletter, number)[1]
        while bounds(committed, names.deadletter, number)[1] < end:
            if time.monotonic() > until:
                text = f"a transaction is open at the end of partition {number} for {PATIENCE_S:.0f} s"
                raise ClusterError(f"{names.deadletter}: {text}; what is behind it cannot be read yet")
            time.sleep(LOOK_S)


def redrive(
    client: Producer, names: TopicNames, topic: DeadLetterTopic, routes: Iterable[Route]
) -> RedriveCounts:
    """Send every dead letter that has a route and was not sent before; `topic` was read after `take_over`.

    ClusterError when another run took over, or Kafka does not take a batch: nothing of that batch is sent.
    """
    outcome = RedriveCounts()
    going = [route for route in routes if not route.obstacle and route.letter.id not in topic.done]
    todo = deque(going[at : at + BATCH] for at in range(0, len(going), BATCH))
    while todo:
        batch = todo.popleft()
        try:
            refused = _is_refused(client, names, batch)
        except KafkaException as failure:
            raise _stopped(failure.args[0], outcome) from failure
        if not refused:
            outcome.sent += len(batch)
        elif len(batch) == 1:
            outcome.refused += 1
        else:  # Kafka refuses a letter together with its neighbours: look for it in either half
            middle = len(batch) // 2
            todo.extendleft([batch[middle:], batch[:middle]])
    return outcome


def _stopped(error: KafkaError, outcome: RedriveCounts) -> ClusterError:
    sent = f"this one sent {outcome.sent:,}"
    if error.code() in REPLACED:
        return ClusterError(f"another `stream dlq redrive` goes on in the place of this one; {sent}")
    return ClusterError(f"{in_words(error)}; {sent}, run it again for the others")


def _is_refused(client: Producer, names: TopicNames, batch: Sequence[Route]) -> bool:
    """Send a batch and its marker as one. True: nothing was sent, because Kafka refuses a record of it.

    KafkaException: nothing was sent for another reason, or it is not known.
    """
    for left in reversed(range(TRIES)):
        client.begin_transaction()
        try:
            for route in batch:
                _produce(client, route)
            marker = msgspec.json.encode(RedriveMarker("done", tuple(route.letter.id for route in batch)))
            client.produce(names.deadletter, marker, None, 0, headers=[(MARKER, b"done")])
            client.flush(TRANSACTION_S)
            client.commit_transaction(TRANSACTION_S)
        except KafkaException as failure:
            error = failure.args[0]
            if error.code() in REFUSED or (left and error.txn_requires_abort()):
                client.abort_transaction(TRANSACTION_S)
                if error.code() in REFUSED:
                    return True
                continue
            raise
        return False
    return False


def _produce(client: Producer, route: Route) -> None:
    """Without a callback: after a fatal error confluent-kafka would call it with that error still set."""
    letter = route.letter
    headers: HeaderPairs = (*letter.headers, (REDRIVEN_FROM, letter.id.encode()))
    client.produce(route.topic, letter.value, route.key, headers=[*headers])
    client.poll(0)


def selected_letters(
    topic: DeadLetterTopic, ids: Iterable[str], reason: str | None, since_ms: int | None
) -> Iterator[DeadLetterRecord]:
    """Dead letters that meet every condition, by the time they were set aside, oldest first; those of one
    millisecond in the order of their topic, partition and offset.

    No `ids`: all of them; None as `reason` or `since_ms` (ms since 1970, inclusive): any. ClusterError,
    before the first is returned, when an id is not on the topic. Letters that were redriven before are
    included.
    """
    wanted = set(ids)
    if missing := wanted - set(topic.letters):
        raise ClusterError(f"no such dead letter: {', '.join(sorted(missing))}")
    for letter in sorted(topic.letters.values(), key=_place):
        if (
            (not wanted or letter.id in wanted)
            and (reason is None or letter.reason == reason)
            and (since_ms is None or letter.at_ms >= since_ms)
        ):
            yield letter


def _place(letter: DeadLetterRecord) -> tuple[int, str, int, int]:
    """Offsets are compared as numbers: as text 10 comes before 9, and a customer's events change places."""
    return letter.at_ms, letter.topic, letter.partition, letter.offset
