"""I9 and T16: once the faults are over, every partition makes progress, and soon all input is committed."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.support.toy_app import TOPICS

RECOVERY_S = 60
STUCK_S = 30


class Watch:
    """Compares the committed offsets of the group with the ends of the inputs."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int) -> None:
        self._reader = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{prefix}-app", "log_level": 0})
        self._places = [(f"{prefix}.{name}", number) for name in TOPICS for number in range(partitions)]

    def _lags(self) -> dict[tuple[str, int], tuple[int, int]]:
        """PartitionId -> committed offset and lag."""
        found = self._reader.committed([TopicPartition(*place) for place in self._places], 10)
        lags = {}
        for each in found:
            _, end = self._reader.get_watermark_offsets(TopicPartition(each.topic, each.partition), 10)
            offset = max(0, each.offset)
            lags[each.topic, each.partition] = (offset, end - offset)
        return lags

    def until_done(self, restart_exited: Callable[[], None], patience_s: float = RECOVERY_S) -> list[str]:
        """Wait for lag 0, and start workers that exit again. Returns what is stuck or late."""
        started = time.monotonic()
        moved: dict[tuple[str, int], tuple[int, float]] = {}
        try:
            while True:
                restart_exited()
                now = time.monotonic()
                try:
                    lags = self._lags()
                except KafkaException:
                    lags = None  # the group has no coordinator for a moment
                if lags is not None:
                    behind = {place: each for place, each in lags.items() if each[1] > 0}
                    if not behind:
                        return []
                    for place, (offset, lag) in behind.items():
                        if moved.get(place, (-1, now))[0] != offset:
                            moved[place] = (offset, now)
                        elif now - moved[place][1] > STUCK_S:
                            return [f"I9 {place} stands at {offset} with a lag of {lag} for {STUCK_S} s"]
                if now - started > patience_s:
                    return [f"T16 {patience_s:.0f} s after the faults there is still a lag: {lags}"]
                time.sleep(0.3)
        finally:
            self._reader.close()
