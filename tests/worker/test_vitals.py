"""Gauges, readiness and liveness of a real engine that is fed by hand."""

import logging
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import generate_latest

from stream.config.settings import Settings
from stream.engine import EngineApp
from stream.engine.input.lease import Lease
from stream.engine.output.group import Group
from stream.engine.partition_id import PartitionId
from stream.engine.task.group_progress import LONG_AGO_S
from stream.metrics import Metrics
from stream.worker.engine_setup import engine_options
from stream.worker.monitoring.batch_counts import BatchCounts
from stream.worker.monitoring.merge_report import MergeReport
from stream.worker.monitoring.stall_report import WARN_AFTER_S, StallReport
from stream.worker.monitoring.vitals import STUCK_AFTER_S, Liveness, readiness_problems, watch
from tests.support.engine_model import RawEvent, fetched
from tests.support.fed_engine import INPUTS, PLACE, PURCHASES, Now, fed_engine
from tests.support.kafka_broker import MockBroker
from tests.support.toy_app import HOUR_MS, Counters


@pytest.fixture
def app(mock_broker: MockBroker) -> EngineApp[Any]:
    return fed_engine(mock_broker.bootstrap)


def apply_all(app: EngineApp[Any]) -> None:
    lane = app.delivery.lanes[3]
    for moment in lane.moments():
        lane.put(moment.key, Counters("k"))
    lane.table.store_written(lane.table.take_all())


def gauge(metrics: Metrics, name: str) -> dict[str, float]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    found = [line for line in lines if line.startswith(f"customer_stream_{name}")]
    return {line.split(" ")[0].partition("{")[2].rstrip("}"): float(line.split(" ")[1]) for line in found}


def test_lag_watermark_and_rows_follow_what_is_applied(app):
    metrics = Metrics()
    watch(metrics, app, "profiles", now=Now())
    place = f'partition="3",topic="{PURCHASES}"'
    before = gauge(metrics, "consumer_lag_records")[place]
    apply_all(app)

    assert before == 10
    assert gauge(metrics, "consumer_lag_records")[place] == 8 + 1  # the last one waits for what follows
    assert gauge(metrics, "watermark_timestamp_seconds") == {'partition="3"': 0.0}
    assert gauge(metrics, "event_time_lag_seconds") == {'partition="3"': 1_000.0}
    assert gauge(metrics, "table_keys") == {'table="profiles"': 1}
    assert gauge(metrics, "partitions_assigned") == {"": 1}
    assert gauge(metrics, "recovering") == {"": 1}


def test_a_partition_in_a_history_is_not_live(app):
    metrics = Metrics()
    watch(metrics, app, "profiles", now=Now())
    before = gauge(metrics, "partition_live")
    app.delivery.lanes[3].clock.live = True
    app.delivery.progress.history_s = LONG_AGO_S  # that the records were old

    assert (before, gauge(metrics, "partition_live")) == ({'partition="3"': 0}, {'partition="3"': 1})


def test_reviews_that_wait_for_their_turn_are_counted_and_hold_back_the_watermark(app):
    metrics, lane = Metrics(), app.delivery.lanes[3]
    watch(metrics, app, "profiles", now=Now())
    before = gauge(metrics, "reviews_waiting "), gauge(metrics, "reviews_waiting_seconds")
    for number in range(3):
        lane.table.timers.set(b"k%d" % number, 4_000 * (1 + number))
    lane.clock.live = True
    lane.due.start()
    lane.clock.advance(9_000)

    assert before == ({"": 0}, {"": 0})
    assert gauge(metrics, "reviews_waiting ")[""] == 2
    assert gauge(metrics, "reviews_waiting_seconds")[""] == 5
    assert gauge(metrics, "watermark_timestamp_seconds") == {'partition="3"': 4.0}


@pytest.mark.parametrize(
    ("wait_s", "why"),
    [
        (0.0, "between topics events are judged in the order in which they arrive"),
        (2.5, "a topic paused for longer than 2,500 ms"),
    ],
)
def test_that_topics_of_a_history_overtook_each_other_is_logged_once(app, caplog, wait_s, why):
    app.options = replace(app.options, merge_wait_s=wait_s)
    report = MergeReport(app)
    caplog.set_level(logging.INFO, logger="stream.worker")
    report.check()
    before = list(caplog.records)
    for topic in INPUTS[:2]:
        app.delivery.progress.overtaken.add(topic)
        report.check()

    assert before == []
    (record,) = caplog.records
    assert f"({PURCHASES}): with STREAM_MERGE_WAIT_MS = {round(wait_s * 1_000)} {why}." in record.getMessage()


def test_a_flush_is_observed():
    metrics = Metrics()

    BatchCounts(metrics).flushed(0.02)

    assert gauge(metrics, "flush_duration_seconds_count") == {"": 1}


def test_a_worker_is_ready_when_it_delivers(app):
    lease = Lease(10.0)
    lease.renew(time.monotonic())
    app.group = Group(lambda: SimpleNamespace(lease=lease), 1.0)
    waiting = readiness_problems(app)
    app.delivering = True

    assert len(waiting) == 1
    assert readiness_problems(app) == []


def test_a_worker_that_hears_nothing_from_kafka_is_not_ready(app):
    lease = Lease(10.0)
    app.group = Group(lambda: SimpleNamespace(lease=lease), 1.0)
    lease._renewed_at = time.monotonic() - 20.0
    app.delivering = True

    (reason,) = readiness_problems(app)

    assert reason.startswith("Kafka has answered no heartbeat for 2")


def test_a_worker_that_applies_nothing_for_long_is_not_alive(app):
    now = Now()
    alive = Liveness(app, now)
    assert alive() == []

    now.seconds += STUCK_AFTER_S
    at_the_bound = alive()
    now.seconds += 1
    beyond = alive()

    assert at_the_bound == []
    assert beyond == ["partition 3: has records but applied none for 121 s"]


def test_a_worker_with_a_stalled_source_is_alive(app):
    now = Now()
    alive = Liveness(app, now)
    alive()
    app.delivery.lanes[3].stalled = True

    now.seconds += 10 * STUCK_AFTER_S

    assert alive() == []


def silent(app: EngineApp[Any]) -> None:
    """Every purchase there is was read, and a session two days after the last of them is at hand."""
    sessions = PartitionId(INPUTS[1], 3)
    far = 2 * 24 * HOUR_MS
    apply_all(app)
    app.delivery.distribute(
        [PLACE], {PLACE: fetched([RawEvent(at, PURCHASES, 3) for at in range(2, 10)])}, {PLACE: 10}, 0.0
    )
    later = RawEvent(0, sessions.topic, 3)
    later.value = b'{"key":"k","time_ms":%d}' % far
    app.delivery.distribute([sessions], {sessions: fetched([later])}, {sessions: 7}, 0.0)


def test_a_stall_is_logged_once_and_noted_while_it_lasts(app, caplog):
    now, metrics = Now(), Metrics()
    watch(metrics, app, "profiles", now=now)
    stalls = StallReport(app, "control", now)
    caplog.set_level(logging.INFO, "stream.worker")
    apply_all(app)
    stalls.check_stall()
    assert stalls.notes() == []  # purchases are still to be read: nothing is silent yet

    silent(app)
    apply_all(app)
    for seconds in (0, WARN_AFTER_S, WARN_AFTER_S):
        now.seconds += seconds
        stalls.check_stall()

    (line,) = stalls.notes()
    assert [record.getMessage() for record in caplog.records] == [line]
    assert f"{PURCHASES} is silent" in line
    assert "7 records of other topics that are more than 6:00:00 (STREAM_STALL_AFTER_S) later" in line
    assert line.endswith("send a clock.ticked event of a later time to control")
    assert gauge(metrics, "held_records")[f'topic="{INPUTS[1]}"'] == 7

    app.delivery.progress.note_reference(3 * 24 * HOUR_MS)
    apply_all(app)
    stalls.check_stall()
    assert stalls.notes() == []
    assert (
        caplog.records[-1].getMessage()
        == "purchases arrive again; the records that waited for them are applied"
    )


def test_a_worker_that_kafka_gives_nothing_is_alive(app):
    now = Now()
    alive = Liveness(app, now)
    app.delivery.lanes[3].sources[0].pending.clear()
    alive()

    now.seconds += 10 * STUCK_AFTER_S

    assert alive() == []


def test_progress_restarts_the_time_limit(app):
    now = Now()
    alive = Liveness(app, now)
    alive()
    now.seconds += STUCK_AFTER_S
    app.delivery.lanes[3].applied_count += 1
    alive()
    now.seconds += STUCK_AFTER_S

    assert alive() == []


def test_settings_reach_the_engine():
    settings = Settings(
        security="SASL_PLAINTEXT",
        sasl_username="u",
        sasl_password="p",
        instance_id="worker-0",
        store="rocksdb",
        data_dir="rows",
        flush_interval_ms=50,
        stall_after_s=60,
        topic_prefix="x.",
    )

    options = engine_options(settings)

    assert options.producer["sasl.mechanism"] == "SCRAM-SHA-512"
    assert options.faust["consumer_group_instance_id"] == "worker-0"
    assert options.faust["broker_credentials"].username == "u"
    assert (str(options.store), options.flush_interval_s, options.stall_after_ms) == ("rows", 0.05, 60_000)
    assert options.inputs[0] == options.reference == "x.customers.purchases.v1"
    assert options.ticks in options.inputs


def test_without_a_login_faust_gets_no_settings():
    options = engine_options(Settings(), bootstrap="127.0.0.1:7")

    assert (options.faust, options.store, options.bootstrap) == ({}, None, "127.0.0.1:7")
    assert set(options.producer) == {"message.max.bytes", "allow.auto.create.topics"}
    assert options.producer["allow.auto.create.topics"] is False  # looking for a topic must not make it
