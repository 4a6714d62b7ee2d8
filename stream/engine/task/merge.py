"""The input topics of one partition number, merged by event time. Pure: no clock, no Kafka.

Each topic gives out prefixes only, so what is applied never has holes. Within a topic a record goes by the
highest time seen so far, so a late one follows its predecessor. Topics are merged as far as all of them are
known: a topic that has more to come holds back what is later than its last record at hand, for `max_idle`
when nothing comes of it. One that was read to its end holds nothing back, or each record for `merge_wait`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter

from stream.engine.codec import Arrival

FOREVER_MS = 1 << 62
order_of = attrgetter("order_ms")


class Source:
    """One topic of one partition number: what arrived and was not given out yet."""

    __slots__ = (
        "arrived",
        "expected",
        "given_ms",
        "given_up",
        "highwater",
        "max_pending",
        "partition",
        "pending",
        "seen_ms",
        "topic",
        "waited_until_ms",
        "waiting_since",
    )

    def __init__(self, topic: str, partition: int, max_pending: int) -> None:
        self.topic = topic
        self.partition = partition
        self.max_pending = max_pending
        self.pending: list[Arrival] = []
        self.expected = 0  # the offset that must come next
        self.highwater = 0  # the end of the topic, as the broker told last
        self.seen_ms: int | None = None  # watermark of what arrived
        self.given_ms: int | None = None  # watermark of what was given out
        self.waiting_since: float | None = None
        self.given_up = (
            False  # so long nothing came, although more is there, that the others go on without it
        )
        self.arrived: deque[tuple[float, int]] = deque()  # when what was at hand: for merge_wait
        self.waited_until_ms = -FOREVER_MS

    @property
    def caught_up(self) -> bool:
        return self.expected >= self.highwater

    @property
    def backlog(self) -> int:
        return len(self.pending) + max(0, self.highwater - self.expected)

    @property
    def full(self) -> bool:
        return len(self.pending) >= self.max_pending

    @property
    def applied(self) -> int:
        """The next offset to apply: all before it was given out."""
        return self.pending[0].offset if self.pending else self.expected

    def add(self, arrivals: Iterable[Arrival | None], next_offset: int) -> None:
        """Records that follow each other up to `next_offset`; None was passed by."""
        seen = self.seen_ms
        append = self.pending.append
        for arrival in arrivals:
            if arrival is None:
                continue
            time_ms = arrival.time_ms
            if time_ms is not None and (seen is None or time_ms > seen):
                seen = time_ms
            arrival.order_ms = seen or 0
            append(arrival)
        self.seen_ms = seen
        self.expected = next_offset
        self.waiting_since = None
        self.given_up = False

    def note_empty_poll(self, now_s: float) -> None:
        """A fetch asked for this topic and brought nothing although more is there."""
        if self.caught_up:
            self.waiting_since = None
        elif self.waiting_since is None:
            self.waiting_since = now_s

    def waited_ms(self, now_s: float, wait_s: float) -> int:
        """The time of the last record that was at hand already `wait_s` ago, given out or not."""
        if self.pending:
            self.arrived.append((now_s, self.pending[-1].order_ms))
        while self.arrived and now_s - self.arrived[0][0] >= wait_s:
            self.waited_until_ms = self.arrived.popleft()[1]
        return self.waited_until_ms

    def take(self, bound_ms: int, through: bool) -> list[Arrival]:
        """The prefix before `bound_ms` (or up to it, `through`)."""
        cut = (bisect_right if through else bisect_left)(self.pending, bound_ms, key=order_of)
        taken = self.pending[:cut]
        if cut:
            del self.pending[:cut]
            self.given_ms = taken[-1].order_ms
        return taken


def known_until(sources: Sequence[Source], now_s: float, max_idle_s: float, merge_wait_s: float = 0) -> int:
    """The time before which every topic is known, or was waited for long enough."""
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
    waited_ms = max(source.waited_ms(now_s, merge_wait_s) for source in sources)
    return min(to_come, max(at_end, waited_ms + 1))


def release(
    sources: Sequence[Source],
    now_s: float,
    max_idle_s: float,
    limit_ms: int = FOREVER_MS,
    merge_wait_s: float = 0,
) -> list[Arrival]:
    """All that can be given out now, in order of time; equal times in the order of the topics."""
    bound = known_until(sources, now_s, max_idle_s, merge_wait_s)
    if bound > limit_ms:
        bound = limit_ms + 1
    runs = [run for source in sources if source.pending and (run := source.take(bound, through=False))]
    if not runs and bound <= limit_ms and any(source.full for source in sources):
        # A whole buffer of one and the same time: waiting for its end would wait for ever.
        runs = [run for source in sources if source.pending and (run := source.take(bound, through=True))]
    if len(runs) == 1:
        return runs[0]
    return sorted(chain.from_iterable(runs), key=order_of)
