"""What a fetch brought, read by the batch, in C: aiokafka takes four steps of Python for each record.

A header name that is no UTF-8 is read with replacement characters: any producer can write one. aiokafka's
parser in C raises there, at the same record again after every start; the whole batch is then parsed by its
parser in Python, which is slow, and the worker sees a record like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy


class _Forgiving(bytes):
    """Bytes whose parts are read as text come what may."""

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        return _Forgiving(part) if isinstance(place, slice) else part

    def decode(self, *_: Any, **__: Any) -> str:
        return super().decode("utf-8", "replace")


class _SlowBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: Any

    def __iter__(self) -> Any:
        self._maybe_uncompress()
        self._buffer = _Forgiving(self._buffer)
        return self


class RawRecords(_MemoryRecordsPy):  # type: ignore[misc]
    """What one fetch brought of one partition, in batches; the bytes of the last one are kept."""

    raw: memoryview

    def next_batch(self, *sizes: int) -> Any:
        if self._next_slice is not None:
            self.raw = self._next_slice
        return super().next_batch(*sizes)


class FetchedRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """aiokafka's own, that can also be taken from in bulk. Like it, it knows the offset to come next.

    Every record counts: what a transaction aborted is not left out (inputs are read uncommitted).
    """

    _records: RawRecords
    _batch: Iterator[Any] | None = None
    _batch_end = 0

    @property
    def exhausted(self) -> bool:
        return self._batch is None and not self._records.has_next()

    def take(self, limit: int) -> list[Any]:
        """Up to `limit` records; fewer only when there are no more."""
        self._records_iterator = None  # it refers to us: the bytes would wait for Python's garbage collection
        taken: list[Any] = []
        while len(taken) < limit and (self._batch is not None or self._open()):
            taken += self._read(limit - len(taken))
        return taken

    def _open(self) -> bool:
        """The next batch with records, if there is one."""
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if not batch.is_control_batch:
                self._batch, self._batch_end = chain(batch), batch.next_offset  # begun once
                return True
            self.next_fetch_offset = batch.next_offset
        return False

    def _read(self, wanted: int) -> list[Any]:
        assert self._batch is not None
        try:
            found = list(islice(self._batch, wanted))
        except UnicodeDecodeError:
            self._batch = chain(_SlowBatch(self._records.raw.tobytes()))  # from its beginning
            found = list(islice(self._batch, wanted))
        ended = len(found) < wanted
        if found and found[0].offset < self.next_fetch_offset:  # a fetch begins with a whole batch
            found = [record for record in found if record.offset >= self.next_fetch_offset]
        if ended:
            self._batch, self.next_fetch_offset = None, self._batch_end
        elif found:
            self.next_fetch_offset = found[-1].offset + 1
        return found


def read_in_bulk() -> None:
    """For every consumer of this process; those that know nothing of it read record by record as before."""
    fetcher.MemoryRecords = RawRecords
    fetcher.PartitionRecords = FetchedRecords
