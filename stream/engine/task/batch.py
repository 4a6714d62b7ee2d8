"""What leaves a lane with a flush."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from stream.engine.codec import SentHeaders
from stream.engine.task.commit_point import CommitPoints


class Outgoing(NamedTuple):
    """A record to send. `row` is the key of the row whose outbox holds it, if any does."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: SentHeaders | None
    partition: int | None
    row: bytes | None = None


BesideRow = Callable[[Any, bytes, Any], Outgoing | None]
"""Of a lane and the key and state of a row that it is about to write: a record to send in the same batch."""


class Checkpoint(NamedTuple):
    """A commit in preparation: it waits until every row that was changed by then is written."""

    points: CommitPoints
    records: list[Outgoing]  # that are in no row's outbox: they leave with the commit
    moments: int  # given out since the checkpoint before


class FlushBatch(NamedTuple):
    """What one lane puts into one flush. Once rows and records are durable, its points may be committed."""

    partition: int
    epoch: int  # of this worker as the writer of the lane's changelog
    flush: int
    rows: list[tuple[bytes, bytes | None]]  # None: a tombstone
    outgoing: list[Outgoing]
    points: CommitPoints


def rows_of(records: list[Outgoing]) -> dict[bytes, None]:
    """The keys of the rows in whose outbox the records are, each once, in their order."""
    return dict.fromkeys(each.row for each in records if each.row is not None)
