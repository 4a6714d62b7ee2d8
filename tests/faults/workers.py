"""Toy workers as processes: started, killed, frozen, stopped; and how far their group has committed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.support.kafka_broker import create_topics
from tests.support.toy_app import TOPICS

ROOT = Path(__file__).parent.parent.parent
PARTITIONS = 4


def make_topics(bootstrap: str, prefix: str, partitions: int = PARTITIONS) -> None:
    create_topics(bootstrap, [f"{prefix}.{name}" for name in TOPICS], partitions)
    create_topics(bootstrap, [f"{prefix}.alerts", f"{prefix}.deadletter"], partitions)
    # Without compaction, so that the verifier sees every row that was ever written.
    create_topics(bootstrap, [f"{prefix}.rows"], partitions)


ALL: list[ToyWorker] = []
"""Every worker that this process started. tests/conftest.py kills those that a test leaves running."""


class ToyWorker:
    """One worker process."""

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        log: Path,
        *,
        file_bytes_max: int | None = None,
        slow_s: float = 0.0,
        clock_offset_s: int = 0,
        rows_at_once: int = 0,
        hold: tuple[str, Path] | None = None,
        **options: Any,
    ) -> None:
        self.log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        command = [
            sys.executable,
            "-m",
            "tests.support.toy_app",
            "--bootstrap",
            bootstrap,
            "--prefix",
            prefix,
        ]
        command += ["--options", json.dumps(options), "--slow-s", str(slow_s)]
        command += ["--clock-offset-s", str(clock_offset_s), "--rows-at-once", str(rows_at_once)]
        if hold is not None:
            command += ["--hold", hold[0], str(hold[1])]
        if file_bytes_max is not None:  # no log then: the limit would hold for its file, too
            command = ["bash", "-c", f'ulimit -f {file_bytes_max // 1024}; exec "$@"', "-", *command]
        with log.open("ab") as output:
            place = output if file_bytes_max is None else subprocess.DEVNULL
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=place, stderr=place)
        ALL.append(self)

    def send(self, what: signal.Signals) -> None:
        self.process.send_signal(what)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def wait_until_open(self, times: int = 1, timeout_s: float = 60) -> None:
        """Wait until it has opened lanes so many times: it got partitions and recovered their rows."""
        until = time.monotonic() + timeout_s
        while self.times_open < times:
            assert self.running, f"the worker exited with {self.process.returncode}"
            assert time.monotonic() < until, f"no lanes were opened in {timeout_s} s"
            time.sleep(0.1)

    @property
    def partitions(self) -> set[int]:
        """The partitions of the lanes that it opened last."""
        found = re.findall(r"lanes are open: partitions \[([\d, ]*)\]", self._log_text)
        return {int(number) for number in found[-1].split(",")} if found else set()

    def wait_until_owner(self, count: int, timeout_s: float = 60) -> None:
        """Wait until it has opened the lanes of so many partitions at once."""
        until = time.monotonic() + timeout_s
        while len(self.partitions) != count:
            assert time.monotonic() < until, f"{self.partitions} and not {count} partitions in {timeout_s} s"
            time.sleep(0.1)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()

    def stop(self, timeout_s: float = 60) -> int:
        """SIGTERM; returns the exit status."""
        self.terminate()
        return self.process.wait(timeout_s)

    def rss_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def last_log_lines(self) -> str:
        return self._log_text[-2_000:]

    def lines_with(self, text: str) -> list[str]:
        """The lines of its log that contain this."""
        return [line for line in self._log_text.splitlines() if text in line]

    def line_with(self, text: str) -> str:
        """The first of them."""
        return self.lines_with(text)[0]

    def wait_for_line(self, text: str, timeout_s: float = 60) -> None:
        """Wait until its log has a line that contains this."""
        until = time.monotonic() + timeout_s
        while not self.lines_with(text):
            assert self.running, f"the worker exited with {self.process.returncode}"
            assert time.monotonic() < until, (
                f"no line with {text!r} in {timeout_s} s: {self.last_log_lines()}"
            )
            time.sleep(0.1)

    @property
    def _log_text(self) -> str:
        """What this process has logged; the file may hold the log of earlier ones."""
        return self.log.read_bytes()[self._log_start :].decode(errors="replace")

    @property
    def times_open(self) -> int:
        return self._log_text.count("lanes are open")

    @property
    def running(self) -> bool:
        return self.process.poll() is None


class Progress:
    """How many inputs the group has committed."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int = PARTITIONS) -> None:
        self._reader = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{prefix}-app", "log_level": 0})
        self._places = [
            TopicPartition(f"{prefix}.{name}", number) for name in TOPICS for number in range(partitions)
        ]

    def committed(self) -> int:
        try:
            return sum(max(0, place.offset) for place in self._reader.committed(self._places, 10))
        except KafkaException:
            return -1  # the group has no coordinator for a moment

    def wait_for(self, count: int, timeout_s: float = 120) -> None:
        until = time.monotonic() + timeout_s
        while (found := self.committed()) < count:
            assert time.monotonic() < until, f"{found} of {count} were committed in {timeout_s} s"
            time.sleep(0.1)

    def now(self, timeout_s: float = 120) -> int:
        """As `committed`, once the group has a coordinator."""
        self.wait_for(0, timeout_s)
        return max(0, self.committed())

    def close(self) -> None:
        self._reader.close()
