"""A lease: how long the group certainly keeps our partitions for us. Without one we do not write.

The group's coordinator removes a member one session after the last heartbeat it heard from it. So from the
moment at which an *answered* heartbeat was sent, nobody else can be in charge for one session. The lease
lasts for most of that time. A process that was frozen or cut off from the network wakes up without a lease.
(The idea is Gray and Cheriton's: Leases, SOSP 1989.)
"""

from __future__ import annotations

import time

LEASE_SHARE = 0.8  # of the session; the rest of it is for writes that are under way


class Lease:
    """Renewed in the consumer's thread, read in any other."""

    def __init__(self, session_timeout_s: float) -> None:
        self._length_s = session_timeout_s * LEASE_SHARE
        self._renewed_at = -self._length_s

    def renew(self, asked_at: float) -> None:
        """The coordinator answered a request that was sent at `asked_at` (time.monotonic)."""
        self._renewed_at = max(self._renewed_at, asked_at)

    @property
    def age_s(self) -> float:
        """Seconds since the last renewal."""
        return time.monotonic() - self._renewed_at

    @property
    def holds(self) -> bool:
        """No other worker can be in charge of our partitions now."""
        return self.age_s < self._length_s
