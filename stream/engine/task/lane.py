"""Everything of one partition number: its inputs, its clock, its rows, and what waits to become durable.

A lane is used by one agent. Between two awaits of the agent nothing else touches it, so what it holds at any
await is whole: every record given out has been applied.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Generic

from stream.engine.codec import Arrival, Headers, Moment, State, Timer, Unsent
from stream.engine.options import EngineOptions
from stream.engine.state.table import Table
from stream.engine.task.batch import Checkpoint, Load, Mark, Marks, Outgoing
from stream.engine.task.merge import FOREVER_MS, Source, release

MS = 1000


class ReferenceSource:
    """How far the source that must never fall silent has come, over all lanes of this worker."""

    __slots__ = ("watermark_ms",)

    def __init__(self) -> None:
        self.watermark_ms: int | None = None

    def advance(self, time_ms: int | None) -> None:
        if time_ms is not None and (self.watermark_ms is None or time_ms > self.watermark_ms):
            self.watermark_ms = time_ms


class Lane(Generic[State]):
    """One partition number of the co-partitioned inputs, and its rows."""

    def __init__(
        self,
        partition: int,
        *,
        sources: list[Source],
        table: Table[State],
        options: EngineOptions,
        reference: ReferenceSource,
        flush_if_due: Callable[[], Awaitable[None]],
        on_give_up: Callable[[str], None] = lambda topic: None,
    ) -> None:
        self.partition = partition
        self.sources = sources
        self.table = table
        self.get = table.get
        self.put = table.put
        self.clock_ms: int | None = None
        self.flush_number = 1  # of the flush that what is put and sent now will belong to
        self.committed_flush = 0  # of the last one that is durable
        self.outgoing: list[Outgoing] = []
        self._ahead: dict[bytes, None] = {}  # keys of rows whose records have left already
        self.applied_count = 0
        self.unflushed = 0
        self.stalled = False  # inputs are held because the heartbeat source is silent
        self.rung = False
        self.open = True
        self.flush_if_due = flush_if_due
        self._options = options
        self._reference = reference
        self._on_give_up = on_give_up
        self._inside = False
        self._committed: Marks = {}
        self._checkpoint: Checkpoint | None = None

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
        partition: int | None = None,
        *,
        row: bytes | None = None,
    ) -> None:
        """A record that leaves with this flush. Without a partition it goes by key, as Java would send it.

        `row` is the key of the row whose outbox has it: the two need not wait for any other row. A record
        that no row remembers leaves with the offset of its input.
        """
        self.outgoing.append(Outgoing(topic, key, value, headers, partition, row))

    def send_ahead(self, send: Callable[[list[Outgoing]], list[Outgoing]]) -> None:
        """What `send` takes need not wait for its rows; they are the first of the next flush."""
        kept = send(self.outgoing)
        if kept is not self.outgoing:
            self._ahead.update(dict.fromkeys(each.row for each in self.outgoing if each.row is not None))
            self.outgoing = kept

    def delete_after(self, key: bytes, state: State, after: Mapping[str, int]) -> None:
        """The row says nothing any more; its tombstone follows when its input up to `after` is committed.

        Written at once it could outlive a crash that its commit does not: what came before it would come
        again, and no row would know.
        """
        self.table.leave(key, state, self.flush_number, after)

    def moments(self) -> Iterator[Moment]:
        """All that is to be done now, in order of time. No await between this and the end of the loop."""
        self.rung = False
        if not self.open:
            return
        assert not self._inside, "the moments of a lane were left before their end"
        self._inside = True
        yield from self._unsent()
        dues = self.table.timers
        while batch := self._release():
            for arrival in batch:
                if dues.earliest_ms <= arrival.order_ms:
                    yield from self._dues(arrival.order_ms)
                yield arrival
            self.unflushed += len(batch)
            self.applied_count += len(batch)
            self._advance(batch[-1].order_ms)
        yield from self._dues(self._time_limit_ms())
        self._inside = False

    @property
    def busy(self) -> bool:
        """The agent is in the midst of its moments; there is no whole state to flush."""
        return self._inside

    def _unsent(self) -> Iterator[Moment]:
        unsent, self.table.unsent = self.table.unsent, {}
        for key, flush in unsent.items():
            if flush > self.committed_flush:
                self.unflushed += 1
                yield Unsent(key)
        self.table.mend()

    def _release(self) -> list[Arrival]:
        limit_ms = self._held_after_ms()
        options, missing = self._options, [source for source in self.sources if source.given_up]
        batch = release(self.sources, time.monotonic(), options.max_idle_s, limit_ms, options.merge_wait_s)
        for source in self.sources:
            if source.given_up and source not in missing:
                self._on_give_up(source.topic)
        self.stalled = any(
            source.pending and source.pending[0].order_ms > limit_ms for source in self.sources
        )
        return batch

    def _dues(self, until_ms: int | None) -> Iterator[Moment]:
        if until_ms is None:
            return
        pop = self.table.timers.pop
        while due := pop(until_ms):
            at_ms, key = due
            self.unflushed += 1
            yield Timer(key, at_ms)
        self._advance(until_ms)

    def _advance(self, time_ms: int) -> None:
        if self.clock_ms is None or time_ms > self.clock_ms:
            self.clock_ms = time_ms

    def _held_after_ms(self) -> int:
        watermark_ms = self._reference.watermark_ms
        if self._options.reference is None or watermark_ms is None:
            return FOREVER_MS
        return watermark_ms + self._options.stall_after_ms

    def _time_limit_ms(self) -> int | None:
        """How far time passes with nothing arriving: by event time not at all, by the wall while current."""
        if self._options.clock == "event" or not self.current:
            return None
        return min(int(time.time() * MS), self._held_after_ms())

    @property
    def current(self) -> bool:
        """All that the broker has was given out."""
        return all(source.caught_up and not source.pending for source in self.sources)

    def wants_attention(self) -> bool:
        """Time alone may have made something ready."""
        if self._recovering or any(source.pending for source in self.sources):
            return True
        limit_ms = self._time_limit_ms()
        return limit_ms is not None and self.table.timers.earliest_ms <= limit_ms

    @property
    def _recovering(self) -> bool:
        """Outboxes of the last life were not given out yet: a flush now would pass for theirs."""
        return bool(self.table.unsent or self.table.void)

    @property
    def dirty(self) -> bool:
        if self._recovering:
            return False
        return bool(self.unflushed or self.outgoing or self.table.waiting_count) or any(
            self.committed_offset(source.topic) != source.applied for source in self.sources
        )

    @property
    def speaks(self) -> bool:
        """Something is to be sent that needs no more than the row that remembers it, or was sent already."""
        return bool(self._ahead) or any(each.row is not None for each in self.outgoing)

    @property
    def uncommitted(self) -> int:
        """Moments lived whose commit is not under way yet."""
        return self.unflushed + (self._checkpoint.moments if self._checkpoint is not None else 0)

    @property
    def midway(self) -> bool:
        """Some rows of the next commit were written, and others are still owed."""
        return self._checkpoint is not None

    def take_batch(self, row_limit: int) -> Load:
        """What a row remembers, with that row, and so many of the rows that the next commit waits for.

        While rows are still owed, the marks stay what they were, but for the number of the flush: rows are
        ahead of the offsets then, and drop what comes again; what they remember is in the same flush.
        """
        outgoing = [each for each in self.outgoing if each.row is not None]
        self.outgoing = [each for each in self.outgoing if each.row is None]
        if self._checkpoint is None and row_limit > 0:
            self._checkpoint = Checkpoint(self.marks(), self.outgoing, self.unflushed)
            self.outgoing, self.unflushed = [], 0
            self.table.owe()
        self._ahead.update(dict.fromkeys(each.row for each in outgoing if each.row is not None))
        rows, self._ahead = self.table.take_of(self._ahead), {}
        rows += self.table.take(max(0, row_limit - len(rows)))
        marks = self._committed
        if self._checkpoint is not None and not self.table.owed_count:
            marks, outgoing = self._checkpoint.marks, self._checkpoint.records + outgoing
            self._checkpoint = None
        new: dict[str, Any] = {"flush": self.flush_number, "rows": self.table.position + len(rows)}
        self.flush_number += 1
        renumbered = {topic: (offset, mark._replace(**new)) for topic, (offset, mark) in marks.items()}
        return Load(new["flush"], rows, outgoing, renumbered)

    def marks(self) -> Marks:
        """Per topic the offset that may be committed when all that waits now is durable."""
        return {source.topic: (source.applied, self._mark(source)) for source in self.sources}

    def _mark(self, source: Source) -> Mark:
        topic_id = self._committed[source.topic][1].topic_id
        return Mark(self.flush_number, self.clock_ms, source.given_ms, topic_id=topic_id)

    def start_at(self, marks: Marks) -> None:
        """Take up where the committed marks left off; a topic without one starts at its `expected`."""
        for source in self.sources:
            offset, mark = marks[source.topic]
            source.expected = offset
            source.seen_ms = source.given_ms = mark.given_ms
            self._committed[source.topic] = (offset, mark)
            self.committed_flush = max(self.committed_flush, mark.flush)
            self.table.written = max(self.table.written, mark.rows)
            if mark.clock_ms is not None:
                self._advance(mark.clock_ms)
            if source.topic == self._options.reference:
                self._reference.advance(mark.given_ms)
        self.flush_number = self.committed_flush + 1
        self._forget()

    def committed_offset(self, topic: str) -> int:
        """The next offset of an input that would come again after a crash now."""
        return self._committed[topic][0]

    def note_committed(self, flush: int, marks: Marks) -> None:
        self.committed_flush = flush
        self._committed.update(marks)
        self._forget()

    def _forget(self) -> None:
        if self.table.leaving:
            offsets = {topic: offset for topic, (offset, _) in self._committed.items()}
            self.table.forget(self.committed_flush, offsets)

    def close(self) -> None:
        """From now on it gives out nothing; what it holds is dropped."""
        self.open = False
        self.table.close()
