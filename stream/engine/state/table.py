"""The rows of one partition: live objects while they are busy, bytes at rest.

A changed row waits until it is written. Those that the next commit waits for are owed; what is written is
always the row as it is at that moment, so that nothing is encoded twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Generic

from stream.engine.codec import Codec, State
from stream.engine.failure import EngineError, Exit
from stream.engine.state.store import Store
from stream.engine.state.timers import Timers

ChangelogRow = tuple[bytes, bytes | None, int | None]
"""Key, row or tombstone, and the epoch of its writer where writers have one."""
EPOCH_OF = itemgetter(2)


class Table(Generic[State]):
    """Written by one agent, between two awaits; read back by `take` once for every changed row."""

    def __init__(
        self, codec: Codec[State], store: Store, max_hot_rows: int, name: str = "the changelog"
    ) -> None:
        self._name = name
        self._codec = codec
        self._due_ms = codec.timer_ms
        self._store = store
        self._max_hot_rows = max_hot_rows
        self._hot: dict[bytes, State] = {}
        self._dirty: dict[bytes, State | None] = {}
        self._owed: dict[bytes, State | None] = {}
        self._gone: set[bytes] = set()  # deleted, and the store does not know it yet
        self.void: set[bytes] = set()  # keys whose last record in the changelog does not count
        self.written = 0  # so many records the changelog had at the last commit, or more
        self.timers = Timers()
        self.unsent: dict[bytes, int] = {}  # key -> number of the flush its outbox belongs to
        self.leaving: dict[bytes, tuple[int, Mapping[str, int]]] = {}
        """Key -> the flush and the offsets after whose commit its row may be forgotten."""

    @property
    def waiting_count(self) -> int:
        """Changed rows that are still to be written."""
        return len(self._dirty) + len(self._owed)

    @property
    def owed_count(self) -> int:
        return len(self._owed)

    def row_count(self) -> int:
        """Rows at rest; those of the flush under way are not among them yet."""
        return self._store.count()

    def get(self, key: bytes) -> State | None:
        """The live row. Change it in place if you like, but put it back, or the change is not written."""
        state = self._hot.get(key)
        if state is None and key not in self._gone:
            row = self._store.get(key)
            if row is not None:
                try:
                    state = self._hot[key] = self._codec.decode_row(key, row)
                except Exception as wrong:
                    raise self._unreadable(wrong) from wrong
        return state

    def _unreadable(self, wrong: Exception) -> EngineError:
        """The key is a customer's: it is not told."""
        text = (
            f"{self._name} holds a row that this version cannot read ({wrong}): only workers may write there"
        )
        return EngineError(Exit.DATA_LOSS, f"{text}; `stream doctor` looks for such rows")

    def all_keys(self) -> list[bytes]:
        """Every key there is, sorted: a walk over all rows, for what concerns everyone."""
        resting = {key for key, _ in self._store.items()}
        return sorted((resting - self._gone) | self._hot.keys())  # a new row in a flush under way is only hot

    def put(self, key: bytes, state: State) -> None:
        self._hot[key] = self._dirty[key] = state
        if self._gone:
            self._gone.discard(key)
        if self.leaving:
            self.leaving.pop(key, None)
        self.timers.set(key, self._due_ms(state))

    def leave(self, key: bytes, state: State, flush: int, after: Mapping[str, int]) -> None:
        """Put a row that says nothing any more, to be forgotten later unless it is put again."""
        self.put(key, state)
        self.leaving[key] = (flush, after)

    def forget(self, flush: int, committed: Mapping[str, int]) -> None:
        """Rows that were left go when that and all their input is committed: nothing of it comes again."""
        if not self.leaving:
            return
        for key, (left_in, after) in list(self.leaving.items()):
            if left_in <= flush and all(committed.get(topic, at) >= at for topic, at in after.items()):
                del self.leaving[key]
                self.delete(key)

    def delete(self, key: bytes) -> None:
        """Forgotten: a tombstone is written. With at_least_once it may outlive its commit: see `leave`."""
        self._hot.pop(key, None)
        self._dirty[key] = None
        self._gone.add(key)
        self.timers.set(key, None)

    def owe(self) -> None:
        """Every row that waits to be written is owed from now on."""
        if self._dirty:
            self._owed, self._dirty = {**self._owed, **self._dirty}, {}

    def take(self, count: int) -> list[tuple[bytes, bytes | None]]:
        """The first `count` of the owed rows, encoded as they are now."""
        owed = self._owed
        return self.take_of(list(owed) if count >= len(owed) else list(islice(owed, count)))

    def take_of(self, keys: Iterable[bytes]) -> list[tuple[bytes, bytes | None]]:
        """The rows of these keys, as far as they wait to be written."""
        owed, dirty, encode_row, rows = self._owed, self._dirty, self._codec.encode_row, []
        for key in keys:
            if key in dirty:
                state = dirty.pop(key)
                owed.pop(key, None)
            elif key in owed:
                state = owed.pop(key)
            else:
                continue
            rows.append((key, None if state is None else encode_row(state)))
        return rows

    def take_all(self) -> list[tuple[bytes, bytes | None]]:
        """Every row that waits to be written, encoded."""
        self.owe()
        return self.take(len(self._owed))

    def store_written(self, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Rows that became durable go to rest; of the live ones those that came first make room.

        On the loop, also for a store on disk: 2 us a row of 1 KB (at a load of 20 one flush of 2,000 rows in
        ten waits 120 ms for RocksDB). Heartbeats have their own thread, and in another thread `get` would
        have to look at rows that are under way.
        """
        self._store.put_all(rows)
        if self._gone:
            waiting = chain(self._owed.items(), self._dirty.items())
            self._gone = {key for key, state in waiting if state is None} - self._hot.keys()
        surplus = len(self._hot) - self._max_hot_rows
        if surplus > 0:
            for key in list(islice(self._hot, surplus + self._max_hot_rows // 10)):
                if key not in self._dirty and key not in self._owed:
                    del self._hot[key]

    def apply_changelog(self, rows: Iterable[ChangelogRow]) -> None:
        """Records of the changelog in its order. What a writer wrote after its successor began is void."""
        store = self._store
        for epoch, run in groupby(rows, key=EPOCH_OF):
            valid = [(key, row) for key, row, _ in run]
            if epoch is not None:
                if epoch < store.epoch:
                    self.void.update(key for key, _ in valid)
                    continue
                store.epoch = epoch
            if self.void:
                self.void.difference_update(key for key, _ in valid)
            store.put_all(valid)

    def mend(self) -> None:
        """Write anew what a void record hides: compaction keeps a key's last record, whoever wrote it."""
        void, self.void = self.void, set()
        for key in void:
            state, leaving = self.get(key), self.leaving.get(key)
            if state is None:
                self.delete(key)
            elif leaving is None:
                self.put(key, state)
            else:
                self.leave(key, state, *leaving)

    def some_keys(self, count: int) -> list[bytes]:
        """Of rows at rest, whichever come first."""
        return [key for key, _ in islice(self._store.items(), count)]

    def applied(self) -> Iterator[tuple[bytes, Mapping[str, int]]]:
        """Key of every row at rest, and what was applied to it: a walk over all of them."""
        try:
            for key, row in self._store.items():
                yield key, self._codec.applied(row)
        except EngineError:
            raise
        except Exception as wrong:
            raise self._unreadable(wrong) from wrong

    def index(self) -> None:
        """After recovery: due times and full outboxes of all rows at rest."""
        peek, dues = self._codec.peek, {}
        for key, row in self._store.items():
            try:
                timer_ms, outbox_flush, leaving = peek(row)
            except Exception as wrong:
                raise self._unreadable(wrong) from wrong
            if timer_ms is not None:
                dues[key] = timer_ms
            if outbox_flush:
                self.unsent[key] = outbox_flush
            if leaving is not None:
                self.leaving[key] = (0, leaving)
        self.timers.load(dues)

    @property
    def position(self) -> int:
        """The changelog offset up to which the rows at rest are complete."""
        return self._store.position

    @position.setter
    def position(self, offset: int) -> None:
        self._store.position = offset

    @property
    def epoch(self) -> int:
        """Of the writer of this changelog: ours, once the table is recovered and fenced."""
        return self._store.epoch

    def close(self) -> None:
        self._store.close()

    def drop(self) -> None:
        self._store.drop()
