"""The rows of one partition: live objects while they are in use, else bytes in a store.

A changed row stays in memory until it is written to the changelog. It is encoded only then, as it is by then:
a row that changed ten times between two flushes is encoded once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, Generic

from stream.engine.codec import Codec, State
from stream.engine.failure import EngineError, Exit
from stream.engine.state.store import Store
from stream.engine.state.timers import Timers

ChangelogRow = tuple[bytes, bytes | None, int | None]
"""Key, row (None: a tombstone), and the epoch of its writer (None: a transaction wrote it)."""
EPOCH_OF = itemgetter(2)


class Table(Generic[State]):
    """The rows of one partition by key, recovered from its changelog; at most `max_hot_rows` stay decoded.

    Only the agent changes rows, and never across an await. A flush takes every row that was changed since the
    flush before, once, in its newest state.
    """

    def __init__(
        self, codec: Codec[State], store: Store, max_hot_rows: int, name: str = "the changelog"
    ) -> None:
        self._name = name
        self._codec = codec
        self._timer_ms = codec.timer_ms
        self._store = store
        self._max_hot_rows = max_hot_rows
        self._hot: dict[bytes, State] = {}
        self._changed: dict[bytes, State | None] = {}  # since the last checkpoint
        self._checkpointed: dict[bytes, State | None] = {}  # of the checkpoint, not written yet
        self._deleted: set[bytes] = set()  # of which the store still has a row
        self.void: set[bytes] = set()  # keys whose last record in the changelog is void (state/epoch.py)
        self.rewriting: set[bytes] = set()  # those of them that are to be written again, and are not yet
        self.written = 0  # at the last commit the changelog held at least so many records
        self.timers = Timers()
        self.unsent: dict[bytes, int] = {}  # key -> number of the flush that the row's outbox belongs to
        self.owed: defaultdict[int, list[bytes]] = defaultdict(list)
        """Number of a flush -> keys of rows that it must take: as they are stored they would look sent by
        it."""
        self.deletions: dict[bytes, tuple[int, Mapping[str, int]]] = {}
        """Key -> the flush and the offsets after whose commit the row may be deleted."""
        self.before_writing: Callable[[bytes, State], Any] | None = None
        """Is given each row that a batch takes, before it is encoded; not those that are deleted."""
        self._beside: list[Any] = []

    @property
    def hides_rows(self) -> bool:
        """Some keys have a void record last in the changelog: a start must read it to write them again."""
        return bool(self.void or self.rewriting)

    @property
    def unwritten_count(self) -> int:
        """Changed rows that no batch has taken yet."""
        return len(self._changed) + len(self._checkpointed)

    @property
    def checkpoint_left(self) -> int:
        """Rows of the checkpoint that no batch has taken yet."""
        return len(self._checkpointed)

    def row_count(self) -> int:
        """Rows in the store; those that were never flushed are not among them."""
        return self._store.count()

    def get(self, key: bytes) -> State | None:
        """The live row, or None. It may be changed in place, but only `put` has the change written."""
        state = self._hot.get(key)
        if state is None and key not in self._deleted:
            row = self._store.get(key)
            if row is not None:
                try:
                    state = self._hot[key] = self._codec.decode_row(key, row)
                except EngineError:
                    raise
                except Exception as wrong:
                    raise self._unreadable(wrong) from wrong
        return state

    def _unreadable(self, wrong: Exception) -> EngineError:
        """Without the key: it may name a person, and this goes to the log."""
        text = (
            f"{self._name} holds a row that this version cannot read ({wrong}): only workers may write there"
        )
        return EngineError(Exit.DATA_LOSS, f"{text}; `stream doctor` looks for such rows")

    def all_keys(self) -> list[bytes]:
        """Every key, sorted: for an event that concerns all rows."""
        stored = {key for key, _ in self._store.items()}
        return sorted((stored - self._deleted) | self._hot.keys())  # a new row under way is only hot

    def put(self, key: bytes, state: State) -> None:
        """Note a change: the row waits to be written, and its timer is set."""
        self._hot[key] = self._changed[key] = state
        if self._deleted:
            self._deleted.discard(key)
        if self.deletions:
            self.deletions.pop(key, None)
        self.timers.set(key, self._timer_ms(state))

    def delete_after(self, key: bytes, state: State, flush: int, after: Mapping[str, int]) -> None:
        """Put a row, and delete it when `flush` and the offsets `after` are committed. `put` revokes that."""
        self.put(key, state)
        self.deletions[key] = (flush, after)

    def delete_committed(self, flush: int, committed: Mapping[str, int]) -> None:
        """Delete the rows whose flush and input are committed now: none of that input comes again."""
        if not self.deletions:
            return
        for key, (put_in, after) in list(self.deletions.items()):
            if put_in <= flush and all(committed.get(topic, at) >= at for topic, at in after.items()):
                del self.deletions[key]
                self.delete(key)

    def delete(self, key: bytes) -> None:
        """Write a tombstone. With at least once it may outlive its commit in a crash: see `delete_after`."""
        self._hot.pop(key, None)
        self._changed[key] = None
        self._deleted.add(key)
        self.timers.set(key, None)

    def checkpoint(self) -> None:
        """Every row changed until now belongs to the checkpoint."""
        if self._changed:
            self._checkpointed, self._changed = {**self._checkpointed, **self._changed}, {}

    def take_rows(self, count: int) -> list[tuple[bytes, bytes | None]]:
        """At most `count` rows of the checkpoint, encoded as they are now."""
        left = self._checkpointed
        return self.take_rows_of(list(left) if count >= len(left) else list(islice(left, count)))

    def take_rows_of(self, keys: Iterable[bytes]) -> list[tuple[bytes, bytes | None]]:
        """The rows of these keys, encoded, as far as they changed and are not written."""
        left, changed, encode, rows = self._checkpointed, self._changed, self._codec.encode_row, []
        before_writing = self.before_writing
        for key in keys:
            if key in changed:
                state = changed.pop(key)
                left.pop(key, None)
            elif key in left:
                state = left.pop(key)
            else:
                continue
            if before_writing is not None and state is not None and (record := before_writing(key, state)):
                self._beside.append(record)
            rows.append((key, None if state is None else encode(state)))
        return rows

    def take_beside(self) -> list[Any]:
        """What `before_writing` returned of the rows that were taken since the last call."""
        beside, self._beside = self._beside, []
        return beside

    def take_all(self) -> list[tuple[bytes, bytes | None]]:
        """Every changed row, encoded."""
        self.checkpoint()
        return self.take_rows(len(self._checkpointed))

    def store_written(self, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Move rows that are durable in the changelog to the store; drop surplus live rows, the oldest first.

        On the event loop, also with a store on disk: 2 us a row of 1 KB (at a machine load of 20 one flush of
        2,000 rows in ten waited 120 ms for RocksDB). The group's heartbeats have a thread of their own. In
        another thread `get` would have to look for rows that are on their way into the store.
        """
        self._store.put_all(rows)
        if self.rewriting:
            self.rewriting.difference_update(key for key, _ in rows)
        if self._deleted:
            waiting = chain(self._checkpointed.items(), self._changed.items())
            self._deleted = {key for key, state in waiting if state is None} - self._hot.keys()
        surplus = len(self._hot) - self._max_hot_rows
        if surplus > 0:
            for key in list(islice(self._hot, surplus + self._max_hot_rows // 10)):
                if key not in self._changed and key not in self._checkpointed:
                    del self._hot[key]

    def apply_changelog(self, rows: Iterable[ChangelogRow]) -> None:
        """Records of the changelog, in its order. Those of an epoch that had ended by then are void."""
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

    def rewrite_void(self, flush: int) -> set[bytes]:
        """Write again each row that a void record follows: compaction keeps the last record of a key.

        Returns those of them beside which the replaced worker may have written another record. Where there is
        no row, its tombstone waits until `flush`, with what is sent of it, is committed: once the tombstone
        is written no start looks at the key again.
        """
        void, self.void = self.void, set()
        self.rewriting |= void
        for key in void:
            state, deletion = self.get(key), self.deletions.get(key)
            if state is None and self.before_writing is not None:
                self.deletions[key] = (flush, {})
            elif state is None:
                self.delete(key)
            elif deletion is None:
                self.put(key, state)
            else:
                self.delete_after(key, state, *deletion)
        return void if self.before_writing is not None else set()

    def some_keys(self, count: int) -> list[bytes]:
        """Of rows in the store, at most `count`, in no particular order."""
        return [key for key, _ in islice(self._store.items(), count)]

    def applied(self) -> Iterator[tuple[bytes, Mapping[str, int]]]:
        """Key and `Codec.applied` of every row in the store: this reads all of them."""
        try:
            for key, row in self._store.items():
                yield key, self._codec.applied(row)
        except EngineError:
            raise
        except Exception as wrong:
            raise self._unreadable(wrong) from wrong

    def index(self) -> None:
        """After recovery: find the timers, the full outboxes and the deletions of all rows in the store."""
        peek, timers = self._codec.peek, {}
        for key, row in self._store.items():
            try:
                timer_ms, outbox_flush, delete_after = peek(row)
            except EngineError:
                raise
            except Exception as wrong:
                raise self._unreadable(wrong) from wrong
            if timer_ms is not None:
                timers[key] = timer_ms
            if outbox_flush:
                self.unsent[key] = outbox_flush
            if delete_after is not None:
                self.deletions[key] = (0, delete_after)
        self.timers.set_all(timers)

    @property
    def position(self) -> int:
        """The changelog offset up to which the rows in the store are complete."""
        return self._store.position

    @position.setter
    def position(self, offset: int) -> None:
        self._store.position = offset

    @property
    def epoch(self) -> int:
        """Of the changelog's writer: of this worker, once the table is recovered with at least once."""
        return self._store.epoch

    def close(self) -> None:
        """Close the store for a next start to trust."""
        self._store.close()

    def drop(self) -> None:
        """Close the store as a crash would leave it: a next start empties it."""
        self._store.drop()
