"""Receivers as processes of their own, in Python and Node, each with the library of its language."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.webhook_receiver import SECRET


class ReceiverProcess:
    """Runs for the length of a `with` block; `messages` is what it has said of each message."""

    def __init__(self, *command: str, folder: Path | None = None, failing: int = 1) -> None:
        self._command, self._folder = [*command, SECRET, str(failing)], folder
        self.messages: list[dict[str, Any]] = []

    @property
    def accepted(self) -> list[str]:
        """The ids of the messages that it took, in order."""
        return [each["id"] for each in self.messages if each["status"] == 204]

    def __enter__(self) -> ReceiverProcess:
        self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/hook"
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.messages.append(json.loads(line))

    def section(self, name: str) -> str:
        """Its section of an endpoints file."""
        return (
            f'[endpoints.{name}]\nurl = "{self.url}"\nsecret_env = "RECEIVER_SECRET"\nallow_http = true\n'
            'allow_networks = ["127.0.0.0/8"]\n'
        )


def python_receiver(failing: int = 1) -> ReceiverProcess:
    return ReceiverProcess(sys.executable, "-m", "tests.support.receiver_program", failing=failing)


def node_receiver(folder: Path, failing: int = 1) -> ReceiverProcess:
    return ReceiverProcess("node", "receiver.js", folder=folder, failing=failing)
