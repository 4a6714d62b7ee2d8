"""A worker whose policy names a time zone decides as a replay does: with the shop's days, to the byte."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from stream.core.events.event import Event
from stream.core.judgement.basis import Basis
from stream.model_file import default_model
from stream.policy_file import load_policy
from stream.replay.run import replay
from stream.wire import encode_alert
from tests.support.builders import basis, bought, visited
from tests.support.kafka_broker import MockBroker
from tests.support.pipe import Pipe, by_topic
from tests.support.running_worker import (
    WorkerKafka,
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    tick,
)
from tests.support.strategies import of_customer

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

ZONES = ("Asia/Kathmandu", "America/Sao_Paulo", "Australia/Lord_Howe", "Europe/Berlin")


def lives(years: int = 0) -> list[Event]:
    """Customers who buy at all hours, visit and fall silent one after the other; so many years earlier."""
    events: list[Event] = []
    for number in range(24):
        for day in range(number % 7, 60 + 14 * number, 6 + number % 5):
            at = day + (number * 5 + day) % 24 / 24
            event_id = f"{number}-{day}"
            events.append(of_customer(bought(at, 900 * (1 + number), event_id=event_id), f"c{number}"))
            if day % 3 == 0:
                events.append(of_customer(visited(at + 0.3, event_id=f"v{event_id}"), f"c{number}"))
    events.append(of_customer(bought(700, event_id="last"), "later"))
    back = timedelta(days=365 * years)
    moved = [msgspec.structs.replace(event, time=event.time - back) for event in events]
    return sorted(moved, key=lambda event: event.time)


@pytest.mark.parametrize("zone", ZONES)
def test_the_alerts_of_a_zone_are_those_of_a_replay(zone):
    judged_by = basis(f"[business]\nzone = '{zone}'\n")
    life = lives(years=8)  # Sao Paulo had summer time then, from midnight to midnight
    pipe = Pipe(guarded=False, judged_by=judged_by)
    for topic, events in by_topic(life).items():
        pipe.arrive(topic, events)
    pipe.live()
    pipe.processor.end_batch(0.1)
    _, alerts = replay(life, judged_by)

    assert alerts
    assert sorted(pipe.alerts()) == sorted(map(encode_alert, alerts))


def test_a_worker_on_the_embedded_broker_counts_the_days_of_its_policys_zone(
    mock_broker: MockBroker, prefix: str, tmp_path: Path
):
    policy = tmp_path / "policy.toml"
    policy.write_text("[business]\nzone = 'Asia/Kathmandu'\n")
    kafka = WorkerKafka(mock_broker.bootstrap, prefix, 4).touch_topics()
    kafka.environment["STREAM_POLICY"] = str(policy)
    life = lives()
    events = [*life, tick(life[-1].time)]
    kafka.send(*events)
    with WorkerProcess(kafka, tmp_path / "log") as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0
    run, alerts = replay(events, Basis(load_policy(policy), default_model()))

    assert alerts
    assert first_difference(kafka.alerts(), [encode_alert(alert) for alert in alerts]) == ""
    assert_same_profiles(kafka.profiles(), run.profiles)
