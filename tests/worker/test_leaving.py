"""How a worker ends when it cannot go on: an exit code and one readable message."""

import json
import re
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from stream.wire import partition_of
from tests.support.running_worker import WorkerKafka, WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


@pytest.fixture(scope="module", autouse=True)
def lonely(broker, tmp_path_factory) -> Iterator[WorkerProcess]:
    """A worker without a broker. It waits long, so it is started first and checked last."""
    log = tmp_path_factory.mktemp("lonely") / "log"
    with WorkerProcess(WorkerKafka(broker.bootstrap, "lonely"), log, brokers="127.0.0.1:1") as worker:
        yield worker


def leaves(kafka: WorkerKafka, log, **settings: str) -> tuple[int, str]:
    with WorkerProcess(kafka, log, **settings) as worker:
        return worker.wait_for_exit(), worker.log_text()


def test_missing_topics(broker, prefix, tmp_path):
    code, output = leaves(WorkerKafka(broker.bootstrap, prefix), tmp_path / "log")

    assert code == 78
    assert output.splitlines()[-1].endswith("does not exist; `stream topics apply` creates it")


def test_topics_with_unequal_partitions(new_kafka, tmp_path):
    kafka = new_kafka(2)
    more = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for made in more.create_partitions([NewPartitions(kafka.names.feedback, 3)]).values():
        made.result(30)

    code, output = leaves(kafka, tmp_path / "log")

    assert code == 78
    assert f"{kafka.names.feedback} 3" in output.splitlines()[-1]


def test_partitions_added_while_a_worker_runs(new_kafka, history, tmp_path):
    kafka = new_kafka(2)
    kafka.send(*history[:500])
    more = AdminClient({"bootstrap.servers": kafka.bootstrap})
    names = (*kafka.names.inputs, kafka.names.profiles, kafka.names.alerts, kafka.names.deadletter)

    with WorkerProcess(kafka, tmp_path / "log", session_timeout_s="8") as worker:
        kafka.wait_for_commits(worker)
        for made in more.create_partitions([NewPartitions(name, 4) for name in names]).values():
            made.result(30)
        assert worker.wait_for_exit() == 78
        under_it = json.loads(worker.log_text().splitlines()[-1])["event"]
    code, output = leaves(kafka, tmp_path / "again")

    assert "the number of partitions was changed (2 when this worker started" in under_it
    assert code == 78
    assert "profiles seen in partition 0 belong elsewhere" in json.loads(output.splitlines()[-1])["event"]


def test_a_faulty_policy_file(broker, prefix, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text("[tiers\n")

    code, output = leaves(WorkerKafka(broker.bootstrap, prefix), tmp_path / "log", policy=str(policy))

    assert code == 2
    assert "Traceback" not in output
    assert f"{policy}:1" in output


def test_too_many_dead_letters_stop_the_worker(new_kafka, tmp_path):
    kafka = new_kafka()
    for number in range(60):
        key = b"c%d" % number
        kafka.put(kafka.names.purchases, key, b"no event", partition_of(key, kafka.partitions))
    kafka.flush()

    code, output = leaves(kafka, tmp_path / "log", deadletter_count_max="10", deadletter_window="100")

    assert code == 76
    last = json.loads(output.splitlines()[-1])
    assert "records were rejected; the limit is 10 and 50% (STREAM_DEADLETTER_*)" in last["event"]


def test_health_and_metrics_of_a_running_worker(new_kafka, history, tmp_path):
    kafka = new_kafka()
    kafka.send(*history[:500])

    with WorkerProcess(kafka, tmp_path / "log") as worker:
        kafka.wait_for_commits(worker)
        assert worker.get("/healthz")[0] == worker.get("/readyz")[0] == 200
        assert sum(worker.metrics("events_total").values()) == sum(kafka.sent().values())
        assert set(worker.metrics("consumer_lag_records").values()) == {0.0}
        assert len(worker.metrics("watermark_timestamp_seconds")) == kafka.partitions
        assert worker.metrics("rebalances_total")[""] >= 1
        assert sum(worker.metrics("table_keys").values()) == len(kafka.rows())
        for fed in ("batch_processing_seconds_count", "flush_duration_seconds_count"):
            assert worker.metrics(fed)[""] >= 1
        assert worker.stop() == 0
        assert re.search(r"policy \w+ \(sha256:\w{64}\); model \w+", worker.log_text())
    assert kafka.committed() == kafka.sent()


def test_a_missing_broker(lonely):
    code, output = lonely.wait_for_exit(), lonely.log_text()

    assert code == 2
    assert output.splitlines()[-1].startswith("stream: STREAM_BROKERS = '127.0.0.1:1': no answer from Kafka")
