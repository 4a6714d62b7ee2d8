"""The seal of a store on disk: it names what the store held when it was closed cleanly.

A store is used without reading its whole changelog, so it must be the one that the seal was written for: the
same files, of this partition, of this changelog and not of an older one of its name. A backup of which only
a part was put back is not.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import msgspec

TRUSTED_S = 12 * 3_600
"""Half of the day for which compaction keeps a tombstone (delete.retention.ms): a store that was closed for
longer may miss a deletion, and would keep the row for ever."""
WHOLE = ("CURRENT", "IDENTITY", "MANIFEST-")
"""RocksDB's small files. The manifest lists all others, with an id of each."""
TABLE_SUFFIXES = {".sst", ".log"}
TAIL_BYTES = 4_096
"""The end of a table of rows holds its properties, among them an id that no other table has."""


class Seal(msgspec.Struct, frozen=True):
    """What is written when a store is closed. The position and epoch are those of Store."""

    identity: str  # application, changelog and partition
    changelog_id: str  # Kafka's id of the changelog; empty: not known
    contents: str
    position: int
    epoch: int
    closed_s: float  # since 1970

    def misfit(self, identity: str, changelog_id: str, rows: Path) -> str:
        """Why the store in `rows` cannot be trusted under this seal; empty: it can."""
        closed_for_s = time.time() - self.closed_s
        if self.identity != identity:
            return f"it belongs to {self.identity}, and not to {identity}"
        if self.changelog_id != changelog_id and self.changelog_id and changelog_id:
            return f"its changelog was created again (it had the id {self.changelog_id}, now {changelog_id})"
        if not 0 <= closed_for_s <= TRUSTED_S:
            return f"it was closed {closed_for_s / 3_600:.0f} hours ago, and may miss deletions since then"
        if self.contents != contents_of(rows):
            return "its files are not those of its seal; was a part of a backup put back?"
        return ""


def read_seal(path: Path) -> Seal | None:
    """The seal in this file; None: it is incomplete, or of a version that named no contents."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Seal)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_seal(path: Path, seal: Seal) -> None:
    """As a whole or not at all."""
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(msgspec.structs.asdict(seal)))
    unfinished.rename(path)


def contents_of(rows: Path) -> str:
    """What tells one state of a database from any other: names, sizes and identities of its files.

    Rows are not read: a table never changes under its id.
    """
    seen = hashlib.blake2b(digest_size=16)
    for path in sorted(rows.iterdir()) if rows.is_dir() else ():
        is_table = path.suffix in TABLE_SUFFIXES
        if not (is_table or path.name.startswith(WHOLE)):
            continue
        size = path.stat().st_size
        seen.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            file.seek(max(0, size - TAIL_BYTES) if is_table else 0)
            seen.update(file.read())
    return seen.hexdigest()
