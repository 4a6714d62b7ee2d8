"""A header name that is no UTF-8 is read with replacement characters: any producer can write one.

aiokafka's parser raises there, at the same record again after every start. The whole batch is then parsed by
its parser in Python, which is slow, and the worker sees a record like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
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


class _Batch:
    """A batch of aiokafka's, and its bytes in case they are needed."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._batch
        except UnicodeDecodeError:
            yield from _SlowBatch(self._raw.tobytes())  # aiokafka passes by what it has had already


class ForgivingRecords(_MemoryRecordsPy):  # type: ignore[misc]
    """What one fetch brought of one partition, in batches."""

    def next_batch(self, *sizes: int) -> Any:
        raw, batch = self._next_slice, super().next_batch(*sizes)
        return None if batch is None or raw is None else _Batch(batch, raw)


def forgive_header_names() -> None:
    """For every consumer of this process."""
    fetcher.MemoryRecords = ForgivingRecords
