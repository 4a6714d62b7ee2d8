"""What a fetch brought of one partition, read by the batch in C.

aiokafka takes four steps of Python for each record; islice over its parser in C takes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple

from aiokafka.consumer import fetcher as fetcher_module
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from stream.engine.client_internals.decompression import UnreadableBatchError


@dataclass(slots=True)
class UnreadRecords:
    """The records of a batch that cannot be read, as one record without key and value."""

    offset: int  # of the first of them
    last_offset: int
    too_large: bool  # when decompressed; else its bytes are damaged
    detail: str
    stored_bytes: int  # as they are in the log
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Fetched(NamedTuple):
    """Records of one partition, and the offsets that they stand for: those from `start` to `next_offset`.

    The other offsets in between are explained: markers of transactions, records of aborted ones, and records
    that the log no longer has. Nothing is known of the offsets before `start`.
    """

    records: list[Any]
    start: int
    next_offset: int
    unread: UnreadRecords | None = None  # instead of records


class _ForgivingBytes(bytes):
    """Bytes whose parts decode as text in any case, with replacement characters where they are no UTF-8."""

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        return _ForgivingBytes(part) if isinstance(place, slice) else part

    def decode(self, *_: Any, **__: Any) -> str:
        return super().decode("utf-8", "replace")


class _SlowBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """aiokafka's parser in Python, for batches with a header name that is no UTF-8: its parser in C raises.

    Any producer can write such a name, and after every start the worker would meet it again.
    """

    _buffer: Any

    def __iter__(self) -> Any:
        self._maybe_uncompress()
        self._buffer = _ForgivingBytes(self._buffer)
        return self


class RawRecords(_MemoryRecordsPy):  # type: ignore[misc]
    """What one fetch brought of one partition, in batches; `raw` is the last one, for `_SlowBatch`."""

    raw: memoryview

    def next_batch(self, *sizes: int) -> Any:
        """aiokafka's, and its bytes are noted."""
        if self._next_slice is not None:
            self.raw = self._next_slice
        return super().next_batch(*sizes)


class FetchedRecords(fetcher_module.PartitionRecords):  # type: ignore[misc]
    """aiokafka's own, with `take` for many records at once. It keeps `next_fetch_offset` as aiokafka does."""

    next_fetch_offset: int
    _records: RawRecords
    _batch: Iterator[Any] | None = None
    _batch_end = 0
    _unread: UnreadRecords | None = None  # comes next
    _start: int | None = None
    """Where the batches begin from which `take` has read, once it is known."""

    @property
    def exhausted(self) -> bool:
        """Nothing is left of the fetch."""
        return self._batch is None and self._unread is None and not self._records.has_next()

    def take(self, limit: int) -> Fetched:
        """Up to `limit` records; fewer when there are no more, or before a batch that cannot be read."""
        self._records_iterator = None  # it refers to this object: the bytes would wait for Python's collector
        begin = self.next_fetch_offset
        taken: list[Any] = []
        self._start = None if self._batch is None else begin
        while len(taken) < limit and (self._batch is not None or self._open()):
            taken += self._read(limit - len(taken))
        start = begin if self._start is None else self._start
        unread = None
        if self._unread is not None and not taken:
            unread, self._unread = self._unread, None
            self.next_fetch_offset = unread.last_offset + 1
        return Fetched(taken, start, self.next_fetch_offset, unread)

    def _open(self) -> bool:
        """Go to the next batch with records that count, if there is one that can be read."""
        while self._unread is None and self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if self._start is None:
                old_format = batch.producer_id is None  # of before Kafka 0.11: it has no beginning
                self._start = max(self.next_fetch_offset, 0 if old_format else batch.base_offset)
            if not (self._is_aborted(batch) or batch.is_control_batch):
                self._batch_end = batch.next_offset
                try:
                    self._batch = chain(iter(batch))  # decompressed now; one iterator for all reads
                except (UnreadableBatchError, UnsupportedCodecError) as wrong:
                    self._set_aside(wrong, max(self.next_fetch_offset, self._start))
                return self._batch is not None
            self.next_fetch_offset = batch.next_offset
        return False

    def _set_aside(self, wrong: Exception, first: int) -> None:
        """What is left of the batch cannot be read, from the offset `first` on."""
        self._batch = None
        too_large = isinstance(wrong, UnreadableBatchError) and wrong.too_large
        size = len(self._records.raw)
        self._unread = UnreadRecords(first, max(first, self._batch_end - 1), too_large, str(wrong), size)

    def _is_aborted(self, batch: Any) -> bool:
        """Its producer aborted the transaction. (aiokafka's own rule, `_unpack_records`.)

        The broker lists the transactions that were aborted with the fetch. The markers are read only while
        one is under way: a producer's next transaction may count.
        """
        producer = batch.producer_id
        if producer is None or not (self._aborted_transactions or self._aborted_producers):
            return False
        self._consume_aborted_up_to(batch.base_offset)
        if batch.is_control_batch and producer in self._aborted_producers:
            if self._contains_abort_marker(batch):
                self._aborted_producers.discard(producer)
            return False
        return batch.is_transactional and producer in self._aborted_producers

    def _read(self, wanted: int) -> list[Any]:
        assert self._batch is not None
        found: list[Any] = []
        try:
            found.extend(islice(self._batch, wanted))
        except UnicodeDecodeError:
            self._batch = chain(_SlowBatch(self._records.raw.tobytes()))  # from its beginning
            return self._read(wanted)
        except CorruptRecordException as wrong:  # the checksum is right: its producer wrote it like that
            found = self._new_ones(found)
            self._set_aside(wrong, found[-1].offset + 1 if found else self.next_fetch_offset)
            return found
        ended = len(found) < wanted
        found = self._new_ones(found)
        if ended:
            self._batch, self.next_fetch_offset = None, self._batch_end
        elif found:
            self.next_fetch_offset = found[-1].offset + 1
        return found

    def _new_ones(self, found: list[Any]) -> list[Any]:
        """Without those before the offset that was asked for: the broker sends whole batches."""
        if found and found[0].offset < self.next_fetch_offset:
            return [record for record in found if record.offset >= self.next_fetch_offset]
        return found
