"""Quiet hours: nothing that makes somebody contact a customer is sent at night; the end of an episode is.

An alert that comes then waits until they are over.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from msgspec import Struct


class QuietHours(Struct, frozen=True):
    """From a minute of the local day to another one, which may be on the next day: 21:00 to 08:00."""

    from_minute: int
    to_minute: int
    zone: tzinfo

    def holds(self, at_ms: int) -> bool:
        """Whether an instant is within them. The first minute is quiet, the last one is not."""
        return self._quiet(self._local(at_ms))

    def over_ms(self, at_ms: int) -> int:
        """The instant from which they are over; `at_ms` itself when it is not within them.

        In a night in which clocks are changed it may be up to an hour later than needed, never earlier.
        """
        while self.holds(at_ms):
            local = self._local(at_ms)
            hour, minute = divmod(self.to_minute, 60)
            end = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
            if end <= local:  # compared by the wall clock: both have the same zone
                end += timedelta(days=1)
            ends_ms = int(end.timestamp() * 1_000)
            at_ms = ends_ms if ends_ms > at_ms else at_ms + 60_000
        return at_ms

    def _local(self, at_ms: int) -> datetime:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(self.zone)

    def _quiet(self, local: datetime) -> bool:
        minute = 60 * local.hour + local.minute
        if self.from_minute < self.to_minute:
            return self.from_minute <= minute < self.to_minute
        return minute >= self.from_minute or minute < self.to_minute
