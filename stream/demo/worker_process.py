"""The real worker in a process of its own, configured by environment variables."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from types import TracebackType

from prometheus_client.parser import text_string_to_metric_families

from stream.demo.failure import DemoError

READY_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 60.0
COUNT_TIMEOUT_S = 10.0
"""For the worker's metrics to reach the expected number of events."""
HTTP_TIMEOUT_S = 10.0
POLL_EVERY_S = 0.2
LOG_LINES_SHOWN = 15
EVENTS_METRIC = "customer_stream_events"


class WorkerProcess:
    """The worker runs inside the `with` block; at its end it is killed if it has not stopped."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile(prefix="stream-demo-worker-")  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> WorkerProcess:
        port = _free_port()
        self._url = f"http://127.0.0.1:{port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_")}
        environment |= self._environment | {"STREAM_HTTP_PORT": str(port), "STREAM_HTTP_HOST": "127.0.0.1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "stream", "worker"],
            env=environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C reaches only this process, which stops the worker
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def check(self) -> None:
        """Raise DemoError if the worker has ended."""
        assert self._process is not None
        code = self._process.poll()
        if code is not None:
            raise DemoError(
                f"the worker ended with exit code {code}; the end of its log:\n{self._end_of_log()}"
            )

    def wait_until_ready(self) -> None:
        """Wait until /readyz answers 200."""
        until = time.monotonic() + READY_TIMEOUT_S
        while not self._is_ready():
            self.check()
            if time.monotonic() > until:
                raise DemoError(
                    f"the worker was not ready in time; the end of its log:\n{self._end_of_log()}"
                )
            time.sleep(POLL_EVERY_S)

    def outcomes(self, expected: int) -> dict[str, int]:
        """Input records by outcome, from the metrics of the worker; waits until they add up to `expected`."""
        until = time.monotonic() + COUNT_TIMEOUT_S
        while sum((counts := self._counts()).values()) < expected and time.monotonic() < until:
            time.sleep(POLL_EVERY_S)
        return counts

    def _counts(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self._url}/metrics", timeout=HTTP_TIMEOUT_S) as answer:
            text = answer.read().decode()
        counts: dict[str, int] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == f"{EVENTS_METRIC}_total":
                    outcome = sample.labels["outcome"]
                    counts[outcome] = counts.get(outcome, 0) + int(sample.value)
        return counts

    def stop(self) -> None:
        """Stop gracefully: the worker writes and commits all its results first."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise DemoError(f"the worker did not stop; the end of its log:\n{self._end_of_log()}") from None
        if code != 0:
            raise DemoError(
                f"the worker stopped with exit code {code}; the end of its log:\n{self._end_of_log()}"
            )

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/readyz", timeout=HTTP_TIMEOUT_S) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _end_of_log(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-LOG_LINES_SHOWN:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
