"""The rows of a partition back from the changelog, by the batch. Blocks: run it in a thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from stream.engine.failure import EngineError, Exit
from stream.engine.headers import headers_of
from stream.engine.options import EngineOptions
from stream.engine.sender import epoch_in
from stream.engine.table import Table

log = logging.getLogger("stream.engine")
BATCH, QUEUED = 200, 20_000
"""Rows taken at once, and read ahead: few, as what is still in the processor's cache is parsed sooner."""
QUEUE_FULL_WAIT_MS = 5
"""librdkafka's own second of waiting starves a fast reader."""
READING = threading.Lock()
"""One partition is read at a time, while the others connect, fetch ahead or end: four at once wait for each
other at the interpreter (182,000 and 207,000 rows/s of 2 kB in the worker; in turns 243,000 to 266,000)."""
WAIT_S = 0.05  # `consume` waits this long for a full batch, also at the end
QUERY_TIMEOUT_S = 30
RETRY_S = 0.5
GIVEN_UP = "recovery was given up: the partition was taken away"
ABORT_S = 30
"""Within this time after its time-out a broker has ended a transaction that nobody ended."""


class Fence(NamedTuple):
    """How the writer of a changelog is changed: by a record in it. Blocks until it is there."""

    write: Callable[[int, int], None]  # partition, epoch
    generation: int
    stop: threading.Event


def _reader(options: EngineOptions, isolation: str = "read_committed") -> Consumer:
    """Rows of a transaction that came to nothing are none, whichever guarantee reads them now."""
    security = {
        name: value
        for name, value in options.producer.items()
        if name.startswith(("sasl.", "ssl.", "security."))
    }
    return Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": f"{options.app_id}-recovery",  # required by the client, never joined
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": isolation,
            "fetch.message.max.bytes": 1 << 20,
            "queued.min.messages": QUEUED,
            "fetch.queue.backoff.ms": QUEUE_FULL_WAIT_MS,
            "check.crcs": True,
            "log_level": 3,
            **security,
        }
    )


def _watermarks(reader: Consumer, place: TopicPartition, patience_s: float) -> tuple[int, int]:
    """A broker that is away for a moment is waited for."""
    until = time.monotonic() + patience_s
    while True:
        try:
            first, end = reader.get_watermark_offsets(place, QUERY_TIMEOUT_S)
            return int(first), int(end)
        except KafkaException:
            if time.monotonic() > until:
                raise
            time.sleep(RETRY_S)


def changelog_end(options: EngineOptions, partition: int, isolation: str = "read_committed") -> int:
    reader = _reader(options, isolation)
    try:
        return _watermarks(reader, TopicPartition(options.changelog, partition), QUERY_TIMEOUT_S)[1]
    finally:
        reader.close()


def recover(
    options: EngineOptions,
    partition: int,
    table: Table[Any],
    stop: threading.Event,
    fence: Fence | None = None,
) -> int:
    """Bring the table up to the end of its changelog. Returns how many records were read.

    With a `fence` we become its writer: what a former one still writes behind it counts for nobody.
    """
    reader = _reader(options)
    place = TopicPartition(options.changelog, partition)
    try:
        start, end = _watermarks(reader, place, options.delivery_timeout_s)
        _check_log(options, partition, start, end, table)
        place.offset = table.position if table.position > start else OFFSET_BEGINNING
        reader.assign([place])
        count = _read_in_turn(reader, end, table, stop) if end > max(start, table.position) else 0
        table.position = end
        if fence is not None:
            count += _begin_epoch(options, reader, place, table, fence)
    finally:
        reader.close()
    table.index()
    return count


def _begin_epoch(
    options: EngineOptions,
    reader: Consumer,
    place: TopicPartition,
    table: Table[Any],
    fence: Fence,
) -> int:
    """Returns how many rows came between our first reading and our own record. A transaction that a worker of
    the other guarantee left open hides that; it ends by itself."""
    epoch, count, told = max(fence.generation, table.epoch + 1), -1, False
    fence.write(place.partition, epoch)
    until = time.monotonic() + options.transaction_timeout_s + ABORT_S
    while table.epoch < epoch:
        _, end = _watermarks(reader, place, options.delivery_timeout_s)
        if end > table.position:
            count += _read_to_end(reader, end, table, fence.stop)
            table.position = end
            continue
        if time.monotonic() > until:
            text = f"a transaction in {options.changelog}/{place.partition} does not end: who wrote it?"
            raise EngineError(Exit.PRODUCER, text)
        if not told:
            log.warning("partition %d: waiting for the end of a transaction in its rows", place.partition)
        told = True
        if fence.stop.wait(RETRY_S):
            raise InterruptedError(GIVEN_UP)
    if table.epoch != epoch:
        text = f"another worker writes {options.changelog}/{place.partition} already, in a later generation"
        raise EngineError(Exit.FENCED, text)
    return count


def _check_log(options: EngineOptions, partition: int, start: int, end: int, table: Table[Any]) -> None:
    """All rows but those at hand are still in the log. (Compaction leaves its beginning where it is.)"""
    name, known = f"{options.changelog}/{partition}", max(table.position, table.written)
    if known > end:  # as far as it can be read; an open transaction hides the rest
        end = changelog_end(options, partition, "read_uncommitted")
    if known > end:
        text = f"{name} ends at {end}, but rows up to {known} were written: the topic was made anew or cut"
    elif table.position < start:
        text = f"{name} begins at {start}, but there are only rows before {table.position}: the topic was cut"
    else:
        return
    raise EngineError(Exit.DATA_LOSS, f"{text}. See the runbook before deleting anything.")


def _read_in_turn(reader: Consumer, end: int, table: Table[Any], stop: threading.Event) -> int:
    while not READING.acquire(timeout=WAIT_S):
        if stop.is_set():
            raise InterruptedError(GIVEN_UP)
    try:
        return _read_to_end(reader, end, table, stop)
    finally:
        READING.release()


def _read_to_end(reader: Consumer, end: int, table: Table[Any], stop: threading.Event) -> int:
    count, since = 0, time.monotonic()
    known, epoch = None, None  # the headers read last: those of the next row are nearly always the same
    while not stop.is_set():
        rows, next_offset = [], 0
        for message in reader.consume(BATCH, WAIT_S):
            error = message.error()
            if error is None:
                headers = headers_of(message)
                if headers != known:
                    known, epoch = headers, epoch_in(headers)
                rows.append((message.key(), message.value(), epoch))
                last = message
            elif error.code() == KafkaError._PARTITION_EOF:
                next_offset = message.offset()
            elif not error.retriable():
                raise EngineError(Exit.DATA_LOSS, f"the changelog cannot be read: {error.str()}")
        if rows:
            next_offset = max(next_offset, last.offset() + 1)
            table.recover(rows)
            count, since = count + len(rows), time.monotonic()
        if next_offset >= end:
            return count
        if time.monotonic() - since > QUERY_TIMEOUT_S * 4:
            raise EngineError(Exit.DATA_LOSS, f"the changelog does not come to its end ({end}): {count} read")
    raise InterruptedError(GIVEN_UP)
