"""The rows of all our partitions back from the changelog, by the batch. Blocks: run it in a thread.

One reader for all: its partitions are fetched together, and whoever waits for the end waits once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream.engine.failure import EngineError, Exit
from stream.engine.headers import headers_of
from stream.engine.options import EngineOptions
from stream.engine.state.epoch import epoch_in
from stream.engine.state.table import Table

log = logging.getLogger("stream.engine")
BATCH, QUEUED = 200, 20_000
"""Rows taken at once, and read ahead: few, as what is still in the processor's cache is parsed sooner."""
QUEUE_FULL_WAIT_MS = 5
"""librdkafka's own second of waiting starves a fast reader."""
WAIT_S = 0.005  # `consume` waits this long for a full batch, also at the end
FETCH_WAIT_MS = 10
"""The broker waits so long for more before it says that this is the end (librdkafka: 500)."""
QUERY_TIMEOUT_S = 30
RETRY_S = 0.5
GIVEN_UP = "recovery was given up: the partition was taken away"
ABORT_S = 30
"""Within this time after its time-out a broker has ended a transaction that nobody ended."""
NO_END_S = 120
"""A changelog that gives no row for so long, and is not at its end, cannot be read."""
SOON_S = 2
"""Our own record comes back at once, unless an open transaction hides it."""


class Fence(NamedTuple):
    """How the writer of a changelog is changed: by a record in it. Blocks until it is there."""

    write: Callable[[Mapping[int, int]], None]  # partition -> epoch
    generation: int


def _reader(options: EngineOptions, isolation: str = "read_committed") -> Consumer:
    """Rows of a transaction that came to nothing are none, whichever guarantee reads them now."""
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
            "fetch.wait.max.ms": FETCH_WAIT_MS,
            "check.crcs": True,
            "log_level": 3,
            **options.security,
        }
    )


def _watermarks(reader: Consumer, place: TopicPartition, patience_s: float) -> tuple[int, int]:
    """First and next offset. A broker that is away for a moment is waited for."""
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
    tables: Mapping[int, Table[Any]],
    stop: threading.Event,
    fence: Fence | None = None,
) -> int:
    """Bring each partition's table up to the end of its changelog. Returns how many records were read.

    With a `fence` we become its writer: what a former one still writes behind it counts for nobody.
    """
    reader = _reader(options)
    try:
        changelogs = Changelogs(reader, options, tables, stop)
        changelogs.read_to_ends()
        if fence is not None:
            epochs = {each: max(fence.generation, table.epoch + 1) for each, table in tables.items()}
            fence.write(epochs)
            changelogs.read_to_epochs(epochs)
    finally:
        reader.close()
    for table in tables.values():
        table.index()
    return changelogs.count


class Changelogs:
    """Our partitions of the changelog, read by one reader."""

    def __init__(
        self,
        reader: Consumer,
        options: EngineOptions,
        tables: Mapping[int, Table[Any]],
        stop: threading.Event,
    ) -> None:
        self.count = 0
        self._reader = reader
        self._options = options
        self._tables = tables
        self._stop = stop
        self._next = dict.fromkeys(tables, 0)
        self._at_end: set[int] = set()

    def read_to_ends(self) -> None:
        """From where each table stands to where its changelog ends now."""
        topic, places, ends = self._options.changelog, [], {}
        for partition, table in self._tables.items():
            start, end = self._first_and_end(partition)
            _check_log(self._options, partition, start, end, table)
            beginning = table.position <= start
            places.append(TopicPartition(topic, partition, OFFSET_BEGINNING if beginning else table.position))
            self._next[partition], ends[partition] = max(start, table.position), end
        self._reader.assign(places)
        for partition in self._read(lambda each: self._next[each] >= ends[each], NO_END_S):
            text = f"{topic}/{partition} does not come to its end: {self.count} rows read in all"
            raise EngineError(Exit.DATA_LOSS, text)

    def read_to_epochs(self, epochs: Mapping[int, int]) -> None:
        """On to the records that begin our epochs, and what is behind them. Nobody's may be later.

        A transaction that a worker of the other guarantee left open hides them; it ends by itself, and its
        marker follows. The ends are not asked for: the answer would wait behind a fetch on the reader's
        connection, partition by partition.
        """
        topic, tables = self._options.changelog, self._tables

        def is_read(partition: int) -> bool:
            return tables[partition].epoch >= epochs[partition] and partition in self._at_end

        if late := self._read(is_read, SOON_S):
            log.warning("partitions %s: waiting for the end of a transaction in their rows", sorted(late))
            for partition in self._read(is_read, self._options.transaction_timeout_s + ABORT_S):
                text = f"a transaction in {topic}/{partition} does not end: who wrote it?"
                raise EngineError(Exit.PRODUCER, text)
        self.count -= len(epochs)
        for partition, epoch in epochs.items():
            if tables[partition].epoch != epoch:
                text = f"another worker writes {topic}/{partition} already, in a later generation"
                raise EngineError(Exit.FENCED, text)

    def _first_and_end(self, partition: int) -> tuple[int, int]:
        if self._stop.is_set():
            raise InterruptedError(GIVEN_UP)
        place = TopicPartition(self._options.changelog, partition)
        return _watermarks(self._reader, place, self._options.delivery_timeout_s)

    def _read(self, is_read: Callable[[int], bool], patience_s: float) -> set[int]:
        """On, until each partition is read, or no row came for so long. Returns those that are not."""
        since, left = time.monotonic(), set(self._tables)
        while left := {partition for partition in left if not is_read(partition)}:
            if self._stop.is_set():
                raise InterruptedError(GIVEN_UP)
            messages = self._reader.consume(BATCH, WAIT_S)
            for partition, run in groupby(messages, key=Message.partition):
                if self._take(partition, run):
                    since = time.monotonic()
            if time.monotonic() - since > patience_s:
                break
        for partition, table in self._tables.items():
            table.position = self._next[partition]
        return left

    def _take(self, partition: int, messages: Iterable[Message]) -> bool:
        """Whether there was a row among them."""
        rows, next_offset, last, at_end = [], 0, None, False
        known, epoch = None, None  # the headers read last: those of the next row are nearly always the same
        for message in messages:
            error = message.error()
            if error is None:
                headers = headers_of(message)
                if headers != known:
                    known, epoch = headers, epoch_in(headers)
                rows.append((message.key(), message.value(), epoch))
                last, at_end = message, False
            elif error.code() == KafkaError._PARTITION_EOF:
                next_offset, at_end = message.offset(), True
            elif not error.retriable():
                raise EngineError(Exit.DATA_LOSS, f"the changelog cannot be read: {error.str()}")
        if last is not None:
            next_offset = max(next_offset, last.offset() + 1)
            self._tables[partition].apply_changelog(rows)
            self.count += len(rows)
        if next_offset:
            self._next[partition] = next_offset
            (self._at_end.add if at_end else self._at_end.discard)(partition)
        return last is not None


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
