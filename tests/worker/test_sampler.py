"""What only regular looks tell, and lines of trouble in the log."""

import logging
from typing import Any

import pytest
from prometheus_client import generate_latest

from stream.engine import EngineApp
from stream.metrics import Metrics
from stream.worker.monitoring.counted_lines import PARTS, CountedLines
from stream.worker.monitoring.sampler import Sampler
from stream.worker.monitoring.vitals import watch
from tests.support.fed_engine import PURCHASES, Now, fed_engine
from tests.support.kafka_broker import MockBroker


@pytest.fixture
def app(mock_broker: MockBroker) -> EngineApp[Any]:
    return fed_engine(mock_broker.bootstrap)


def test_the_sampler_tells_how_long_records_wait_how_busy_it_is_and_how_long_it_did_nothing(app):
    metrics, clock, cpu = Metrics(), Now(), Now()
    sampler = Sampler(metrics, app, clock, cpu)
    sampler.look()
    clock.seconds += 10
    cpu.seconds += 4
    sampler.look()
    app.delivering = True
    clock.seconds += 5
    sampler.look()

    lines = generate_latest(metrics.registry).decode()

    assert f'lag_seconds{{partition="3",topic="{PURCHASES}"}} 15.0' in lines
    assert "not_ready_seconds_total 10.0" in lines
    assert f"main_thread_cpu_seconds_total {cpu.seconds}" in lines


def test_ready_is_a_gauge_and_what_is_left_of_a_recovery(app):
    metrics = Metrics()
    watch(metrics, app, "profiles")
    app.recovery.begin(1_000)
    app.recovery.reached(400)

    lines = generate_latest(metrics.registry).decode()

    assert "customer_stream_ready 0.0" in lines
    assert "recovery_rows_left 600.0" in lines
    app.recovery.end()
    assert "recovery_rows_left 0.0" in generate_latest(metrics.registry).decode()


def test_warnings_are_counted_by_who_wrote_them():
    metrics = Metrics({"part": PARTS, "level": ("warning", "error", "critical")})
    handler = CountedLines(metrics)
    for name, level in (("stream.engine", 30), ("aiokafka.conn", 40), ("asyncio", 40), ("stream.worker", 20)):
        logger = logging.Logger(name)
        logger.addHandler(handler)
        logger.log(level, "told")
    noise = logging.Logger("faust.app")
    noise.addHandler(handler)
    noise.warning("[^-App]: Missing sensor state for rebalance #%s", 3)

    lines = generate_latest(metrics.registry).decode()

    for part, named in (("stream", "warning"), ("aiokafka", "error"), ("other", "error")):
        assert f'log_lines_total{{level="{named}",part="{part}"}} 1.0' in lines
    assert 'part="faust"' not in lines
    assert "info" not in [line for line in lines.splitlines() if "log_lines" in line]
