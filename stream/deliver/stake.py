"""What is at stake as delivery reads it of an alert: for what is decided by, and for what tools get."""

from __future__ import annotations

from msgspec import Struct

from stream.core.value.swanson import mean_of


class StakeRead(Struct, frozen=True):
    """The value at risk, in minor units of its currency: percentiles of what such customers bring."""

    p10_minor: int
    p50_minor: int
    p90_minor: int
    currency: str = ""

    @property
    def mean_minor(self) -> int:
        """The mean, which is the amount that the words of the alert state."""
        return round(mean_of(self.p10_minor, self.p50_minor, self.p90_minor))
