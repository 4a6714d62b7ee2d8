"""Programs to be measured: start, CPU and memory of the process tree (from /proc), and a certain end."""

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
    """CPU seconds that a process tree has used so far, and its resident bytes now."""

    cpu_s: float
    rss_bytes: int


def _stat(pid: str) -> tuple[int, int, int] | None:
    """Parent, CPU ticks with those of ended children, resident pages (proc(5)); None when it has ended."""
    try:
        fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(int(field) for field in fields[11:15]), int(fields[21])


def usage(root: int) -> Usage:
    """CPU seconds and resident bytes of a process and all its descendants."""
    seen = {int(pid): stat for pid in os.listdir("/proc") if pid.isdigit() and (stat := _stat(pid))}
    tree = {root}
    for pid in sorted(seen):  # children have larger ids, except after a wrap-around: two passes suffice
        if seen[pid][0] in tree:
            tree.add(pid)
    for pid, stat in seen.items():
        if stat[0] in tree:
            tree.add(pid)
    found = [seen[pid] for pid in tree if pid in seen]
    pages = sum(stat[2] for stat in found)
    return Usage(sum(stat[1] for stat in found) / TICKS_PER_S, pages * os.sysconf("SC_PAGE_SIZE"))


def _end_with_parent() -> None:
    """Kill this program when the bench is killed (prctl PR_SET_PDEATHSIG = 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Program:
    """A running program in a session of its own, its output in a file."""

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
        """SIGKILL to the whole session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(30)

    def stop(self, grace_s: float = 10) -> None:
        """SIGTERM, and after `grace_s` SIGKILL for what still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_s)
        self.kill()
