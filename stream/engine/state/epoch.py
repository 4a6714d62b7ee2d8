"""Who writes a changelog: each row names the epoch of its writer, and a record of its own begins an epoch."""

from __future__ import annotations

from collections.abc import Iterable

EPOCH_HEADER = "epoch"
"""On rows: the epoch of their writer. Rows of transactions have none: there the broker fences."""
FENCE_KEY = b"\x00writer"
"""A tombstone under this key begins an epoch; no customer can have this id on the wire."""


def epoch_in(headers: Iterable[tuple[str, bytes | None]] | None) -> int | None:
    """The epoch of a row's writer; None where writers have none."""
    return next((int(value or b"0") for name, value in headers or () if name == EPOCH_HEADER), None)
