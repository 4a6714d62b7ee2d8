"""How many events of an import the brokers have acknowledged, so that a stopped import can continue."""

from __future__ import annotations

import json
from pathlib import Path


class Journal:
    """A small JSON file. It stays after the import: running the same import again then sends nothing."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        """`fingerprint` names files, mapping and target; a journal of another import counts as empty."""
        self._path = path
        self._fingerprint = fingerprint
        self.sent = self._read()

    def _read(self) -> int:
        try:
            entry = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return 0
        return int(entry["sent"]) if entry.get("import") == self._fingerprint else 0

    def write(self, sent: int) -> None:
        """Note that the first `sent` events, in their order, have been acknowledged."""
        partial = self._path.with_name(self._path.name + ".part")
        partial.write_text(json.dumps({"import": self._fingerprint, "sent": sent}))
        partial.replace(self._path)
        self.sent = sent
