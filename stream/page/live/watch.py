"""How Kafka and the workers are, asked every two seconds: does Kafka answer, how fresh is each source, do the
workers keep up. Its thread is its own, so that a broker that does not answer holds nothing else up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from msgspec import Struct, field

from stream.kafka_causes import in_words
from stream.page.live.topics import UnreachableError, topic_ids
from stream.page.store.store import Place

LOOK_EVERY_S = 2.0
ASK_TIMEOUT_S = 3.0
FIRST_LOOK_S = 3.0


class Looked(Struct, frozen=True):
    """What the last look saw; instants in ms of the wall clock."""

    at_ms: int = 0
    """When Kafka answered last; 0: not yet."""
    problem: str = ""
    """Why it does not answer now; empty when it does."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Topic -> Kafka's id of it."""
    newest_ms: Mapping[str, int] = field(default_factory=dict)
    """Input topic -> when its newest record came; missing: it has none."""
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
        self._consumer = Consumer(
            {
                **client,
                "group.id": group,  # nothing is joined or committed
                "enable.auto.commit": False,
                "isolation.level": "read_uncommitted",
                "log_level": 0,
                "error_cb": lambda _: None,
            }
        )
        self._places: list[Place] = [(topic, n) for topic, count in inputs.items() for n in range(count)]
        self._ends: dict[Place, int] = {}
        self._arrived: dict[str, int] = {}
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
        self._consumer.close()

    def _look(self) -> Looked:
        before = self.looked
        try:
            ids, ends = topic_ids(self._admin, self._topics, ASK_TIMEOUT_S), self._all_ends()
            now_ms = self._now_ms()
            newest = self._newest(ends, now_ms)
        except UnreachableError as problem:
            return Looked(
                before.at_ms, str(problem), before.ids, before.newest_ms, before.unprocessed,
                before.unmoved_since_ms,
            )  # fmt: skip
        unprocessed, moved = self._work(ends)
        since_ms = 0 if moved or not unprocessed else before.unmoved_since_ms or now_ms
        return Looked(now_ms, "", ids, newest, unprocessed, since_ms)

    def _newest(self, ends: Mapping[Place, int], now_ms: int) -> dict[str, int]:
        """Topic -> time of its newest record: at the first look the record's own, then when it was seen to
        arrive."""
        if not self._ends:
            for topic, at_ms in self._last_times(ends).items():
                self._arrived[topic] = at_ms
        for place, end in ends.items():
            if end > self._ends.get(place, end):
                self._arrived[place[0]] = now_ms
        self._ends = dict(ends)
        return dict(self._arrived)

    def _last_times(self, ends: Mapping[Place, int]) -> dict[str, int]:
        """Topic -> timestamp of its last record. Marks of transactions have offsets: two are looked at."""
        places = [TopicPartition(*place, max(0, end - 2)) for place, end in ends.items() if end]
        found: dict[str, int] = {}
        if places:
            self._consumer.assign(places)
            for message in self._consumer.consume(2 * len(places), FIRST_LOOK_S):
                if message.error() is None and message.timestamp()[1] > 0:
                    found[message.topic()] = max(found.get(message.topic(), 0), message.timestamp()[1])
            self._consumer.unassign()
        return found

    def _work(self, ends: Mapping[Place, int]) -> tuple[int, bool]:
        """Events that the workers have not committed, and whether they have committed any since last time."""
        try:
            asked = [ConsumerGroupTopicPartitions(self._group)]
            answers = self._admin.list_consumer_group_offsets(asked, request_timeout=ASK_TIMEOUT_S)
            answered = answers[self._group].result(2 * ASK_TIMEOUT_S).topic_partitions
        except (KafkaException, TimeoutError, RuntimeError):
            return 0, True
        committed = {(part.topic, part.partition): part.offset for part in answered if part.offset >= 0}
        moved, self._committed = committed != self._committed, committed
        return sum(max(0, end - committed.get(place, 0)) for place, end in ends.items()), moved

    def _all_ends(self) -> dict[Place, int]:
        """Where each partition ends, also behind open transactions. (The admin client's `list_offsets` ends
        the process where a partition has no leader: librdkafka 2.13.)"""
        try:
            return {
                place: self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=ASK_TIMEOUT_S)[1]
                for place in self._places
            }
        except KafkaException as error:
            raise UnreachableError(f"Kafka does not answer: {in_words(error.args[0])}") from error


def wall_ms() -> int:
    """Now, in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000
