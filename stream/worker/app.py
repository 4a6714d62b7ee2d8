"""The worker put together from its settings: engine, agents, health, gauges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from confluent_kafka import KafkaException, Producer

from stream.core.alert import Alert
from stream.core.book import Book
from stream.core.event import EVENT_TYPES
from stream.engine import EngineApp, EngineOptions
from stream.environment import SettingsError
from stream.metrics import Metrics, Readings
from stream.settings import Settings
from stream.wire import TopicKind
from stream.worker.agents import ProfileKeeper, attach
from stream.worker.connection import faust_credentials, librdkafka_settings
from stream.worker.dead_letter import DeadLetterLimit
from stream.worker.health import HealthServer
from stream.worker.row import ProfileJob, Row
from stream.worker.tally import Tally
from stream.worker.topics import INPUTS, TopicNames, topic_names

METADATA_TIMEOUT_S = 20.0


class Worker:
    """One worker process: its app and what can be seen of it from outside."""

    def __init__(
        self,
        settings: Settings,
        book: Book,
        bootstrap: str = "",
        on_alert: Callable[[Alert], None] | None = None,
    ) -> None:
        self.settings = settings
        self.topics = topic_names(settings)
        self.bootstrap = bootstrap or settings.brokers
        partitions = partition_count(settings, self.topics, self.bootstrap)
        kinds: dict[str, TopicKind] = {getattr(self.topics, role): role for role in INPUTS}  # type: ignore[misc]
        types = {str(kind.__struct_config__.tag) for kinds in EVENT_TYPES.values() for kind in kinds}
        self.metrics = Metrics(
            {"type": {*types, "unknown", "none"}, "tier": book.tier_names, "topic": self.topics.inputs}
        )
        self.tally = Tally(self.metrics, on_alert)
        limit = DeadLetterLimit(
            settings.deadletter_window, settings.deadletter_count_max, settings.deadletter_share_max
        )
        job = ProfileJob(kinds, partitions, live=settings.clock == "wall")
        self.app: EngineApp[Row] = EngineApp(engine_options(settings, self.topics, self.bootstrap), job)
        self.keeper = ProfileKeeper(book, self.topics, limit, self.tally)
        attach(self.app, self.keeper)
        self.health = HealthServer(self.metrics.registry, self._dead, self._unready)
        self._watch()
        self.app.task(self._serve)

    async def _serve(self) -> None:
        url = await self.health.start(self.settings.http_host, self.settings.http_port)
        self.app.log.info("health and metrics: %s", url)
        await self.app.wait_until_stopped()
        await self.health.close()

    def _dead(self) -> list[str]:
        return [str(self.app.fail.reason)] if self.app.fail.reason is not None else []

    def _unready(self) -> list[str]:
        return [] if self.app.delivering else ["partitions are not assigned or not recovered yet"]

    def _watch(self) -> None:
        gauges, delivery, topics = self.metrics.gauges, self.app.delivery, self.topics

        def lag() -> Readings:
            return {
                (source.topic, str(source.partition)): float(max(0, source.highwater - source.applied))
                for lane in delivery.lanes.values()
                for source in lane.sources
            }

        def watermark() -> Readings:
            return {
                (str(lane.partition),): lane.clock_ms / 1_000
                for lane in delivery.lanes.values()
                if lane.clock_ms is not None
            }

        gauges.watch("consumer_lag_records", lag)
        gauges.watch("watermark_timestamp_seconds", watermark)
        gauges.watch("partitions_assigned", lambda: {(): float(len(delivery.lanes))})
        gauges.watch(
            "source_stalled",
            lambda: {(topics.purchases,): float(any(lane.stalled for lane in delivery.lanes.values()))},
        )


def engine_options(settings: Settings, topics: TopicNames, bootstrap: str) -> EngineOptions:
    """The engine's options, as the settings want them."""
    connection = librdkafka_settings(settings, bootstrap)
    del connection["bootstrap.servers"]
    credentials = faust_credentials(settings)
    return EngineOptions(
        app_id=settings.app_id,
        bootstrap=bootstrap,
        inputs=topics.inputs,
        changelog=topics.profiles,
        heartbeat=topics.purchases,
        ticks=topics.control,
        guarantee=settings.guarantee,
        clock=settings.clock,
        flush_interval_s=settings.flush_interval_ms / 1_000,
        max_idle_s=settings.max_idle_ms / 1_000,
        stall_after_ms=settings.stall_after_s * 1_000,
        store=Path(settings.data_dir) if settings.store == "rocksdb" else None,
        producer=connection,
        faust={"broker_credentials": credentials} if credentials is not None else {},
    )


def partition_count(settings: Settings, topics: TopicNames, bootstrap: str) -> int:
    """How many partitions the inputs have; SettingsError when Kafka or a topic is not there."""
    client = Producer(librdkafka_settings(settings, bootstrap))
    counts = {}
    for topic in (*topics.inputs, topics.profiles, topics.alerts, topics.deadletter):
        try:
            told = client.list_topics(topic, timeout=METADATA_TIMEOUT_S).topics[topic]
        except KafkaException as error:
            problem = f"STREAM_BROKERS = {bootstrap!r}: no answer from Kafka ({error.args[0].str()})"
            raise SettingsError([problem]) from error
        if told.error is not None or not told.partitions:
            raise SettingsError([f"topic {topic} is not there; `stream topics apply` makes it"])
        counts[topic] = len(told.partitions)
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{topic} {count}" for topic, count in counts.items())
        raise SettingsError([f"all topics need the same number of partitions, but there are: {listed}"])
    return counts[topics.purchases]
