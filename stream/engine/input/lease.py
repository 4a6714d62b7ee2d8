"""How long the group surely keeps our partitions for us: who is not certain of that does not write.

The coordinator gives a member up one session after it last heard of it. So a lease lasts for most of a
session from the moment at which an *answered* heartbeat was asked; a frozen or cut-off process wakes up
without one.
"""

from __future__ import annotations

import time

LEASE_SHARE = 0.8  # of the session: what is left is for writes under way


class Lease:
    """Renewed in the consumer's thread, looked at in any other."""

    def __init__(self, session_timeout_s: float) -> None:
        self._length_s = session_timeout_s * LEASE_SHARE
        self._renewed_at = -self._length_s

    def renew(self, asked_at: float) -> None:
        """The coordinator knew us as a member after `asked_at` (time.monotonic)."""
        self._renewed_at = max(self._renewed_at, asked_at)

    @property
    def age_s(self) -> float:
        return time.monotonic() - self._renewed_at

    @property
    def holds(self) -> bool:
        return self.age_s < self._length_s
