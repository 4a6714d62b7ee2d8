"""The clock of a lane: the event time that it has reached, and what moves it while nothing arrives.

With `clock="event"` arrivals alone move it. With `clock="wall"` it depends on whether the lane is live or in
a history (docs/decisions/0016):

1.  A lane is in a history until it has become live, and afterwards from every record of the reference source
    that is dated more than LIVE_WITHIN_MS before it is read and later than all before it, until `quiet_s`
    after the last of them. Its next records may be on their way while other lanes are far ahead. So its own
    arrivals are its clock, with two exceptions:
    a) No input of the group has brought a record for `quiet_s`: the history pauses or is at its end. The
       clock moves to the highest time that any lane has given out.
    b) The lane itself got no later for ten times `quiet_s`. Its clock moves to what the lanes had given out
       that long ago, so that it does not stand still for ever beside busy lanes.
2.  A lane becomes live when all that Kafka has of it was read, nothing of a history for `quiet_s`, and the
    reference source is live in some lane of the group, or a tick of now stands for it. From then on the wall
    clock moves it, however long it is idle, also after a restart: the commit points tell.
3.  The clock is never moved further than the records that may be given out (`hold_after_ms`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stream.engine.codec import Arrival
from stream.engine.options import EngineOptions
from stream.engine.task.commit_point import CommitPoints
from stream.engine.task.group_progress import LONG_AGO_S, SETTLED_AFTER_QUIETS, GroupProgress, later
from stream.engine.task.merge import Source
from stream.engine.units import FOREVER_MS


class LaneClock:
    """Of one lane, whose inputs are `sources`. Times in seconds are monotonic, the others event time."""

    def __init__(self, options: EngineOptions, sources: Sequence[Source], progress: GroupProgress) -> None:
        self.time_ms: int | None = None  # never goes back
        self.live = False  # rule 2; never goes back
        self._by_wall = options.clock == "wall"
        self._sources = sources
        self._references = [source for source in sources if progress.is_reference(source.topic)]
        self._progress = progress
        self._seen_ms: int | None = None  # how far the reference source was read in this lane
        self._given_ms: int | None = None  # the highest time that was given out
        self._opened_s = self._later_s = progress.clocks.monotonic_s()
        """When the lane was opened, and when it gave out a record that was later than all before."""
        self._history_s = LONG_AGO_S  # when the reference source advanced by a record of a history

    def start(self, points: CommitPoints) -> None:
        """Go on where the committed points left off."""
        for point in points.values():
            self.live = self.live or point.live
            self._given_ms = later(self._given_ms, point.given_ms)
            self.time_ms = later(self.time_ms, point.clock_ms)
        self._seen_ms = self._read_until()

    def advance(self, time_ms: int) -> None:
        """Time has passed until then."""
        self.time_ms = later(self.time_ms, time_ms)

    def arrived(self, time_ms: int) -> None:
        """Records up to this time were given out; -FOREVER_MS: records without any."""
        if time_ms == -FOREVER_MS:
            return
        self.advance(time_ms)
        if self._given_ms is None or time_ms > self._given_ms:
            self._given_ms = time_ms
            self._later_s = self._progress.clocks.monotonic_s()
            self._progress.note_given(time_ms)

    def note_overtaken(self, batch: Iterable[Arrival]) -> None:
        """In a history: the first event is noted if later records were given out already. Records are in
        order of time; those that are no events come when they come."""
        first = next((each for each in batch if each.time_ms is not None), None)
        if first is None or self._given_ms is None:
            return
        if first.order_ms < self._given_ms and self.in_history:
            self._progress.overtaken.add(first.topic)

    @property
    def by_wall(self) -> bool:
        """The wall clock moves the lane."""
        return self._by_wall and not self.in_history

    @property
    def in_history(self) -> bool:
        """Rule 1."""
        return not self.live or self._since_history_s < self._progress.quiet_s

    @property
    def _since_history_s(self) -> float:
        return self._progress.clocks.monotonic_s() - max(self._history_s, self._progress.history_s)

    @property
    def caught_up(self) -> bool:
        """Every record that Kafka has was given out."""
        return all(source.caught_up and not source.pending for source in self._sources)

    def idle_limit_ms(self) -> int | None:
        """How far time has come by now although nothing arrives; None: no further than it is."""
        if not self._by_wall:
            return None
        self._look()
        if not self.caught_up:
            return None
        reached_ms = self._known_ms() if self.in_history else FOREVER_MS
        if reached_ms is None:
            return None
        return min(reached_ms, self._progress.clocks.wall_ms(), self._progress.hold_after_ms)

    def _look(self) -> None:
        """Notice a history that is being read, and that the lane becomes live."""
        progress, seen_ms = self._progress, self._read_until()
        if seen_ms != self._seen_ms:
            self._seen_ms = seen_ms
            if not progress.is_live(seen_ms):
                self._history_s = progress.clocks.monotonic_s()
        if not self.live and self._open_s >= progress.quiet_s and self._since_history_s >= progress.quiet_s:
            all_read = all(source.caught_up for source in self._sources)
            self.live = all_read and progress.is_live(progress.reference_ms)

    def _read_until(self) -> int | None:
        """How far the reference source was read in this lane."""
        until_ms = None
        for source in self._references:
            until_ms = later(until_ms, source.seen_ms)
        return until_ms

    @property
    def _open_s(self) -> float:
        return self._progress.clocks.monotonic_s() - self._opened_s

    def _known_ms(self) -> int | None:
        """Until when a lane in a history that was read to its end has every record (rules 1a and 1b)."""
        progress = self._progress
        if progress.quiet and self._open_s >= progress.quiet_s:
            return progress.newest_ms
        if progress.clocks.monotonic_s() - self._later_s >= SETTLED_AFTER_QUIETS * progress.quiet_s:
            return progress.settled_ms
        return None
