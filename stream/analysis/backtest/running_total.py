"""What a customer has paid by any instant, from what they had paid before each of their purchases."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from stream.fit.upgrade_moments import UpgradeMoment


class RunningTotal(NamedTuple):
    """Money paid less refunds, in minor units; a refund counts as soon as the customer buys again."""

    times_ms: tuple[int, ...]
    """The purchases, in order, as the clock of the business shows them."""
    before_minor: tuple[int, ...]
    """What had been paid before each of them."""
    now_minor: int
    """What has been paid in all."""

    def after(self, moments: Sequence[UpgradeMoment]) -> RunningTotal:
        """The same with the purchases of earlier moments before it."""
        times = tuple(one.at_ms for one in moments)
        return RunningTotal(
            times + self.times_ms,
            tuple(one.paid_before_minor for one in moments) + self.before_minor,
            self.now_minor,
        )

    def within(self, after_ms: int, until_ms: int) -> int:
        """What was paid after one instant and up to another."""
        return self._by(until_ms) - self._by(after_ms)

    def _by(self, at_ms: int) -> int:
        place = bisect_right(self.times_ms, at_ms)
        return self.before_minor[place] if place < len(self.times_ms) else self.now_minor
