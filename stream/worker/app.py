"""Builds a worker from its settings: engine, agent, metrics, health server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, get_args

from stream.config.environment import SettingsError
from stream.config.settings import Settings
from stream.core.events.event import EVENT_BY_NAME
from stream.core.judgement.basis import Basis
from stream.core.judgement.episode import AlertState
from stream.core.policy.policy import ALERT_KINDS
from stream.engine import EngineApp, Lane
from stream.metrics import Metrics
from stream.wire import TopicKind
from stream.wire.outcome import Reason
from stream.worker.engine_setup import engine_options
from stream.worker.kafka.dead_letter import DeadLetterLimit
from stream.worker.kafka.start_check import look_at_kafka
from stream.worker.kafka.topics import INPUTS, TopicNames, topic_names
from stream.worker.monitoring.batch_counts import BatchCounts
from stream.worker.monitoring.counted_lines import LEVELS, PARTS, CountedLines
from stream.worker.monitoring.health import HealthServer
from stream.worker.monitoring.merge_report import MergeReport
from stream.worker.monitoring.sampler import Sampler
from stream.worker.monitoring.stall_report import StallReport
from stream.worker.monitoring.summary import WorkSummary
from stream.worker.monitoring.unsure_report import UnsureReport
from stream.worker.monitoring.vitals import Liveness, readiness_problems, watch
from stream.worker.processor import ProfileProcessor, attach
from stream.worker.rows.bars import NOT_BARRED, REMEDY, ErasureBars
from stream.worker.rows.codec import ProfileCodec
from stream.worker.rows.partition_check import check_partition_count
from stream.worker.rows.row import LiveRow
from stream.worker.rows.spoilt import ROW_UNREADABLE, check_rows
from stream.worker.rows.views import ViewWriter

log = logging.getLogger("stream.worker")


class Worker:
    """One worker: its app, its metrics and its health server."""

    def __init__(self, settings: Settings, basis: Basis, bootstrap: str = "") -> None:
        self.settings, self.topics = settings, topic_names(settings)
        self.bootstrap = bootstrap or settings.brokers
        kinds: dict[str, TopicKind] = {getattr(self.topics, role): role for role in INPUTS}  # type: ignore[misc]
        self.metrics = metrics_of(self.topics, basis)
        logging.getLogger().addHandler(CountedLines(self.metrics))
        note_start(settings, basis)
        self.counts = BatchCounts(self.metrics)
        limit = DeadLetterLimit(
            settings.deadletter_window, settings.deadletter_count_max, settings.deadletter_share_max
        )
        self._codec = codec_of(settings, kinds, basis)
        self.app: EngineApp[LiveRow] = EngineApp(engine_options(settings, self.bootstrap), self._codec)
        bars = ErasureBars(settings.erasure_key)
        self.processor = ProfileProcessor(basis, self.topics, limit, self.counts, bars)
        self.processor.write_views(settings.profiles_view)
        attach(self.app, self.processor)
        watch(self.metrics, self.app, "profiles")
        self._watch_basis(basis)
        self.app.flusher.on_flushed = self.counts.flushed
        self.app.on_give_up = partial(self.metrics.merge_given_up.add, 1)
        self._stall_report = StallReport(self.app, self.topics.control)
        ready = partial(readiness_problems, self.app)
        self.health = HealthServer(self.metrics.registry, Liveness(self.app), ready, self._notes)
        self.app.before_joining = [
            partial(self._or_stop, self._serve),
            partial(self._or_stop, self._look_at_kafka),
        ]
        self.app.task(self._stall_report.watch)
        sampler = Sampler(self.metrics, self.app)
        self._summary = WorkSummary(self.counts.totals, sampler.waiting)
        self.app.task(sampler.watch)
        self.app.task(partial(self._summary.watch, self.app))
        self.app.task(MergeReport(self.app).watch)
        self.app.task(partial(UnsureReport(self.counts.unsure).watch, self.app))

    def _watch_basis(self, basis: Basis) -> None:
        """Policy, models and the last commit, as gauges."""
        gauges, bases, lanes = self.metrics.gauges, self.processor.bases, self.app.delivery.lanes
        gauges.watch("policy_info", lambda: policy_info(bases.in_force(lanes) or [basis]))
        gauges.watch(
            "shadow_policy_info",
            lambda: policy_info(shadow.basis for number, shadow in bases.shadows.items() if number in lanes),
        )
        gauges.watch("model_info", lambda: {(each.model.version,): 1.0 for each in bases.in_force(lanes)})
        gauges.watch(
            "last_commit_timestamp_seconds",
            lambda: {} if self.counts.committed_at_s is None else {(): self.counts.committed_at_s},
        )

    def _notes(self) -> list[str]:
        """What the worker waits for although nothing is wrong with it."""
        return [*self._stall_report.notes(), *self.app.transactions.lines()]

    async def _or_stop(self, opening: Callable[[], Awaitable[None]]) -> None:
        """A setting that cannot be used is told as one, and ends the process."""
        try:
            await opening()
        except SettingsError as error:
            error.show()
            self.app.fail.exit(error.exit_code)

    async def _serve(self) -> None:
        """Health is answered before any broker is asked, and for as long as the worker stops."""
        url = await self.health.start(self.settings.http_host, self.settings.http_port)
        log.info("health and metrics: %s", url)

        async def close(*_: Any, **__: Any) -> None:
            self._summary.end()
            await self.health.close()

        self.app.on_before_shutdown.connect(close, weak=False)

    async def _look_at_kafka(self) -> None:
        count = await asyncio.to_thread(look_at_kafka, self.settings, self.topics, self.bootstrap)
        self._codec.partition_count = count
        self.app.on_recovered = partial(_check_lane, partition_count=count, views=self.processor.views)


def note_start(settings: Settings, basis: Basis) -> None:
    """Log what the worker starts with, and a warning when erased customers can come back."""
    policy = f"{basis.policy.id} ({basis.policy.hash})"
    log.info("policy %s; model %s until another one is published", policy, basis.model.version)
    if not settings.erasure_key:
        log.warning("%s: %s", NOT_BARRED, REMEDY)


def policy_info(bases: Iterable[Basis]) -> dict[tuple[str, ...], float]:
    """1 for the id and the hash of each policy."""
    return {(each.policy.id, each.policy.hash): 1.0 for each in bases}


def metrics_of(topics: TopicNames, basis: Basis) -> Metrics:
    """The metrics of a worker, with all that their labels may say.

    What rules of Prometheus watch begins at 0: `rate` sees nothing of a burst that is the first value of a
    counter.
    """
    metrics = Metrics(
        {
            "type": {*EVENT_BY_NAME, "unknown", "none"},
            "tier": basis.tier_names,
            "topic": (*topics.inputs, topics.profiles),
            "part": PARTS,
            "level": LEVELS,
        }
    )
    metrics.dead_letters.begin(topics.inputs, Reason)
    metrics.dead_letters.begin([topics.profiles], [ROW_UNREADABLE])
    metrics.alerts.begin(ALERT_KINDS, get_args(AlertState), basis.tier_names)
    metrics.log_lines.begin(PARTS, LEVELS)
    return metrics


def codec_of(settings: Settings, kinds: dict[str, TopicKind], basis: Basis) -> ProfileCodec:
    """The codec of a worker with these settings and this policy."""
    live, meaning = settings.clock == "wall", basis.meaning.digest
    views = settings.profiles_view
    return ProfileCodec(kinds, settings.partitions, live=live, meaning=meaning, views=views)


def _check_lane(lane: Lane[LiveRow], partition_count: int, views: ViewWriter | None) -> None:
    """EngineError when the rows that were read back are not those of this worker's settings and version."""
    check_partition_count(lane, partition_count)
    check_rows(lane)
    if views is not None:
        lane.write_beside(views)
