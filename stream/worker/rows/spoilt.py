"""A row that cannot be read costs one customer, not the partition.

Rows are written by workers alone, and every number in them is finite. Still one may become unreadable: a
fault of an earlier version, a foreign program on the profiles topic. Its customer then starts anew, with the
offsets and the unsent records of the row where these are legible, and the row goes to the dead letters,
whole. When most rows are like that, another version wrote them, and the worker stops before it changes
anything. A section that this worker itself would write like that stays as it was, and is a dead letter.
"""

from __future__ import annotations

import hashlib
import logging

import msgspec

from stream.engine import EngineError, Exit, Lane
from stream.wire.outcome import without_values
from stream.worker.kafka.dead_letter import DeadLetter, InputRecord, dead_letter
from stream.worker.rows.row import LiveRow, Spoilt, StoredRow, Transport, some_customers
from stream.worker.rows.stored import UNREADABLE

log = logging.getLogger("stream.worker")
ROW_UNREADABLE = "row_unreadable"
"""The reason in the dead letter of a row."""
ROWS_LOOKED_AT = 64
UNREADABLE_MIN = 8
"""A start stops when at least so many of the rows looked at, and more than half of them, cannot be read."""
SET_ASIDE_MAX = 100
"""Rows that one worker sets aside in its life. More are no accident, and a person must look."""
OFFSET_UNKNOWN = -1

_transport = msgspec.json.Decoder(Transport).decode


def anew(row: bytes, wrong: Exception) -> LiveRow:
    """The row of a customer who starts anew in place of a row that cannot be read."""
    try:
        kept = _transport(row)
        stored = StoredRow(
            kept.applied, kept.outbox, kept.outbox_flush, barred_ms=kept.barred_ms,
            set_aside=kept.set_aside, shadow_outbox=kept.shadow_outbox,
        )  # fmt: skip
    except UNREADABLE:
        stored = StoredRow()
    live = LiveRow(stored)
    live.spoilt = Spoilt(row, without_values(str(wrong)))
    return live


def check_rows(lane: Lane[LiveRow]) -> None:
    """EngineError when this version cannot read most rows of a partition: all would begin anew."""
    keys = some_customers(lane, ROWS_LOOKED_AT)
    spoilt = [row.spoilt for key in keys if (row := lane.get(key)) is not None and row.spoilt is not None]
    if len(spoilt) >= UNREADABLE_MIN and 2 * len(spoilt) > len(keys):
        text = f"{len(spoilt)} of {len(keys)} rows seen in partition {lane.partition} cannot be read"
        raise EngineError(
            Exit.DATA_LOSS, f"{text} by this version ({spoilt[0].problem}): start the version that wrote them"
        )


class SetAside:
    """Sends rows that cannot be read to the dead letters, and counts them."""

    def __init__(self, profiles_topic: str, letters_topic: str) -> None:
        self._topic, self._letters_topic = profiles_topic, letters_topic
        self._count = 0

    def send(self, lane: Lane[LiveRow], key: bytes, row: LiveRow, spoilt: Spoilt) -> None:
        """Queue the dead letter of what `row` took the place of, or does not say. The row keeps that until
        the flush is committed, as an outbox: what is written in its place is legible."""
        letter = self._letter(lane, key, spoilt)
        lane.send(self._letters_topic, letter.key, letter.value, letter.headers, lane.partition, row=key)
        if spoilt not in row.set_aside:
            row.set_aside.append(spoilt)
        row.outbox_flush = lane.flush_number

    def _letter(self, lane: Lane[LiveRow], key: bytes, spoilt: Spoilt) -> DeadLetter:
        """The dead letter of a row, with a line in the log. EngineError: there were SET_ASIDE_MAX before."""
        self._count += 1
        if self._count > SET_ASIDE_MAX:
            text = f"more than {SET_ASIDE_MAX} rows of {self._topic} cannot be read ({spoilt.problem})"
            raise EngineError(Exit.DATA_LOSS, f"{text}: only workers may write there")
        name = f"{self._topic}/{lane.partition}/row-{hashlib.sha256(key + spoilt.row).hexdigest()[:16]}"
        line = "%s/%d: the row of one customer cannot be read (%s); it is dead letter %s"
        log.error(line, self._topic, lane.partition, spoilt.problem, name)
        record = InputRecord(self._topic, lane.partition, OFFSET_UNKNOWN, key, spoilt.row)
        return dead_letter(record, ROW_UNREADABLE, spoilt.problem, "row", name)
