"""How many events of an import the brokers have acknowledged, so that a stopped import can continue."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from stream.importing.files.output.outgoing import OutgoingEvent


class JournalError(Exception):
    """The file named as the journal is something else."""


class Journal:
    """A small JSON file. It stays after the import: running the same import again then sends nothing."""

    def __init__(self, path: Path, fingerprint: str, now_ms: int) -> None:
        """`fingerprint` names files, mapping and target; a journal of another import counts as empty.

        `now_ms` is the as-of time of the import; one that continues keeps that of its beginning, or other
        lines would be rejected, and the events would have other numbers.
        """
        self.now_ms = now_ms
        self._path = Path(os.path.realpath(path))
        self._partial = self._path.with_name(self._path.name + ".part")
        self._fingerprint = fingerprint
        self.sent = self._handed_over = self._read()
        self._partial.touch()  # what cannot be written is told before anything is sent
        self._partial.unlink()

    def _read(self) -> int:
        """Zero without a journal; any other file is refused before it would be replaced."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            content = b""
        with suppress(ValueError, TypeError, KeyError):
            entry = json.loads(content or b'{"import": "", "sent": 0}')
            sent = int(entry["sent"])
            if entry["import"] != self._fingerprint:
                return 0
            self.now_ms = int(entry.get("now_ms", self.now_ms))
            return sent
        raise JournalError(f"{self._path} is no journal of an import (--journal); it is left as it is")

    def begin(self, cluster_id: str, topics: tuple[str, ...]) -> None:
        """The fingerprint names the target already."""

    def is_sent(self, number: int, event: OutgoingEvent) -> bool:
        """Whether the event of this number, from 1, was acknowledged before."""
        return number <= self.sent

    def handed_over(self, number: int, event: OutgoingEvent) -> None:
        """All events up to this number are on their way."""
        self._handed_over = number

    def acknowledged(self) -> None:
        """All events that were handed over have arrived."""
        self.write(self._handed_over)

    def write(self, sent: int) -> None:
        """Note that the first `sent` events, in their order, have been acknowledged."""
        entry = {"import": self._fingerprint, "sent": sent, "now_ms": self.now_ms}
        self._partial.write_text(json.dumps(entry))
        self._partial.replace(self._path)
        self.sent = sent
