"""What is rejected goes to the dead letters; when that is too much of the input, the worker stops."""

from __future__ import annotations

from stream.engine import Arrival, EngineError, Exit, Lane
from stream.worker.kafka.dead_letter import DeadLetterLimit, InputRecord, dead_letter
from stream.worker.monitoring.batch_counts import BatchCounts
from stream.worker.rows.codec import RejectedRecord
from stream.worker.rows.row import LiveRow


class Rejections:
    """Sends the dead letters of one worker to a topic, and counts them per batch."""

    def __init__(self, topic: str, limit: DeadLetterLimit, counts: BatchCounts) -> None:
        self._topic, self._limit, self._counts = topic, limit, counts
        self.total = 0
        """Input records of the present batch."""
        self._rejected = 0

    def reject(self, lane: Lane[LiveRow], arrival: Arrival, found: RejectedRecord) -> None:
        """A record that is no event becomes a dead letter, whole."""
        record, rejected, batch = found.record, found.rejected, found.batch
        whole = InputRecord(
            arrival.topic, arrival.partition, arrival.offset, record.key, record.value, record.headers,
            None if batch is None else (batch.last_offset, batch.stored_bytes),
        )  # fmt: skip
        self.send(lane, whole, str(rejected.reason), rejected.detail)

    def send(self, lane: Lane[LiveRow], record: InputRecord, reason: str, detail: str) -> None:
        """Queue a dead letter for the lane's next flush."""
        letter = dead_letter(record, reason, detail)
        lane.send(self._topic, letter.key, letter.value, letter.headers, lane.partition)
        self._rejected += 1
        self._counts.dead_letter(record.topic, reason)

    def end_batch(self) -> None:
        """EngineError(DEAD_LETTERS) when too many of the latest records were rejected."""
        too_many = self._limit.count(self.total, self._rejected)
        self.total = self._rejected = 0
        if too_many is not None:
            raise EngineError(Exit.DEAD_LETTERS, too_many)
