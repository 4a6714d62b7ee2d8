"""Topics: required settings, differences, and both on a real Apache Kafka."""

import json
import time

import msgspec
import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from stream.commands.main import main
from stream.config.environment import load_settings
from stream.config.settings import Settings
from stream.core.units import DAY_MS
from stream.ops.topic_setup import alerts_needed_ms
from stream.policy_file import load_policy
from stream.worker.kafka.embedded import PARTITIONS, EmbeddedBroker
from stream.worker.kafka.topics import (
    CENTURY_MS,
    INPUTS,
    KEPT_DAYS,
    KEPT_ROLES,
    ROLES,
    TopicFinding,
    TopicState,
    topic_findings,
    topic_names,
    topic_plans,
)


def as_planned(settings: Settings) -> dict[str, TopicState]:
    return {plan.name: TopicState(plan.partitions, dict(plan.config)) for plan in topic_plans(settings)}


def test_all_topics_have_the_same_number_of_partitions():
    assert {plan.partitions for plan in topic_plans(Settings(partitions=7))} == {7}


def test_inputs_and_profiles_have_no_time_limit():
    kept = {plan.role: plan.config["retention.ms"] for plan in topic_plans(Settings())}

    assert {role for role, retention in kept.items() if retention == "-1"} == {*INPUTS, "profiles"}


def test_inputs_start_segment_files_by_size_alone():
    for plan in topic_plans(Settings()):
        assert (plan.config.get("segment.ms") == str(CENTURY_MS)) == (plan.role in INPUTS), plan.name


def test_a_time_limit_counts_from_the_time_of_writing():
    for plan in topic_plans(Settings()):
        limited = plan.config["retention.ms"] != "-1"
        assert (plan.config["message.timestamp.type"] == "LogAppendTime") == limited, plan.name


def test_three_copies_need_two_acknowledgements():
    assert all(p.config["min.insync.replicas"] == "2" for p in topic_plans(Settings(replication=3)))
    assert all("min.insync.replicas" not in p.config for p in topic_plans(Settings(replication=1)))


def test_names_carry_the_prefix():
    names = topic_names(load_settings({"STREAM_TOPIC_PREFIX": "staging.", "STREAM_TOPIC_ALERTS": "warnings"}))

    assert names.alerts == "staging.warnings"
    assert names.inputs[0] == "staging.customers.purchases.v1"


def test_a_cluster_as_planned_has_no_difference():
    settings = Settings()

    assert {f.what for f in topic_findings(topic_plans(settings), as_planned(settings))} == {"ok"}


def test_each_difference_is_found_once():
    settings = Settings()
    cluster = as_planned(settings)
    names = topic_names(settings)
    del cluster[names.alerts]
    cluster[names.purchases] = TopicState(3, cluster[names.purchases].config)
    cluster[names.profiles] = TopicState(12, {**cluster[names.profiles].config, "cleanup.policy": "delete"})

    found = [finding for finding in topic_findings(topic_plans(settings), cluster) if finding.what != "ok"]

    assert found == [
        TopicFinding(names.purchases, "partitions", "", "12", "3", "purchases"),
        TopicFinding(names.profiles, "config", "cleanup.policy", "compact", "delete", "profiles"),
        TopicFinding(names.alerts, "missing", role="alerts"),
    ]
    assert "never changed: set STREAM_PARTITIONS=3" in found[0].line()
    assert found[1].line().endswith("is delete, not compact; `stream topics apply --alter` corrects it")
    assert found[2].line() == f"{names.alerts}: missing; `stream topics apply` creates it"


@pytest.mark.parametrize("role", ROLES)
def test_a_topic_with_other_partitions_is_made_again_only_where_nothing_is_lost(role):
    settings = Settings()
    cluster = as_planned(settings)
    name = getattr(topic_names(settings), role)
    cluster[name] = TopicState(1, cluster[name].config)

    (found,) = [finding for finding in topic_findings(topic_plans(settings), cluster) if finding.what != "ok"]

    assert (found.topic, found.what) == (name, "partitions")
    assert ("delete this topic" in found.remedy) == (role in ("alerts", "shadow", "deliveries", "deadletter"))
    assert ("send the events again" in found.remedy) == (role in INPUTS)
    assert ("cut over" in found.remedy) == (role == "profiles")


def test_the_embedded_broker_is_a_usage_error():
    answer = CliRunner().invoke(main, ["topics", "apply"], env={"STREAM_BROKERS": "embedded"})

    assert answer.exit_code == 2
    assert "STREAM_BROKERS" in answer.output


def test_the_embedded_broker_keeps_what_is_sent_until_it_is_closed():
    with EmbeddedBroker() as broker:
        broker.create("t")
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        producer.produce("t", b"v", b"k", partition=PARTITIONS - 1)
        assert producer.flush(10) == 0
        consumer = Consumer(
            {"bootstrap.servers": broker.bootstrap, "group.id": "g", "auto.offset.reset": "earliest"}
        )
        partitions = consumer.list_topics("t", timeout=10).topics["t"].partitions
        consumer.subscribe(["t"])
        record = consumer.poll(20)
        consumer.close()

    assert len(partitions) == PARTITIONS
    assert record is not None
    assert record.value() == b"v"


def run(broker_address: str, prefix: str, *arguments: str, **more: str) -> Result:
    environ = {
        "STREAM_BROKERS": broker_address,
        "STREAM_TOPIC_PREFIX": f"{prefix}.",
        "STREAM_PARTITIONS": "3",
    }
    return CliRunner().invoke(main, ["topics", *arguments, "--json"], env={**environ, **more})


@pytest.mark.kafka
def test_topics_are_created_once(broker, prefix):
    before = run(broker.bootstrap, prefix, "check")
    planned = run(broker.bootstrap, prefix, "apply", "--dry-run")
    made = run(broker.bootstrap, prefix, "apply")
    again = run(broker.bootstrap, prefix, "apply")
    after = run(broker.bootstrap, prefix, "check")

    assert (before.exit_code, planned.exit_code) == (1, 1)
    assert len(json.loads(planned.output)["done"]) == len(ROLES)
    assert made.exit_code == 0, made.output
    assert json.loads(again.output) == {"done": [], "differences": []}
    assert after.exit_code == 0, after.output


@pytest.mark.kafka
def test_a_wrong_setting_is_corrected_only_with_alter(broker, prefix):
    name = f"{prefix}.customers.profiles.v1"
    wrong = NewTopic(name, num_partitions=3, replication_factor=1, config={"cleanup.policy": "delete"})
    client = AdminClient({"bootstrap.servers": broker.bootstrap})
    client.create_topics([wrong])[name].result(20)
    wait_for_partitions(client, name, 3)

    kept = run(broker.bootstrap, prefix, "apply")
    corrected = run(broker.bootstrap, prefix, "apply", "--alter")
    after = run(broker.bootstrap, prefix, "check")

    assert kept.exit_code == 1
    assert {d["topic"] for d in json.loads(kept.output)["differences"]} == {name}
    assert corrected.exit_code == 0, corrected.output
    assert f"alter {name}: cleanup.policy=compact" in json.loads(corrected.output)["done"]
    assert after.exit_code == 0, after.output


def wait_for_partitions(client: AdminClient, name: str, wanted: int) -> None:
    """A broker knows of new partitions a moment after the controller."""
    for _ in range(200):
        if len(client.list_topics(name, timeout=5).topics[name].partitions) == wanted:
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} never had {wanted} partitions")


@pytest.mark.kafka
def test_partitions_are_never_changed(broker, prefix):
    assert run(broker.bootstrap, prefix, "apply").exit_code == 0
    name = f"{prefix}.customers.alerts.v1"
    client = AdminClient({"bootstrap.servers": broker.bootstrap})
    client.create_partitions([NewPartitions(name, 5)])[name].result(20)
    wait_for_partitions(client, name, 5)

    result = run(broker.bootstrap, prefix, "apply", "--alter")

    assert result.exit_code == 1
    [difference] = json.loads(result.output)["differences"]
    assert difference.pop("remedy").startswith("set STREAM_PARTITIONS=5 if all topics have so many")
    assert difference == {
        "topic": name, "what": "partitions", "config": "", "wanted": "3", "found": "5", "role": "alerts"
    }  # fmt: skip


def test_no_broker_is_one_readable_line(monkeypatch):
    monkeypatch.setattr("stream.worker.kafka.topics_admin.ADMIN_TIMEOUT_S", 0.5)

    answer = run("127.0.0.1:1", "p", "check")

    assert answer.exit_code == 1
    assert "no broker answers at 127.0.0.1:1 (STREAM_BROKERS)" in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("found", "needed_days", "wanted_days"),
    [
        ("2592000000", 0, 400),
        (str(400 * DAY_MS - 1), 0, 400),
        (str(400 * DAY_MS), 500, 500),
        (str(400 * DAY_MS), 0, None),
        (str(800 * DAY_MS), 0, None),
        ("-1", 500, None),
    ],
)
def test_alerts_that_are_kept_too_short_are_found_with_the_reason_and_longer_is_fine(
    found, needed_days, wanted_days
):
    settings = Settings()
    cluster = as_planned(settings)
    names = [plan.name for plan in topic_plans(settings) if plan.role in KEPT_ROLES]
    for name in names:
        cluster[name].config["retention.ms"] = found

    findings = topic_findings(topic_plans(settings, needed_days * DAY_MS), cluster)

    lines = [finding.line() for finding in findings if finding.what != "ok"]
    assert len(names) == 2
    assert len(lines) == len(names) * (wanted_days is not None)
    if wanted_days is not None:
        assert f"retention.ms is {found}, not {wanted_days * DAY_MS}: alerts must be there until" in lines[0]
        assert lines[0].endswith("`stream topics apply --alter` corrects it")


def test_how_long_alerts_are_needed_follows_the_policy():
    shipped = alerts_needed_ms(load_policy(None))
    longer = msgspec.structs.replace
    policy = load_policy(None)
    rule = longer(policy.churn_risk.hysteresis, expire_ms=500 * DAY_MS)

    slow = longer(policy, churn_risk=longer(policy.churn_risk, hysteresis=rule))

    assert shipped <= KEPT_DAYS * DAY_MS
    assert alerts_needed_ms(slow) == 560 * DAY_MS
