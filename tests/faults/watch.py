"""I9 and T16: once nothing is broken any more, every partition moves on, and soon nothing is left to do."""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.support.toy_app import TOPICS

HEAL_S = 60
STUCK_S = 30


class Watch:
    """Looks at what the group committed, and at what there is."""

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

    def until_done(self, nurse: Callable[[], None], heal_s: float = HEAL_S) -> list[str]:
        """Wait for lag 0; whoever leaves is started again. What is stuck or late is told."""
        started = time.monotonic()
        moved: dict[tuple[str, int], tuple[int, float]] = {}
        try:
            while True:
                nurse()
                now = time.monotonic()
                try:
                    lags = self._lags()
                except KafkaException:
                    lags = None  # the coordinator is moving
                if lags is not None:
                    behind = {place: each for place, each in lags.items() if each[1] > 0}
                    if not behind:
                        return []
                    for place, (offset, lag) in behind.items():
                        if moved.get(place, (-1, now))[0] != offset:
                            moved[place] = (offset, now)
                        elif now - moved[place][1] > STUCK_S:
                            return [f"I9 {place} stands at {offset} with {lag} to come for {STUCK_S} s"]
                if now - started > heal_s:
                    return [f"T16 {heal_s:.0f} s after healing this is still to come: {lags}"]
                time.sleep(0.3)
        finally:
            self._reader.close()
