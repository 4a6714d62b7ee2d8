"""Sorts more items than fit in memory: full batches go to temporary files in order, reading merges them."""

from __future__ import annotations

import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Any, Generic, TypeVar

import msgspec

IN_MEMORY_MAX = 100_000
"""Weight of the items in memory before they go to disk; most items weigh 1."""
RUNS_MAX = 64
"""Open temporary files before they are merged into one."""
BLOCK = 1_024
"""Items that are encoded and decoded at once."""

Item = TypeVar("Item", bound=tuple[Any, ...])


class ExternalSort(Generic[Item]):
    """Tuples are added in any order and read once in order.

    The last element need not be comparable: no two tuples may be equal in all elements before it.
    """

    def __init__(self, kind: object, in_memory_max: int = IN_MEMORY_MAX) -> None:
        """`kind` is the type of the items, as msgspec decodes them."""
        self._kind = kind
        self._in_memory_max = in_memory_max
        self._batch: list[Item] = []
        self._weight = 0
        self._runs: list[IO[bytes]] = []
        self._open = ExitStack()

    def add(self, item: Item, weight: int = 1) -> None:
        """`weight` says how many usual items this one takes in memory."""
        self._batch.append(item)
        self._weight += weight
        if self._weight >= self._in_memory_max:
            self._batch.sort()
            self._spill(self._batch)
            self._batch, self._weight = [], 0
            if len(self._runs) >= RUNS_MAX:
                self._merge_open_runs()

    def __iter__(self) -> Iterator[Item]:
        self._batch.sort()
        if not self._runs:
            return iter(self._batch)
        rest = (self._batch[at : at + BLOCK] for at in range(0, len(self._batch), BLOCK))
        return merge_runs([*map(self._read, self._runs), rest])

    def __enter__(self) -> ExternalSort[Item]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._batch, self._runs = [], []
        self._open.close()

    def _spill(self, ordered: Iterable[Item]) -> None:
        encode = msgspec.msgpack.Encoder().encode
        run = self._open.enter_context(tempfile.TemporaryFile(prefix="stream-sort-"))  # noqa: SIM115
        block: list[Item] = []
        for item in ordered:
            block.append(item)
            if len(block) == BLOCK:
                _write(run, encode(block))
                block = []
        _write(run, encode(block))
        self._runs.append(run)

    def _merge_open_runs(self) -> None:
        """Merge all runs into one, so that few files are open however long the input is."""
        runs, self._runs = self._runs, []
        self._spill(merge_runs([*map(self._read, runs)]))
        for run in runs:
            run.close()

    def _read(self, run: IO[bytes]) -> Iterator[list[Item]]:
        decode = msgspec.msgpack.Decoder(list[self._kind]).decode  # type: ignore[name-defined]
        run.seek(0)
        while size := run.read(4):
            yield decode(run.read(int.from_bytes(size, "big")))


def merge_runs(runs: Sequence[Iterator[list[Item]]]) -> Iterator[Item]:
    """Merge sorted runs, given as blocks: all items up to the smallest block end can be yielded in order."""
    heads = [next(run, []) for run in runs]
    while any(heads):
        bound = min(head[-1] for head in heads if head)
        mergeable: list[Item] = []
        for number, head in enumerate(heads):
            if head and not bound < head[0]:
                cut = bisect_right(head, bound)
                mergeable += head[:cut]
                heads[number] = head[cut:] or next(runs[number], [])
        mergeable.sort()
        yield from mergeable


def _write(run: IO[bytes], block: bytes) -> None:
    run.write(len(block).to_bytes(4, "big"))
    run.write(block)
