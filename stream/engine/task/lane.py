"""A lane: one partition number of all inputs, with its rows, its clock and what waits for the next flush.

The rules:

1.  One agent works on a lane, and reads `moments` to their end. In between it may await, so that a long batch
    does not hold the event loop: the lane is `busy` then, and nothing of it is flushed. While it is not busy
    it is whole: each moment that it gave out has been applied to its row.
2.  Moments of a key come in order of event time: arrivals of all inputs, merged (task/merge.py), and timers
    of rows; in a history those of all keys do (task/due_timers.py). Arrivals of one key and instant follow
    each other (task/instants.py).
3.  The clock is the event time that the lane has reached. It never goes back. Arrivals and timers move it;
    with `clock="wall"` also the wall clock, while every record that Kafka has was given out and the lane is
    not in a history (task/lane_clock.py).
4.  Neither arrivals nor the wall clock may be more than `stall_after_ms` ahead of the reference source: when
    it stops, keys must not look inactive because their records are missing. What is further ahead is held,
    and the lane is `stalled`.
5.  A lane is dirty when rows, records, moments or offsets wait for a flush. A flush takes a `FlushBatch`.
6.  Most batches hold a part of the changed rows only, as encoding all of them would delay events. The first
    batch after a commit makes a checkpoint: the commit points of that instant, and the keys of all rows that
    were changed until then. Batches write these rows, each as it is at that moment, newer changes included.
    The batch with the last of them carries the commit points of the checkpoint; those before it carry the
    old offsets with the new flush number. After a crash in between, rows are ahead of the committed offsets;
    they drop the records that they have applied already (docs/decisions/0012).
7.  A record sent with `row=key` is in the outbox of that row, and is in a batch together with it. With at
    least once it may leave earlier; its row is then in the next batch. A record in no outbox leaves with the
    commit of its input: written earlier, it would be written again after a crash.
8.  After a start the rows whose outbox belongs to a flush that was not committed come first, as `Unsent`.
    Until that is done the lane is not dirty: a flush would commit a number that makes them look sent. For the
    same reason the flush with that number takes those rows, however few it takes of others.
9.  A row that is no longer needed is deleted after the commit of the input that it has applied: a tombstone
    that outlived a crash would let old records come again, which no row remembers (docs/decisions/0005).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Generic

from stream.engine.codec import Arrival, Moment, SentHeaders, State, Timer, Unsent
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.state.table import Table
from stream.engine.task.batch import BesideRow, Checkpoint, FlushBatch, Outgoing, rows_of
from stream.engine.task.commit_point import CommitPoint, CommitPoints
from stream.engine.task.due_timers import DueTimers
from stream.engine.task.group_progress import GroupProgress
from stream.engine.task.instants import by_key_within_instants
from stream.engine.task.lane_clock import LaneClock
from stream.engine.task.merge import Source, merge_ready
from stream.engine.units import FOREVER_MS


class Lane(Generic[State]):
    """One partition number of the inputs, and its rows. `get` and `put` are those of its table."""

    def __init__(
        self,
        partition: int,
        *,
        sources: list[Source],
        table: Table[State],
        options: EngineOptions,
        progress: GroupProgress,
        flush_if_due: Callable[[], Awaitable[None]],
        on_give_up: Callable[[str], None] = lambda topic: None,
    ) -> None:
        self.partition = partition
        self.sources = sources
        self.table = table
        self.get = table.get
        self.put = table.put
        self.flush_number = 1  # of the flush that will hold what is put and sent now
        self.committed_flush = 0  # of the last one that is durable
        self.outgoing: list[Outgoing] = []
        self.applied_count = 0  # arrivals given out since the start
        self.unflushed = 0  # moments given out that are in no checkpoint yet
        self.stalled = False  # input is held because the reference source is behind
        self.queued = False  # the agent was sent this lane and has not taken its moments yet
        self.open = True
        self.flush_if_due = flush_if_due
        self._options, self._progress = options, progress
        self.clock = LaneClock(options, sources, progress)
        self.due = DueTimers(table.timers, self.clock)
        self._on_give_up = on_give_up
        self._inside = False
        self._rows_to_follow: dict[bytes, None] = {}  # rows whose records have left before them
        self._committed: CommitPoints = {}
        self._checkpoint: Checkpoint | None = None

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: SentHeaders | None = None,
        partition: int | None = None,
        *,
        row: bytes | None = None,
    ) -> None:
        """Send a record with this flush. Without a partition the key chooses one, as in Java's client.

        `row` is the key of the row whose outbox holds the record: the two need not wait for other rows.
        """
        self.outgoing.append(Outgoing(topic, key, value, headers, partition, row))

    def write_beside(self, beside_row: BesideRow) -> None:
        """Ask this of each row that a batch takes, and send what it returns with the same batch."""
        self.table.before_writing = partial(beside_row, self)

    def offer_outgoing(self, send: Callable[[list[Outgoing]], list[Outgoing]]) -> None:
        """Let `send` take what may leave before its rows; it returns the records that must wait."""
        kept = send(self.outgoing)
        if kept is not self.outgoing:
            self._rows_to_follow |= rows_of(self.outgoing)
            self.outgoing = kept

    def delete_after(self, key: bytes, state: State, after: Mapping[str, int]) -> None:
        """Put a row that is no longer needed; it is deleted once its input up to `after` (topic -> offset, as
        `Codec.applied` would give it) is committed. A later `put` of the row keeps it."""
        self.table.delete_after(key, state, self.flush_number, after)

    def moments(self) -> Iterator[Moment]:
        """All that can be applied now, in order of time. Read it to its end, or until the lane is closed."""
        self.queued = False
        if not self.open:
            return
        assert not self._inside, "the moments of a lane were left before their end"
        self._inside = True
        yield from self._unsent()
        timers, due = self.table.timers, self.due
        yield from self._counted(due.left_waiting())
        while batch := self._next_arrivals():
            self.clock.note_overtaken(batch)
            reached_ms = due.reached_ms
            for arrival in batch:
                if timers.earliest_ms <= arrival.order_ms or timers.earliest_ms <= reached_ms:
                    yield from self._counted(due.before(arrival))
                yield arrival
            self.unflushed += len(batch)
            self.applied_count += len(batch)
            self.clock.arrived(batch[-1].order_ms)
            yield from self._counted(due.after(len(batch)))
        yield from self._counted(due.at_rest())
        self._inside = False

    @property
    def busy(self) -> bool:
        """The agent is in the middle of the moments: there is no whole state to flush."""
        return self._inside

    def _unsent(self) -> Iterator[Moment]:
        unsent, self.table.unsent = self.table.unsent, {}
        for key, flush in unsent.items():
            if flush > self.committed_flush:
                self.unflushed += 1
                self.table.owed[flush].append(key)
                yield Unsent(key)
        for key in self.table.rewrite_void(self.flush_number):
            self.unflushed += 1
            yield Unsent(key)

    def _next_arrivals(self) -> list[Arrival]:
        limit_ms = self._progress.hold_after_ms
        options, missing = self._options, [source for source in self.sources if source.given_up]
        waits_for_senders = options.merge_wait_s and self.clock.in_history
        batch = merge_ready(
            self.sources,
            self._progress.clocks.monotonic_s(),
            options.max_idle_s,
            limit_ms,
            options.merge_wait_s,
            sent_until_ms=self._progress.sent_until_ms if waits_for_senders else FOREVER_MS,
        )
        for source in self.sources:
            if source.given_up and source not in missing:
                self._on_give_up(source.topic)
        self.stalled = any(
            source.pending and source.pending[0].order_ms > limit_ms for source in self.sources
        )
        return by_key_within_instants(batch)

    def _counted(self, timers: Iterator[Timer]) -> Iterator[Timer]:
        for timer in timers:
            self.unflushed += 1
            yield timer

    @property
    def clock_ms(self) -> int | None:
        """The event time that the lane has reached."""
        return self.clock.time_ms

    def may_have_moments(self) -> bool:
        """There may be something to give out although no record came: by the passing of time alone."""
        if self._starting or self.due.waiting or any(source.pending for source in self.sources):
            return True
        limit_ms = self.clock.idle_limit_ms()
        return limit_ms is not None and self.table.timers.earliest_ms <= limit_ms

    @property
    def _starting(self) -> bool:
        """What the start found has not been given out and rewritten yet (rule 8)."""
        return bool(self.table.unsent or self.table.void)

    @property
    def dirty(self) -> bool:
        """Something waits for a flush (rule 5)."""
        if self._starting:
            return False
        return bool(self.unflushed or self.outgoing or self.table.unwritten_count) or any(
            point.offset != source.applied or point.live != self.clock.live
            for source in self.sources
            if (point := self._committed[source.tp])
        )

    @property
    def has_outbox_records(self) -> bool:
        """A record of some row's outbox waits to be sent, or was sent and its row must follow (rule 7)."""
        return bool(self._rows_to_follow) or any(each.row is not None for each in self.outgoing)

    @property
    def uncommitted(self) -> int:
        """Moments given out whose commit is not under way yet."""
        return self.unflushed + (self._checkpoint.moments if self._checkpoint is not None else 0)

    @property
    def partly_written(self) -> bool:
        """Some rows of a checkpoint are written, and others are not."""
        return self._checkpoint is not None

    def take_batch(self, row_limit: int) -> FlushBatch:
        """Rows with records in their outbox, and at most `row_limit` rows of the checkpoint (rules 6, 7)."""
        outgoing = [each for each in self.outgoing if each.row is not None]
        self.outgoing = [each for each in self.outgoing if each.row is None]
        if self._checkpoint is None and row_limit > 0:
            self._checkpoint = Checkpoint(self.commit_points(), self.outgoing, self.unflushed)
            self.outgoing, self.unflushed = [], 0
            self.table.checkpoint()
        owed = dict.fromkeys(self.table.owed.pop(self.flush_number, ()))
        rows = self.table.take_rows_of(owed | self._rows_to_follow | rows_of(outgoing))
        self._rows_to_follow = {}
        rows += self.table.take_rows(max(0, row_limit - len(rows)))
        points = self._committed
        if self._checkpoint is not None and not self.table.checkpoint_left:
            points, outgoing = self._checkpoint.points, self._checkpoint.records + outgoing
            self._checkpoint = None
            self.table.owed.clear()
        flush, written = self.flush_number, self.table.position + len(rows)
        self.flush_number += 1
        points = {tp: point._replace(flush=flush, rows=written) for tp, point in points.items()}
        return FlushBatch(
            self.partition, self.table.epoch, flush, rows, outgoing + self.table.take_beside(), points
        )

    def commit_points(self) -> CommitPoints:
        """What may be committed when all that waits now is durable."""
        return {source.tp: self._commit_point(source) for source in self.sources}

    def _commit_point(self, source: Source) -> CommitPoint:
        topic_id, live = self._committed[source.tp].topic_id, self.clock.live
        times = self.clock_ms, source.given_ms
        return CommitPoint(source.applied, self.flush_number, *times, 0, topic_id, live, source.last_given)

    def start_at(self, points: CommitPoints) -> None:
        """Go on where the committed points left off. There must be one for each input."""
        for source in self.sources:
            point = self._committed[source.tp] = points[source.tp]
            source.expected = point.offset
            source.seen_ms = source.given_ms = point.given_ms
            source.last_given = point.last_read
            self.committed_flush = max(self.committed_flush, point.flush)
            self.table.written = max(self.table.written, point.rows)
        self.clock.start(self._committed)
        self.due.start()
        self._progress.note_committed(self._committed)
        self.flush_number = self.committed_flush + 1
        self._delete_committed()

    def committed_offset(self, topic: str) -> int:
        """The first offset of an input that would be read again after a crash now."""
        return self._committed[PartitionId(topic, self.partition)].offset

    def note_durable(self, batch: FlushBatch) -> None:
        """A batch of this lane is acknowledged and its points are committed."""
        self.table.position += len(batch.rows)  # at least: markers of transactions occupy offsets as well
        self.table.store_written(batch.rows)
        self.committed_flush = batch.flush
        self._committed.update(batch.points)
        self._delete_committed()

    def _delete_committed(self) -> None:
        if self.table.deletions:
            offsets = {tp.topic: point.offset for tp, point in self._committed.items()}
            self.table.delete_committed(self.committed_flush, offsets)

    def close(self) -> None:
        """Give out nothing any more, drop what waits, and close the table."""
        self.open = False
        self.table.close()
