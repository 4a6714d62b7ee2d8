"""The epoch of a changelog's writer, which makes the rows of a replaced worker recognizable.

Used with at least once only. A new owner of a partition writes a record that begins its epoch, and every row
names the epoch of its writer in a header. A row of an earlier epoch behind that record is void: a worker
wrote it that had been replaced already (docs/decisions/0007). With exactly once rows have no epoch, as the
broker itself refuses the transactions of a replaced worker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

EPOCH_HEADER = "epoch"
DIGITS = re.compile(rb"[0-9]{1,18}")
FENCE_KEY = b"\x00writer"
"""A tombstone with this key and the header begins an epoch. No key of an event begins with a NUL."""


def epoch_in(headers: Iterable[tuple[str, bytes | None]] | None) -> int | None:
    """The epoch that the headers of a row name; None: the row was written in a transaction, or by a stranger
    whose header of this name is no number."""
    named = next((value or b"" for name, value in headers or () if name == EPOCH_HEADER), b"")
    return int(named) if DIGITS.fullmatch(named) else None
