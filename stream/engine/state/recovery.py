"""Recovery: the rows of all our partitions are read back from the changelog. Blocks: use it in a thread.

1. One reader for all partitions: they are fetched together, and the wait for the end of a log comes once.
2. Each table is read on from the position it has, to the end that its changelog has at the start. An open
   transaction hides what is behind it: its end is waited for.
3. With at least once we then write a record into each changelog that begins our epoch, and read on to it:
   what a replaced worker may still write comes behind it, and is void for everybody (state/epoch.py).
4. Rows of aborted transactions are never read, whichever guarantee is in use now.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream.engine.client_log import CLIENT_LOG
from stream.engine.failure import EngineError, Exit
from stream.engine.headers import headers_of
from stream.engine.options import EngineOptions
from stream.engine.state.epoch import epoch_in
from stream.engine.state.recovery_progress import RecoveryProgress
from stream.engine.state.table import Table

log = logging.getLogger("stream.engine")
BATCH, QUEUED = 200, 20_000
"""Rows taken at once, and rows read ahead. Few at once: what the processor still has in its cache is parsed
faster."""
QUEUE_FULL_WAIT_MS = 5
"""After a full queue. librdkafka's own second would let a fast reader wait."""
WAIT_S = 0.005
"""How long `consume` waits for a full batch. It does so at the end of a log, too."""
FETCH_WAIT_MS = 10
"""How long the broker waits for more records before it reports the end of a log (librdkafka: 500 ms)."""
QUERY_TIMEOUT_S = 30
RETRY_S = 0.5
GIVEN_UP = "recovery was given up: the partition was taken away"
ABORT_S = 30
"""So long after its time-out the broker has certainly aborted a transaction that nobody ended."""
NO_END_S = 120
"""A changelog that gives no row for so long, and is not at its end, cannot be read."""
SOON_S = 2
"""Our own record comes back at once, unless an open transaction in front of it hides it."""


class Fence(NamedTuple):
    """How a changelog gets a new writer: by a record in it."""

    write: Callable[
        [Mapping[int, int]], None
    ]  # partition -> epoch; blocks until the records are acknowledged
    generation: int  # of the group; an epoch is at least that


def _reader(options: EngineOptions, isolation: str = "read_committed") -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": f"{options.app_id}-recovery",  # the client requires one; it never joins
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
        },
        logger=CLIENT_LOG,
    )


def _first_and_next(reader: Consumer, partition: TopicPartition, patience_s: float) -> tuple[int, int]:
    """First and next offset. A broker that is away for a moment is waited for."""
    until = time.monotonic() + patience_s
    while True:
        try:
            first, end = reader.get_watermark_offsets(partition, QUERY_TIMEOUT_S)
            return int(first), int(end)
        except KafkaException:
            if time.monotonic() > until:
                raise
            time.sleep(RETRY_S)


def changelog_end(options: EngineOptions, partition: int, isolation: str = "read_committed") -> int:
    """The offset that the next record of a changelog partition will get. EngineError: no answer."""
    reader = _reader(options, isolation)
    try:
        return _first_and_next(reader, TopicPartition(options.changelog, partition), QUERY_TIMEOUT_S)[1]
    except KafkaException as away:
        text = f"no answer from Kafka about the end of {options.changelog}/{partition}: {away!r}"
        raise EngineError(Exit.PRODUCER, text) from away
    finally:
        reader.close()


def _log_ends(options: EngineOptions, partitions: Iterable[int]) -> dict[int, int]:
    """The end of each changelog, also where a transaction is open."""
    reader, wait_s = _reader(options, "read_uncommitted"), options.delivery_timeout_s
    try:
        asked = {each: TopicPartition(options.changelog, each) for each in partitions}
        return {each: _first_and_next(reader, changelog, wait_s)[1] for each, changelog in asked.items()}
    finally:
        reader.close()


def recover(
    options: EngineOptions,
    tables: Mapping[int, Table[Any]],
    stop: threading.Event,
    fence: Fence | None = None,
    progress: RecoveryProgress | None = None,
) -> int:
    """Bring each partition's table up to the end of its changelog; with a `fence`, become its writer.

    Returns the number of records read. InterruptedError: `stop` was set. `progress` is told how far it is.
    """
    reader, progress = _reader(options), progress or RecoveryProgress()
    try:
        changelogs = ChangelogReader(reader, options, tables, stop, progress)
        changelogs.read_to_ends(hidden_too=fence is None)
        if changelogs.keyless:
            text = "%d records of %s have no key and were skipped: somebody else writes to the topic"
            log.warning(text, changelogs.keyless, options.changelog)
        if fence is not None:
            epochs = {each: max(fence.generation, table.epoch + 1) for each, table in tables.items()}
            fence.write(epochs)
            changelogs.read_to_epochs(epochs)
    finally:
        progress.end()
        reader.close()
    for table in tables.values():
        table.index()
    return changelogs.count


class ChangelogReader:
    """Our partitions of the changelog."""

    def __init__(
        self,
        reader: Consumer,
        options: EngineOptions,
        tables: Mapping[int, Table[Any]],
        stop: threading.Event,
        progress: RecoveryProgress,
    ) -> None:
        self.count = 0  # records read
        self.keyless = 0  # of these, records that no worker wrote: every row has a key
        self._reader = reader
        self._options = options
        self._tables = tables
        self._stop = stop
        self._progress = progress
        self._next = dict.fromkeys(tables, 0)
        self._at_end: set[int] = set()

    def read_to_ends(self, *, hidden_too: bool) -> None:
        """From the position of each table to the end that its changelog has now.

        `hidden_too`: also what an open transaction hides now. Otherwise `read_to_epochs` must follow.
        """
        topic, starts, ends = self._options.changelog, [], dict[int, int]()
        for partition, table in self._tables.items():
            first, end = self._first_and_end(partition)
            _check_log(self._options, partition, first, end, table)
            offset = OFFSET_BEGINNING if table.position <= first else table.position
            starts.append(TopicPartition(topic, partition, offset))
            self._next[partition], ends[partition] = max(first, table.position), end
        if hidden_too:
            ends = _log_ends(self._options, self._tables)
        self._begun_at = sum(self._next.values())
        self._progress.begin(sum(ends.values()) - self._begun_at)
        self._reader.assign(starts)

        def is_read(partition: int) -> bool:
            return self._next[partition] >= ends[partition]

        late = self._read(is_read, SOON_S)
        if late & self._at_end:  # all that may be read is read, and there is more
            self._wait_for_transactions(late, is_read)
        for partition in self._read(is_read, NO_END_S):
            _first_and_next(self._reader, TopicPartition(topic, partition), 0)  # raises: the broker is frozen
            text = f"{topic}/{partition} does not come to its end: {self.count} rows read in all"
            raise EngineError(Exit.DATA_LOSS, text)

    def read_to_epochs(self, epochs: Mapping[int, int]) -> None:
        """Go on to the records that begin our epochs. EngineError: one of a later epoch is there as well.

        A transaction that a worker of the other guarantee left open hides our records. The broker ends it,
        and its marker follows them. The new ends are not asked for: on the reader's connection the answers
        would wait behind a fetch, one partition after the other.
        """
        topic, tables = self._options.changelog, self._tables

        def is_read(partition: int) -> bool:
            return tables[partition].epoch >= epochs[partition] and partition in self._at_end

        if late := self._read(is_read, SOON_S):
            self._wait_for_transactions(late, is_read)
        self.count -= len(epochs)
        for partition, epoch in epochs.items():
            if tables[partition].epoch != epoch:
                text = f"another worker writes {topic}/{partition} already, in a later generation"
                raise EngineError(Exit.FENCED, text)

    def _wait_for_transactions(self, late: Iterable[int], is_read: Callable[[int], bool]) -> None:
        log.warning("partitions %s: waiting for the end of a transaction in their rows", sorted(late))
        for partition in self._read(is_read, self._options.transaction_timeout_s + ABORT_S):
            text = f"a transaction in {self._options.changelog}/{partition} does not end: who wrote it?"
            raise EngineError(Exit.PRODUCER, text)

    def _first_and_end(self, partition: int) -> tuple[int, int]:
        if self._stop.is_set():
            raise InterruptedError(GIVEN_UP)
        changelog = TopicPartition(self._options.changelog, partition)
        return _first_and_next(self._reader, changelog, self._options.delivery_timeout_s)

    def _read(self, is_read: Callable[[int], bool], patience_s: float) -> set[int]:
        """Read until every partition `is_read`, or no row came for `patience_s`. Returns those not read."""
        since, left = time.monotonic(), set(self._tables)
        while left := {partition for partition in left if not is_read(partition)}:
            if self._stop.is_set():
                raise InterruptedError(GIVEN_UP)
            messages = self._reader.consume(BATCH, WAIT_S)
            for partition, run in groupby(messages, key=Message.partition):
                if self._take(partition, run):
                    since = time.monotonic()
            self._progress.reached(sum(self._next.values()) - self._begun_at)
            if time.monotonic() - since > patience_s:
                break
        for partition, table in self._tables.items():
            table.position = self._next[partition]
        return left

    def _take(self, partition: int, messages: Iterable[Message]) -> bool:
        """Apply the rows among the messages; whether there were any."""
        rows, next_offset, last, at_end = [], -1, None, False
        known, epoch = None, None  # of the row before: nearly always the next one has the same headers
        for message in messages:
            error = message.error()
            if error is None:
                headers = headers_of(message)
                if headers != known:
                    known, epoch = headers, epoch_in(headers)
                if (key := message.key()) is None:
                    self.keyless += 1
                else:
                    rows.append((key, message.value(), epoch))
                last, at_end = message, False
            elif error.code() == KafkaError._PARTITION_EOF:
                next_offset, at_end = message.offset(), True
            elif not error.retriable():
                place = f"{self._options.changelog}/{partition} at offset {message.offset()}"
                raise EngineError(Exit.DATA_LOSS, f"{place} cannot be read: {error.str()}")
        if last is not None:
            next_offset = max(next_offset, last.offset() + 1)
            self._tables[partition].apply_changelog(rows)
            self.count += len(rows)
        if next_offset >= 0:
            self._next[partition] = next_offset
            (self._at_end.add if at_end else self._at_end.discard)(partition)
        return last is not None


def _check_log(options: EngineOptions, partition: int, first: int, end: int, table: Table[Any]) -> None:
    """EngineError: rows that the table does not have are gone from the log.

    `first`, `end`: its first and next offset. Compaction keeps the first one where it is.
    """
    name, known = f"{options.changelog}/{partition}", max(table.position, table.written)
    if known > end:  # that is the end for read_committed; an open transaction may hide the rest
        end = changelog_end(options, partition, "read_uncommitted")
    if known > end:
        text = (
            f"{name} ends at {end}, but rows up to {known} were written: the topic was created again or cut"
        )
    elif table.position < first:
        text = f"{name} begins at {first}, but there are only rows before {table.position}: the topic was cut"
    else:
        return
    raise EngineError(Exit.DATA_LOSS, f"{text}. See the runbook before deleting anything.")
