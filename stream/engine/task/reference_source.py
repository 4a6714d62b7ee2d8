"""The reference source: the one input whose silence means that it failed (lane.py, rule 4)."""

from __future__ import annotations


class ReferenceSource:
    """How far the input that never pauses in normal operation has come, over all lanes of this worker."""

    __slots__ = ("watermark_ms",)

    def __init__(self) -> None:
        self.watermark_ms: int | None = None

    def advance(self, time_ms: int | None) -> None:
        """A record of this event time was read, or a tick says that the source is complete up to it."""
        if time_ms is not None and (self.watermark_ms is None or time_ms > self.watermark_ms):
            self.watermark_ms = time_ms
