"""The runbook's change of policy: a second worker on the same inputs takes over, and the way back works."""

import re
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition

from stream.config.environment import load_settings
from stream.worker.kafka.topics import topic_names
from tests.support.laws import assert_same_facts
from tests.support.running_worker import STREAM, WorkerKafka, WorkerProcess, first_difference, replayed, tick

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def policies(tmp_path):
    """The live policy, and one that asks for less risk before it alerts."""
    live = subprocess.run([STREAM, "policy", "default"], check=True, capture_output=True, text=True).stdout
    (tmp_path / "live.toml").write_text(live)
    (tmp_path / "next.toml").write_text(live.replace("raise_at = 0.6\n", "raise_at = 0.55\n"))
    assert "raise_at = 0.55" in (tmp_path / "next.toml").read_text()
    return tmp_path


def beside(live: WorkerKafka, policies: Path) -> WorkerKafka:
    """Kafka as the second worker uses it, with the settings that the runbook exports."""
    block = re.search(r"```\n(   export STREAM_APP_ID.*?)```", (ROOT / "docs/runbook.md").read_text(), re.S)
    assert block is not None
    exported = dict(re.findall(r"(STREAM_\w+)=(\S+)", block[1]))
    assert [line.strip() for line in block[1].splitlines()[-3:-1]] == ["stream topics apply", "stream worker"]
    made = object.__new__(WorkerKafka)
    made.__dict__.update(live.__dict__)
    group = f"{live.environment['STREAM_APP_ID']}-{exported.pop('STREAM_APP_ID')}"
    policy = str(policies / exported.pop("STREAM_POLICY"))
    made.environment = {**live.environment, **exported, "STREAM_APP_ID": group, "STREAM_POLICY": policy}
    made.settings = load_settings(made.environment)
    made.names = topic_names(made.settings)
    made._reader = Consumer({"bootstrap.servers": live.bootstrap, "group.id": group, "log_level": 0})
    applied = stream(made, "topics", "apply")
    assert (applied.returncode, applied.stdout.count("create ")) == (0, 3), applied.stdout
    return made


def stream(new_kafka: WorkerKafka, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", **new_kafka.environment}
    return subprocess.run([STREAM, *words], env=environment, capture_output=True, text=True, check=False)


def alerts_since(new_kafka: WorkerKafka, at_ms: int) -> list[str]:
    """Ids of the alerts for a consumer that starts at this time, as the runbook asks."""
    places = [TopicPartition(new_kafka.names.alerts, at, at_ms) for at in range(new_kafka.partitions)]
    starts = {place.partition: place.offset for place in new_kafka._reader.offsets_for_times(places, 30)}
    return [
        msgspec.json.decode(record.value())["id"]
        for record in new_kafka.records("alerts")
        if 0 <= starts[record.partition()] <= record.offset()
    ]


def would_alert(following: WorkerKafka, policies: Path) -> list[bytes]:
    """The alerts that the new policy would raise: the runbook's first step."""
    policy, alerts = str(policies / "next.toml"), policies / "next.jsonl"
    result = stream(following, "replay", "--from-kafka", "--policy", policy, "--alerts", str(alerts))
    assert result.returncode == 0, result.stderr
    return alerts.read_bytes().splitlines()


def switch(
    live: WorkerKafka, following: WorkerKafka, old: WorkerProcess, new: WorkerProcess, later, end
) -> None:
    """Events go on for both workers; consumers change over; the old worker stops."""
    time.sleep(0.01)
    switch_ms, history_ids = int(time.time() * 1_000), len(following.alerts())
    live.send(*later)
    live.wait_for_commits(old)
    following.wait_for_commits(new)
    fresh = alerts_since(following, switch_ms)
    assert len(fresh) == len(following.alerts()) - history_ids
    assert len(set(fresh)) == len(fresh)
    assert old.stop() == 0
    live.send(end)
    following.wait_for_commits(new)
    assert new.stop() == 0
    assert sum(live.committed().values()) < sum(live.sent().values())


def test_a_new_policy_takes_over_beside_the_live_one_and_the_way_back_stays_open(
    new_kafka, history, policies, tmp_path
):
    live, cut = new_kafka(), len(history) * 9 // 10
    live.send(*history[:cut], tick(history[cut - 1].time))
    with WorkerProcess(live, tmp_path / "live", policy=str(policies / "live.toml")) as old:
        live.wait_for_commits(old)
        alerts_before, rows_before = live.alerts(), live.rows_written()
        following = beside(live, policies)
        would = would_alert(following, policies)
        with WorkerProcess(following, tmp_path / "next") as new:
            following.wait_for_commits(new)
            assert first_difference(following.alerts(), would) == ""
            assert set(following.alerts()) != set(alerts_before)  # another policy
            assert (live.alerts(), live.rows_written()) == (alerts_before, rows_before)  # undisturbed
            switch(live, following, old, new, history[cut:], tick(history[-1].time + timedelta(days=1)))

    wanted = replayed(history)[0]
    assert following.profiles().keys() == live.profiles().keys() == wanted.keys()
    for customer, profile in following.profiles().items():
        assert_same_facts(profile, wanted[customer])
    with WorkerProcess(live, tmp_path / "back", policy=str(policies / "live.toml")) as back:
        live.wait_for_commits(back)
        assert back.stop() == 0
