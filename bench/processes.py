"""Starts a program in a session of its own, reads CPU and memory of its tree from /proc, ends it for sure."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """What a process tree has used so far."""

    cpu_s: float
    rss_bytes: int


def _stat(pid: str) -> tuple[int, int, int] | None:
    """Parent, own ticks with those of reaped children, resident pages; None when it is gone (proc(5))."""
    try:
        fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(int(field) for field in fields[11:15]), int(fields[21])


def usage(root: int) -> Usage:
    """CPU seconds and resident bytes of a process and all its descendants."""
    seen = {int(pid): stat for pid in os.listdir("/proc") if pid.isdigit() and (stat := _stat(pid))}
    tree = {root}
    for pid in sorted(seen):  # a child's id is above its parent's but for a wrap-around: two passes do
        if seen[pid][0] in tree:
            tree.add(pid)
    for pid, stat in seen.items():
        if stat[0] in tree:
            tree.add(pid)
    found = [seen[pid] for pid in tree if pid in seen]
    pages = sum(stat[2] for stat in found)
    return Usage(sum(stat[1] for stat in found) / TICKS_PER_S, pages * os.sysconf("SC_PAGE_SIZE"))


def _end_with_parent() -> None:
    """A bench that is killed takes its programs along (prctl PR_SET_PDEATHSIG = 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Program:
    """A running program with its output in a file."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  (one thread here)
            )
        self.pid = self._process.pid

    def exit_code(self) -> int | None:
        return self._process.poll()

    def tail(self, lines: int = 12) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def kill(self) -> None:
        """SIGKILL to the whole session: no goodbye."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(30)

    def stop(self, grace_s: float = 10) -> None:
        """SIGTERM, and SIGKILL for what is left after the grace."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_s)
        self.kill()
