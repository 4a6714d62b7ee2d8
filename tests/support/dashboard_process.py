"""`stream dashboard` as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def dashboard_process(*words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process with these arguments, on any free port, and its address; it is killed at the end."""
    command = [sys.executable, "-m", "stream", "dashboard", *map(str, words), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("The dashboard is at http://127.0.0.1:"), process.communicate()
            yield process, line.split()[4]
        finally:
            process.kill()


def fetched(address: str) -> str:
    """The text of a page."""
    with urllib.request.urlopen(address) as answer:
        text: str = answer.read().decode()
    return text
