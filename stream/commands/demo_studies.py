"""Report and backtest of the year that was played, for the pages of the demo that need a whole history.

They are the commands that anybody would run on the events of their own, in a process beside the page.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from stream.core.events.event import Event
from stream.demo.run import MODEL
from stream.wire import encode_event

HORIZON_DAYS = 56
"""What the backtest looks ahead: eight weeks, two of its months."""
DAYS_MIN = 180
"""Of a shorter play there is no backtest: too little to learn from is left before its horizon."""
WAITING = (
    "Not computed yet. This takes the whole history: the demo computes it when the year is over, which takes "
    "a minute or two."
)


class DemoStudies:
    """Keeps the events that are played, and publishes what studies say of them, in a folder of its own."""

    def __init__(self) -> None:
        self._kept = tempfile.TemporaryDirectory(prefix="stream-demo-")
        self.folder = Path(self._kept.name)
        self._path = self.folder / "year.jsonl"
        self._file = self._path.open("wb")
        self._days: set[date] = set()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._ended = False
        self.problem = ""
        """Why a study was not published, in its own words."""

    def heard(self, event: Event) -> None:
        """An event that is played."""
        self._file.write(encode_event(event) + b"\n")
        self._days.add(event.time.date())

    def begin(self, published: Callable[[], None]) -> None:
        """Everything was heard: report and backtest are computed, one after the other; `published` is called
        after each."""
        self._file.close()
        work = partial(self._publish, published)
        self._thread = threading.Thread(target=work, name="demo-studies", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Whether both are done within so many seconds."""
        if self._thread is None:
            return False
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def close(self) -> None:
        """End what still runs, and keep nothing."""
        self._ended = True
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        if self._thread is not None:
            self._thread.join(10)
        self._file.close()
        self._kept.cleanup()

    def _publish(self, published: Callable[[], None]) -> None:
        for words in self._commands():
            if self._ended or not self._run(words):
                return
            published()

    def _commands(self) -> list[Sequence[str]]:
        """The calls of `stream`."""
        publish = "--publish", str(self.folder), "--jobs", "1"
        calls: list[Sequence[str]] = [("report", str(self._path), "--model", str(MODEL), *publish)]
        if self._days and (max(self._days) - min(self._days)).days >= DAYS_MIN:
            split = max(self._days) - timedelta(days=HORIZON_DAYS + 1)
            horizon = f"{HORIZON_DAYS}d"
            calls.append(("backtest", str(self._path), "--split", f"{split}", "--horizon", horizon, *publish))
        return calls

    def _run(self, words: Sequence[str]) -> bool:
        call = [sys.executable, "-m", "stream", *words]
        self._process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        _, output = self._process.communicate()
        if self._process.returncode and not self._ended:
            self.problem = f"stream {words[0]}: {(output.strip().splitlines() or ['it ended'])[-1]}"
        return not self._process.returncode
