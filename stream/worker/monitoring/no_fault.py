"""Lines of Faust and aiokafka that tell a fault where there is none. Each is known by its format.

- Faust, "Missing sensor state for rebalance": it keeps the time of one rebalance at a time, and two may
  overlap (faust/app/base.py). Only the measured duration is lost, which nobody reads.
- aiokafka, "Group Coordinator Request failed" with GroupCoordinatorNotAvailableError: a broker that has had
  no group yet creates the topic of the groups first, for some seconds. aiokafka asks again by itself. When
  it goes on for longer than COORDINATOR_S, it is a fault and is logged.
- aiokafka, "Marking the coordinator dead": the same broker, asked by a member that wants to join, several
  times a second. Where a coordinator that answered is lost, a line of its own names the cause (a heartbeat, a
  request that failed), and is logged at once.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

from aiokafka.errors import GroupCoordinatorNotAvailableError

MISSING_STATE = re.compile(r"\[\^-*\w+\]: Missing sensor state for rebalance( end)? #%s")
NO_COORDINATOR = "Group Coordinator Request failed: %s"
COORDINATOR_DEAD = "Marking the coordinator dead (node %s)for group %s."
COORDINATOR_S = 20.0
"""Longer than a broker needs for the topic of the groups."""
QUIET_S = 60.0
"""After so long without such a line, the next one begins another wait."""


class NoFault(logging.Filter):
    """Keeps these lines out of the log; all others pass."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds from any start; only differences count."""
        super().__init__()
        self._clock = clock
        self._first_s = self._last_s = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be logged."""
        if MISSING_STATE.fullmatch(str(record.msg)):
            return False
        return not _is_of_waiting(record) or self._lasts()

    def _lasts(self) -> bool:
        """Whether the group has been without a coordinator for long."""
        now_s = self._clock()
        if now_s - self._last_s > QUIET_S:
            self._first_s = now_s
        self._last_s = now_s
        return now_s - self._first_s > COORDINATOR_S


def _is_of_waiting(record: logging.LogRecord) -> bool:
    """Whether it tells of a group whose coordinator is not there yet."""
    if record.name != "aiokafka.consumer.group_coordinator":
        return False
    if record.msg == COORDINATOR_DEAD:
        return True
    error = record.args[0] if isinstance(record.args, tuple) and record.args else None
    return record.msg == NO_COORDINATOR and isinstance(error, GroupCoordinatorNotAvailableError)
