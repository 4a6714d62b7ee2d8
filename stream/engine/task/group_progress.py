"""How far all lanes of the consumer group have come, as far as one worker knows.

It knows that of its own lanes at once. Of the others it knows what their workers commit, and where their logs
end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.task.commit_point import CommitPoints
from stream.engine.units import FOREVER_MS, MS_PER_S

LIVE_WITHIN_MS = 60 * 60 * MS_PER_S
"""A record is live when it is read at most so long after its event time; others are of a history."""
SETTLED_AFTER_QUIETS = 10
"""See `settled_ms`."""
LONG_AGO_S = -1e12


def _wall_ms() -> int:
    return int(time.time() * MS_PER_S)


class Clocks(NamedTuple):
    """Where the time comes from. Tests and simulations put their own in place."""

    wall_ms: Callable[[], int] = _wall_ms
    monotonic_s: Callable[[], float] = time.monotonic


class GroupProgress:
    """Shared by the lanes of a worker. Times in seconds are monotonic, the others event time."""

    def __init__(self, options: EngineOptions, clocks: Clocks | None = None) -> None:
        self.clocks = clocks or Clocks()
        self.quiet_s = options.history_quiet_s
        self.reference_ms: int | None = None  # how far the reference source was read, ticks included
        self.newest_ms: int | None = None  # the highest time that any lane has given out
        self.history_s = LONG_AGO_S  # when the reference source advanced last by a record of a history
        self.read_s = self.clocks.monotonic_s()  # when an input brought a record, or may have
        self.overtaken: set[str] = (
            set()
        )  # topics with a record that came too late for the merge, in a history
        self.heard_after_s = 0.0  # how late it is known that a partition of another worker got a record
        self._options = options
        self._topics: dict[str, tuple[int | None, float]] = {}
        """How far each topic was read in any partition, and when it brought a record last."""
        self._settling_s = self.read_s
        self._settling_ms: int | None = None
        self._settled_ms: int | None = None
        self._ends: dict[PartitionId, int] = {}  # of the partitions of other workers

    def is_live(self, time_ms: int | None) -> bool:
        """A record of this time, read now, is live."""
        return time_ms is not None and time_ms >= self.clocks.wall_ms() - LIVE_WITHIN_MS

    def is_reference(self, topic: str) -> bool:
        """Without a reference source every input is one."""
        return self._options.reference in {None, topic}

    def note_read(self, topic: str, time_ms: int | None) -> None:
        """A topic brought records in some partition; `time_ms`: the highest event time that it had there."""
        self.read_s = self.clocks.monotonic_s()
        before_ms, _ = self._topics.get(topic, (None, 0.0))
        self._topics[topic] = later(before_ms, time_ms), self.read_s
        if self.is_reference(topic):
            self.note_reference(time_ms)

    def note_unknown(self) -> None:
        """What other workers have read is not known: as if all topics brought records."""
        self.read_s = self.clocks.monotonic_s()
        self._topics = {topic: (time_ms, self.read_s) for topic, (time_ms, _) in self._topics.items()}

    def note_reference(self, time_ms: int | None) -> None:
        """The reference source was read until then, or a tick says that it is complete until then."""
        if time_ms is not None and (self.reference_ms is None or time_ms > self.reference_ms):
            self.reference_ms = time_ms
            if not self.is_live(time_ms):
                self.history_s = self.clocks.monotonic_s()

    def note_given(self, time_ms: int | None) -> None:
        """A lane gave out a record of this time."""
        if time_ms is not None and (self.newest_ms is None or time_ms > self.newest_ms):
            self.newest_ms = time_ms

    def note_committed(self, points: CommitPoints) -> None:
        """How far other workers have come, and at its start this one."""
        for tp, point in points.items():
            self.note_given(point.given_ms)
            before_ms, read_s = self._topics.get(tp.topic, (None, self.clocks.monotonic_s()))
            self._topics[tp.topic] = later(before_ms, point.given_ms), read_s
            if self.is_reference(tp.topic):
                self.note_reference(point.given_ms)

    def note_elsewhere(self, ends: Mapping[PartitionId, int], every_s: float) -> None:
        """Where the partitions of other workers end; this is asked every so many seconds."""
        self.heard_after_s = every_s if ends else 0.0
        for tp, end in ends.items():
            if self._ends.get(tp) != end:
                self._ends[tp] = end
                self.note_read(tp.topic, None)

    @property
    def sent_until_ms(self) -> int:
        """Until when all topics are sent that are being sent; only records on their way may be earlier."""
        now_s, wait_s = self.clocks.monotonic_s(), self._options.merge_wait_s + self.heard_after_s
        times = [time_ms for time_ms, read_s in self._topics.values() if now_s - read_s < wait_s]
        return min((-FOREVER_MS if each is None else each for each in times), default=FOREVER_MS)

    @property
    def hold_after_ms(self) -> int:
        """Nothing later than this may be given out: the reference source is too far behind."""
        if self._options.reference is None or self.reference_ms is None:
            return FOREVER_MS
        return self.reference_ms + self._options.stall_after_ms

    @property
    def quiet(self) -> bool:
        """No input of the group has brought a record for `quiet_s`."""
        return self.clocks.monotonic_s() - self.read_s >= self.quiet_s

    @property
    def settled_ms(self) -> int | None:
        """What `newest_ms` was at least ten times `quiet_s` ago; if it is asked often, less than twenty."""
        now_s = self.clocks.monotonic_s()
        if now_s - self._settling_s >= SETTLED_AFTER_QUIETS * self.quiet_s:
            self._settled_ms, self._settling_ms, self._settling_s = self._settling_ms, self.newest_ms, now_s
        return self._settled_ms


def later(one: int | None, other: int | None) -> int | None:
    """The later of two times, of which any may be unknown."""
    return one if other is None or (one is not None and one >= other) else other
