"""How far a history of events reaches: the time for which `bought nothing` is an observation.

After the last recorded purchase nobody buys, whatever customers did. So the data end with the day of the last
event (days, because many shops record only days), or with that of the last purchase where the time since then
is out of proportion: more than a day and more than twice the longest pause that the purchases had before.

All times are what the clock of the business shows (stream/fit/history.py).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from stream.core.events.event import PURCHASES, Event, PurchaseCompleted
from stream.core.units import DAY_MS

PAUSES_MAX = 2
"""A silence longer than so many of the longest earlier pauses is the end of the purchases."""
SOURCES_NAMED = 3
"""So many sources that ended early are named one by one."""


class NotCoveredError(ValueError):
    """A study needs time after the end of the data; the message says where they end, and what would fit."""


class PurchaseTimes:
    """The times of purchase events: the last one, and the longest pause between two, in milliseconds."""

    def __init__(self) -> None:
        self.last_ms = 0
        self.longest_pause_ms = 0
        self.times_ms = array("q")
        """Each time once, in order."""

    def note(self, at_ms: int) -> None:
        """Record one more purchase event, in order of time."""
        if at_ms == self.last_ms:
            return
        if self.last_ms:
            self.longest_pause_ms = max(self.longest_pause_ms, at_ms - self.last_ms)
        self.last_ms = at_ms
        self.times_ms.append(at_ms)

    def ended_by(self, at_ms: int) -> bool:
        """Whether the silence until an instant is too long to be another pause."""
        return at_ms - self.last_ms > max(DAY_MS, PAUSES_MAX * self.longest_pause_ms)

    @classmethod
    def joined(cls, parts: Iterable[PurchaseTimes]) -> PurchaseTimes:
        """The times of several, as one that has noted them all."""
        whole = cls()
        for at_ms in sorted({at_ms for part in parts for at_ms in part.times_ms}):
            whole.note(at_ms)
        return whole


class Coverage:
    """The span of a history, from its events in order of time."""

    def __init__(self) -> None:
        self.first_day_ms = 0
        """Midnight of the day of the first completed purchase; 0 when there is none."""
        self.last_event_ms = 0
        self.left_out_words: list[str] = []
        """Who is not among these events, although recorded: one sentence, or none."""
        self._purchases = PurchaseTimes()
        self._sources: dict[str, PurchaseTimes] = {}

    def note(self, event: Event, at_ms: int) -> None:
        """Record one event; `at_ms` is its time as the clock of the business shows it."""
        self.last_event_ms = max(self.last_event_ms, at_ms)
        if type(event) in PURCHASES:
            self._purchases.note(at_ms)
            self._sources.setdefault(event.source, PurchaseTimes()).note(at_ms)
            if not self.first_day_ms and type(event) is PurchaseCompleted:
                self.first_day_ms = at_ms // DAY_MS * DAY_MS

    @classmethod
    def joined(cls, parts: Sequence[Coverage]) -> Coverage:
        """The span of a history that was read in parts, each by its own customers."""
        if len(parts) == 1:
            return parts[0]
        whole = cls()
        whole.first_day_ms = min((part.first_day_ms for part in parts if part.first_day_ms), default=0)
        whole.last_event_ms = max(part.last_event_ms for part in parts)
        whole._purchases = PurchaseTimes.joined(part._purchases for part in parts)
        for source in sorted({source for part in parts for source in part._sources}):
            times = (part._sources[source] for part in parts if source in part._sources)
            whole._sources[source] = PurchaseTimes.joined(times)
        return whole

    @property
    def last_purchase_ms(self) -> int:
        """Time of the last event about a purchase, of any customer; 0 when there is none."""
        return self._purchases.last_ms

    @property
    def end_ms(self) -> int:
        """The last millisecond of the last day for which purchases are known."""
        ended = self._purchases.ended_by(self.last_event_ms)
        last_ms = self._purchases.last_ms if ended else self.last_event_ms
        return last_ms // DAY_MS * DAY_MS + DAY_MS - 1

    @property
    def end_words(self) -> str:
        """The end: `the purchases end on 2025-12-31`, and where other events end later, when they do."""
        other = f" (other events on {day(self.last_event_ms)})" if self.last_event_ms > self.end_ms else ""
        return f"the purchases end on {day(self.end_ms)}{other}"

    def require(self, split_ms: int, horizon_ms: int) -> None:
        """NotCoveredError unless the horizon after the day of `split_ms` (midnight) lies in the data."""
        split_ms = split_ms // DAY_MS * DAY_MS
        needed_ms = split_ms + DAY_MS - 1 + horizon_ms
        if needed_ms <= self.end_ms:
            return
        latest_ms, longest = self.end_ms + 1 - DAY_MS - horizon_ms, (self.end_ms - split_ms) // DAY_MS
        fits = [f"--split {day(latest_ms)} or earlier"] if latest_ms >= self.first_day_ms else []
        fits += [f"--horizon {longest}d"] if longest > 0 else []
        horizon = duration_words(horizon_ms)
        raise NotCoveredError(
            f"{self.end_words}, but --split {day(split_ms)} with --horizon {horizon} needs them up to "
            f"{day(needed_ms)}; what would fit: {', or '.join(fits) or 'nothing'}"
        )

    def last_day_ms(self, until_ms: int | None) -> int:
        """Midnight of the day up to which a study looks: that of `until_ms`, by default the last one.

        NotCoveredError when `until_ms` is after the end of the data.
        """
        if until_ms is not None and until_ms > self.end_ms:
            raise NotCoveredError(
                f"--until {day(until_ms)}: {self.end_words}, and later days would count as days on which "
                "nobody bought; name a day up to then, or leave --until out"
            )
        return (self.end_ms if until_ms is None else until_ms) // DAY_MS * DAY_MS

    def notes(self, day_ms: int) -> list[str]:
        """What a reader of a study up to the day of `day_ms` (midnight) must know of its data."""
        found = list(self.left_out_words)
        if self.last_event_ms > self.end_ms and day_ms + DAY_MS > self.end_ms:
            found.append(
                f"the purchases end on {day(self.end_ms)}, other events on {day(self.last_event_ms)}: later "
                "days are left out"
            )
        return found + self._ended_sources(day_ms + DAY_MS - 1)

    def _ended_sources(self, until_ms: int) -> list[str]:
        """The sources whose purchases ended, each by its own rhythm, before those of the others."""
        until_ms = min(until_ms, self._purchases.last_ms)
        ended = sorted(
            (times.last_ms, source)
            for source, times in self._sources.items()
            if times.longest_pause_ms and times.ended_by(until_ms)
        )
        notes = [
            f"the purchases of source {source!r} end on {day(last_ms)}, others go on: who bought there may "
            "count as lost without being so"
            for last_ms, source in ended[:SOURCES_NAMED]
        ]
        more = len(ended) - SOURCES_NAMED
        return [*notes, f"... and of {more} more sources"] if more > 0 else notes


def day(at_ms: int) -> str:
    """The day of a time as the clock shows it: `2025-12-31`."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d")


def duration_words(duration_ms: int) -> str:
    """Whole days as a duration option takes them: `26w` where they are whole weeks, else `90d`."""
    days = duration_ms // DAY_MS
    return f"{days}d" if days % 7 else f"{days // 7}w"
