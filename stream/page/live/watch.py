"""How Kafka and the workers are, asked every two seconds: does Kafka answer, how fresh is each source, do the
workers keep up. Its thread is its own, so that a broker that does not answer holds nothing else up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from msgspec import Struct, field

from stream.page.live.topics import UnreachableError, topic_ids

log = logging.getLogger(__name__)
LOOK_EVERY_S = 2.0
ASK_TIMEOUT_S = 3.0


class Looked(Struct, frozen=True):
    """What the last look saw; instants in ms of the wall clock."""

    at_ms: int = 0
    """When Kafka answered last; 0: not yet."""
    problem: str = ""
    """Why it does not answer now; empty when it does."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Topic -> Kafka's id of it."""
    newest_ms: Mapping[str, int] = field(default_factory=dict)
    """Input topic -> time of its newest event; missing: it has none, or the broker does not tell."""
    unprocessed: int = 0
    """Events that no worker has committed yet."""
    unmoved_since_ms: int = 0
    """Since when the workers have committed nothing although there is something; 0: they go on."""


class ClusterWatch:
    """Looks until it is stopped; `looked` is always the last answer."""

    def __init__(
        self,
        client: Mapping[str, object],
        topics: Sequence[str],
        inputs: Mapping[str, int],
        group: str,
        now_ms: Callable[[], int],
    ) -> None:
        """`topics`: whose ids are watched. `inputs`: input topic -> partitions. `group`: the workers'."""
        self._admin = AdminClient({**client, "log_level": 0, "error_cb": lambda _: None})
        self._topics, self._group, self._now_ms = list(topics), group, now_ms
        self._places = [TopicPartition(topic, n) for topic, count in inputs.items() for n in range(count)]
        self._committed: dict[tuple[str, int], int] = {}
        self._ended = threading.Event()
        self.looked = Looked()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join(4 * ASK_TIMEOUT_S)

    def _run(self) -> None:
        while not self._ended.is_set():
            self.looked = self._look()
            self._ended.wait(LOOK_EVERY_S)

    def _look(self) -> Looked:
        before = self.looked
        try:
            ids = topic_ids(self._admin, self._topics, ASK_TIMEOUT_S)
        except UnreachableError as problem:
            return Looked(
                before.at_ms, str(problem), before.ids, before.newest_ms, before.unprocessed,
                before.unmoved_since_ms,
            )  # fmt: skip
        now_ms = self._now_ms()
        newest = self._newest()
        unprocessed, moved = self._work()
        since_ms = 0 if moved or not unprocessed else before.unmoved_since_ms or now_ms
        return Looked(now_ms, "", ids, newest, unprocessed, since_ms)

    def _newest(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for place, answer in self._offsets(OffsetSpec.max_timestamp()).items():
            if answer.timestamp > 0:
                found[place[0]] = max(found.get(place[0], 0), answer.timestamp)
        return found

    def _work(self) -> tuple[int, bool]:
        """Events that the workers have not committed, and whether they have committed any since last time."""
        ends = {place: answer.offset for place, answer in self._offsets(OffsetSpec.latest()).items()}
        try:
            asked = [ConsumerGroupTopicPartitions(self._group)]
            answers = self._admin.list_consumer_group_offsets(asked, request_timeout=ASK_TIMEOUT_S)
            answered = answers[self._group].result(2 * ASK_TIMEOUT_S).topic_partitions
        except (KafkaException, TimeoutError, RuntimeError):
            return 0, True
        committed = {(part.topic, part.partition): part.offset for part in answered if part.offset >= 0}
        moved, self._committed = committed != self._committed, committed
        return sum(max(0, end - committed.get(place, 0)) for place, end in ends.items()), moved

    def _offsets(self, what: OffsetSpec) -> dict[tuple[str, int], Any]:
        try:
            asked = self._admin.list_offsets(dict.fromkeys(self._places, what), request_timeout=ASK_TIMEOUT_S)
            return {
                (place.topic, place.partition): reply.result(2 * ASK_TIMEOUT_S)
                for place, reply in asked.items()
            }
        except (KafkaException, TimeoutError, RuntimeError) as problem:
            log.debug("the broker does not tell offsets: %s", problem)
            return {}


def wall_ms() -> int:
    """Now, in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000
