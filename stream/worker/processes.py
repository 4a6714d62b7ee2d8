"""Several workers of one group as processes of one machine: started, started again, and stopped together.

Each is a whole `stream worker`: it reads its own partitions, has its own port and its own folder, and knows
nothing of the others. So whatever happens to one of them is for Kafka's group what it would be on another
machine. They end with the process that started them, even when that is killed.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

from stream.config.environment import variable
from stream.config.settings import Settings
from stream.parent_process import end_with
from stream.worker.restarts import Restarts, status_of

POLL_S = 0.05
PORT_MAX, ID_MAX = 65_535, 200

log = logging.getLogger("stream.worker.processes")


def refusal(settings: Settings, count: int) -> str:
    """Why these settings do not fit `count` workers on this machine, in one line; empty: they do."""
    if settings.brokers == "embedded":
        return "STREAM_BROKERS = embedded: that broker lives inside one worker; use a Kafka for several"
    if settings.http_port and settings.http_port + count - 1 > PORT_MAX:
        last = PORT_MAX - count + 1
        return f"STREAM_HTTP_PORT = {settings.http_port}: {count} workers need a port each, up to {last} or 0"
    last_id = differing(settings, count - 1).get(variable("instance_id"), "")
    if len(last_id) > ID_MAX:
        return f"STREAM_INSTANCE_ID: with the number of a worker it is longer than {ID_MAX} characters"
    return ""


def differing(settings: Settings, number: int) -> dict[str, str]:
    """The variables in which worker `number` (0, 1, ...) differs from the others."""
    own = {"http_port": str(settings.http_port and settings.http_port + number)}
    own["data_dir"] = str(Path(settings.data_dir) / f"worker-{number}")
    if settings.instance_id:
        own["instance_id"] = f"{settings.instance_id}-{number}"
    return {variable(name): value for name, value in own.items()}


class _Child:
    """One of the workers: its process while it runs, and the time of its next start while it does not."""

    def __init__(self, number: int, added: Mapping[str, str]) -> None:
        self.number = number
        self._added = added
        self.restarts = Restarts()
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = self.due_at = 0.0

    def start(self, now: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stream", "worker", "--number", str(self.number)],
            env={**os.environ, **self._added},
            preexec_fn=partial(end_with, os.getpid(), signal.SIGTERM),  # noqa: PLW1509  # this process has one thread
            process_group=0,  # Ctrl-C on a terminal is for the parent, which stops all
        )
        self.started_at = now

    def tell(self, what: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(what)


class WorkerGroup:
    """`count` workers; `run` returns when all have ended."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._children = [_Child(number, differing(settings, number)) for number in range(count)]
        self._status = 0
        self._stopping = False

    def run(self) -> int:
        """Keep all running until a signal or a worker that cannot be helped; the exit status.

        It is 0 when all stopped as told, else that of the worker that ended all, or failed in its stop.
        """
        for what in (signal.SIGTERM, signal.SIGINT):
            signal.signal(what, self._on_signal)
        log.info("starting %d workers", len(self._children))
        while self._children:
            now = time.monotonic()
            for child in list(self._children):
                self._look_at(child, now)
            time.sleep(POLL_S)
        return self._status

    def _on_signal(self, what: int, _frame: FrameType | None) -> None:
        self._stop_all(what)

    def _stop_all(self, what: int = signal.SIGTERM) -> None:
        self._stopping = True
        for child in self._children:
            with suppress(ProcessLookupError):
                child.tell(what)

    def _look_at(self, child: _Child, now: float) -> None:
        """Start it if that is due; if it has ended, decide what follows."""
        if child.process is None:
            if self._stopping:
                self._children.remove(child)
            elif now >= child.due_at:
                child.start(now)
                if self._stopping:  # the signal came while it was being started, and went to the others only
                    child.tell(signal.SIGTERM)
            return
        code = child.process.poll()
        if code is None:
            return
        child.process = None
        if self._stopping:
            in_its_start = (
                code == -signal.SIGTERM
            )  # a worker that runs answers the signal with an orderly stop
            self._status = self._status or (0 if in_its_start else status_of(code))
            self._children.remove(child)
            return
        pause_s = child.restarts.pause_s(code, now - child.started_at)
        if pause_s is None:
            log.critical("worker %d ended with %d; the others are stopped", child.number, code)
            self._status = status_of(code)
            self._stop_all()
            return
        log.error("worker %d ended with %d; it is started again in %.0f s", child.number, code, pause_s)
        child.due_at = now + pause_s
