"""A policy in running workers: tried as a shadow, compared, put in force, taken back, each by a command."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.commands.policy_difference import kinds_as_json
from stream.core.alerts.alert import rfc3339
from stream.core.events.event import PolicyPublished, PurchaseCompleted
from stream.policy_file import parse_policy
from stream.replay.policy_diff import alert_differences
from stream.replay.run import replay
from stream.wire import decode_line, encode_alert
from tests.support.builders import basis
from tests.support.published_policies import BOLD_TEXT, of_policy, switched
from tests.support.running_worker import SHOP, WorkerProcess, tick
from tests.support.shop import write_events

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def bought(history):
    return [one for one in history if isinstance(one, PurchaseCompleted)]


def stream(kafka, *words):
    return CliRunner().invoke(main, [str(word) for word in words], env=kafka.environment)


def done(kafka, *words):
    answer = stream(kafka, "policy", *words, "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.output)


def read(kafka, role):
    return {encoded for record in kafka.records(role) if (encoded := record.value())}


def lived(kafka, bought, folder):
    """Four quarters of a history: a shadow after the first, promoted after the second, rolled back after the
    third. What `stream policy shadow` showed before the promotion."""
    path, quarter = folder / "bold.toml", len(bought) // 4
    path.write_text(BOLD_TEXT)

    def sent(worker, events):
        answer = stream(kafka, "send", write_events(events, folder / "events.jsonl"))
        assert answer.exit_code == 0, answer.output
        kafka.wait_for_commits(worker)

    with WorkerProcess(kafka, folder / "log") as worker:
        sent(worker, bought[:quarter])
        assert stream(kafka, "policy", "promote").exit_code == 1, "there is no shadow yet"
        assert stream(kafka, "policy", "rollback").exit_code == 1
        assert done(kafka, "publish", path)["partitions"] == kafka.partitions
        sent(worker, bought[quarter : 2 * quarter])
        kafka.send(tick(bought[2 * quarter - 1].time))  # the clocks of all partitions agree
        kafka.wait_for_commits(worker)
        shown = done(kafka, "shadow")
        done(kafka, "promote")
        sent(worker, bought[2 * quarter : 3 * quarter])
        assert done(kafka, "rollback")["mode"] == "off"
        sent(worker, bought[3 * quarter :])
        kafka.send(tick(SHOP.ends))
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0
    return shown


def test_shadow_promotion_and_rolling_back_are_those_of_replays(new_kafka, bought, tmp_path):
    kafka, bold = new_kafka(), parse_policy(BOLD_TEXT)
    shown = lived(kafka, bought, tmp_path)

    decoded = {value: decode_line(value) for value in read(kafka, "control")}
    published = [event for event in decoded.values() if isinstance(event, PolicyPublished)]
    assert sorted(event.data.mode for event in published) == ["active", "off", "shadow"]
    events = sorted([*bought, *published, tick(SHOP.ends)], key=lambda event: event.time_ms)
    run, alerts = replay(events, basis())
    assert read(kafka, "alerts") == {encode_alert(alert) for alert in alerts}
    assert run.refused == []

    began, promoted = (
        next(event for event in published if event.data.mode == mode) for mode in ("shadow", "active")
    )
    until_ms = promoted.time_ms
    until = [event for event in events if event.time_ms <= until_ms and event is not promoted]
    active, instead = (replay(each, basis(), until_ms=until_ms)[1] for each in (until, switched(until)))
    assert read(kafka, "shadow") == of_policy({encode_alert(alert) for alert in instead}, bold)
    since = [alert for alert in raised(active) if alert.time > rfc3339(began.time_ms)]
    beside = [alert for alert in raised(instead) if alert.data.policy.hash == bold.hash]
    wanted = kinds_as_json(alert_differences(since, beside))
    assert shown["kinds"] == wanted
    assert any(each["only_b"] for each in wanted.values())


def raised(alerts):
    return [alert for alert in alerts if alert.data.state == "raised"]
