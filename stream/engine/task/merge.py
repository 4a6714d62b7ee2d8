"""The input topics of one partition number, merged by event time. No Kafka and no clock: time is an argument.

1. Each topic gives out prefixes only, so what was applied of it has no holes.
2. A record counts with the highest event time of its topic so far (`order_ms`): a late one, or one that is no
   event, follows directly after the record before it. Before the first event of its topic it comes first.
3. Records are given out up to the time until which all topics are known. A topic of which Kafka has more is
   known up to the last record at hand; one that was read to its end holds nothing back.
4. When a topic of which Kafka has more delivers nothing for `max_idle_s`, the others go on without it.
5. With `merge_wait_s` a record also waits so long for topics that were read to their end: a later record of
   theirs may have an earlier event time.
6. Records of one instant (`order_ms`) are given out together as far as Kafka has them, those of one key next
   to each other, whatever topics, fetches and offsets they come from (task/instants.py).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter

from stream.engine.codec import Arrival
from stream.engine.partition_id import PartitionId
from stream.engine.task.commit_point import LastRead
from stream.engine.units import FOREVER_MS

order_of = attrgetter("order_ms")

INSTANT_BUFFERS = 20
"""How many times `max_pending` records may wait when all are of one instant, as in data that knows days only.
An instant with still more records in one input partition is given out in parts."""


class Source:
    """One topic of one partition number, and its records that were read and not given out yet."""

    __slots__ = (
        "_read",
        "arrived",
        "expected",
        "given_ms",
        "given_up",
        "highwater",
        "last_given",
        "max_pending",
        "partition",
        "pending",
        "seen_ms",
        "topic",
        "tp",
        "waited_until_ms",
        "waiting_since",
    )

    def __init__(self, topic: str, partition: int, max_pending: int) -> None:
        self.topic = topic
        self.partition = partition
        self.tp = PartitionId(topic, partition)
        self.max_pending = max_pending
        self.pending: list[Arrival] = []
        self.expected = 0  # the offset that must be read next
        self.highwater = 0  # the end of what may be read, as the broker reported it last
        self.seen_ms: int | None = None  # the highest event time that was read
        self.given_ms: int | None = None  # the highest event time that was given out
        self.waiting_since: float | None = None  # when fetches began to bring nothing although there is more
        self.given_up = False  # that lasted for max_idle_s: the other topics no longer wait
        self.arrived: deque[tuple[float, int]] = deque()
        """For merge_wait: (when, until which time the records at hand had begun to wait by then)."""
        self.waited_until_ms = -FOREVER_MS
        self.last_given: LastRead | None = None  # the last record that was given out or skipped
        self._read: deque[tuple[int, int]] = deque()  # those after it

    @property
    def caught_up(self) -> bool:
        """Whether every record of this topic and partition was read, to the end that Kafka reported last."""
        return self.expected >= self.highwater

    @property
    def backlog(self) -> int:
        """Records that Kafka has and that were not given out yet."""
        return len(self.pending) + max(0, self.highwater - self.expected)

    @property
    def full(self) -> bool:
        """So many records wait that no more should be fetched; more of them if all are of one instant."""
        count = len(self.pending)
        if count < self.max_pending:
            return False
        return count >= self.max_pending * INSTANT_BUFFERS or (
            self.pending[0].order_ms != self.pending[-1].order_ms
        )

    @property
    def applied(self) -> int:
        """The offset of the next record to give out."""
        return self.pending[0].offset if self.pending else self.expected

    def add(self, arrivals: Iterable[Arrival | None], next_offset: int) -> None:
        """Records that follow each other, up to `next_offset`; None stands for one that was skipped."""
        seen = self.seen_ms
        append = self.pending.append
        for arrival in arrivals:
            if arrival is None:
                continue
            time_ms = arrival.time_ms
            if time_ms is not None and (seen is None or time_ms > seen):
                seen = time_ms
            arrival.order_ms = -FOREVER_MS if seen is None else seen
            append(arrival)
        self.seen_ms = seen
        self.expected = next_offset
        self.waiting_since = None
        self.given_up = False

    def note_read(self, records: Iterable[tuple[int, int]]) -> None:
        """As `LastRead` the records of which `add` was told, those that were skipped included."""
        self._read.extend(records)
        self._note_given()

    def _note_given(self) -> None:
        read, applied = self._read, self.applied
        last = None
        while read and read[0][0] < applied:
            last = read.popleft()
        if last is not None:
            self.last_given = LastRead(*last)

    def note_empty_poll(self, now_s: float) -> None:
        """A fetch asked for this partition and brought none of its records."""
        if self.caught_up:
            self.waiting_since = None
        elif self.waiting_since is None:
            self.waiting_since = now_s

    def waited_ms(self, now_s: float, wait_s: float, sent_until_ms: int) -> int:
        """The `order_ms` of the last record that was at hand `wait_s` ago, given out since or not; at most
        what `sent_until_ms` was then."""
        if self.pending:
            self.arrived.append((now_s, min(self.pending[-1].order_ms, sent_until_ms)))
        while self.arrived and now_s - self.arrived[0][0] >= wait_s:
            self.waited_until_ms = self.arrived.popleft()[1]
        return self.waited_until_ms

    def take(self, bound_ms: int, through: bool) -> list[Arrival]:
        """Take out the records before `bound_ms`, or with `through` those up to and including it."""
        cut = (bisect_right if through else bisect_left)(self.pending, bound_ms, key=order_of)
        taken = self.pending[:cut]
        if cut:
            del self.pending[:cut]
            if taken[-1].order_ms > -FOREVER_MS:
                self.given_ms = taken[-1].order_ms
            self._note_given()
        return taken


def known_until(
    sources: Sequence[Source],
    now_s: float,
    max_idle_s: float,
    merge_wait_s: float = 0,
    *,
    sent_until_ms: int = FOREVER_MS,
) -> int:
    """The time before which every topic is known, or was waited for long enough (rules 3 to 6)."""
    to_come = at_end = FOREVER_MS
    for source in sources:
        if source.caught_up:
            source.given_up = False
            at_end = min(at_end, -FOREVER_MS if source.seen_ms is None else source.seen_ms)
            continue
        since = source.waiting_since
        source.given_up = since is not None and now_s - since >= max_idle_s and not source.full
        if not source.given_up:
            last_ms = source.pending[-1].order_ms if source.pending else source.seen_ms
            to_come = min(to_come, -FOREVER_MS if last_ms is None else last_ms)
    if not merge_wait_s:
        return to_come
    waited_ms = max(source.waited_ms(now_s, merge_wait_s, sent_until_ms) for source in sources)
    return min(to_come, max(at_end, waited_ms + 1))


def _is_stuck(source: Source, bound: int) -> bool:
    """All that waits is of one instant, there is more of it, and there is no room for that."""
    return source.full and not source.caught_up and source.pending[-1].order_ms == bound


def merge_ready(
    sources: Sequence[Source],
    now_s: float,
    max_idle_s: float,
    limit_ms: int = FOREVER_MS,
    merge_wait_s: float = 0,
    *,
    sent_until_ms: int = FOREVER_MS,
) -> list[Arrival]:
    """Take out all that can be given out now, in order of time; equal times in the order of `sources`.

    Nothing later than `limit_ms` is taken. `now_s` is a monotonic time in seconds.
    """
    bound = known_until(sources, now_s, max_idle_s, merge_wait_s, sent_until_ms=sent_until_ms)
    if bound > limit_ms:
        bound = limit_ms + 1
    runs = [run for source in sources if source.pending and (run := source.take(bound, through=False))]
    if not runs and bound <= limit_ms and any(_is_stuck(source, bound) for source in sources):
        # A full buffer of one instant: nothing more is fetched, so its end would never come.
        runs = [run for source in sources if source.pending and (run := source.take(bound, through=True))]
    if len(runs) == 1:
        return runs[0]
    return sorted(chain.from_iterable(runs), key=order_of)
