"""How a worker ends when it cannot or must not go on: an exit code and one readable message."""

import json
import re
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from stream.wire import partition_of
from tests.support.running_worker import Ground, WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


@pytest.fixture(scope="module", autouse=True)
def lonely(broker, tmp_path_factory) -> Iterator[WorkerProcess]:
    """A worker without a broker. It has patience, so it is started first and looked at last."""
    log = tmp_path_factory.mktemp("lonely") / "log"
    with WorkerProcess(Ground(broker.bootstrap, "lonely"), log, brokers="127.0.0.1:1") as worker:
        yield worker


def leaves(here: Ground, log, **settings: str) -> tuple[int, str]:
    with WorkerProcess(here, log, **settings) as worker:
        return worker.wait_for_exit(), worker.told()


def test_topics_that_are_not_there(broker, prefix, tmp_path):
    code, told = leaves(Ground(broker.bootstrap, prefix), tmp_path / "log")

    assert code == 2
    (line,) = told.splitlines()
    assert line.endswith("does not exist; `stream topics apply` creates it")


def test_topics_with_unequal_partitions(ground, tmp_path):
    here = ground(2)
    more = AdminClient({"bootstrap.servers": here.bootstrap})
    for made in more.create_partitions([NewPartitions(here.names.feedback, 3)]).values():
        made.result(30)

    code, told = leaves(here, tmp_path / "log")

    assert code == 2
    (line,) = told.splitlines()
    assert f"{here.names.feedback} 3" in line


def test_partitions_added_to_every_topic_under_a_running_worker_and_after(ground, history, tmp_path):
    here = ground(2)
    here.send(*history[:500])
    more = AdminClient({"bootstrap.servers": here.bootstrap})
    names = (*here.names.inputs, here.names.profiles, here.names.alerts, here.names.deadletter)

    with WorkerProcess(here, tmp_path / "log", session_timeout_s="8") as worker:
        here.wait_for_commits(worker)
        for made in more.create_partitions([NewPartitions(name, 4) for name in names]).values():
            made.result(30)
        assert worker.wait_for_exit() == 78
        under_it = json.loads(worker.told().splitlines()[-1])["event"]
    code, told = leaves(here, tmp_path / "again")

    assert "the number of partitions was changed (2 when this worker started" in under_it
    assert code == 78
    assert "profiles seen in partition 0 belong elsewhere" in json.loads(told.splitlines()[-1])["event"]


def test_a_policy_file_with_a_fault(broker, prefix, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text("[tiers\n")

    code, told = leaves(Ground(broker.bootstrap, prefix), tmp_path / "log", policy=str(policy))

    assert code == 2
    assert "Traceback" not in told
    assert f"{policy}:1" in told


def test_too_many_dead_letters_stop_the_worker(ground, tmp_path):
    here = ground()
    for number in range(60):
        key = b"c%d" % number
        here.put(here.names.purchases, key, b"no event", partition_of(key, here.partitions))
    here.flush()

    code, told = leaves(here, tmp_path / "log", deadletter_count_max="10", deadletter_window="100")

    assert code == 76
    last = json.loads(told.splitlines()[-1])
    assert "records were rejected; the limit is 10 and 50% (STREAM_DEADLETTER_*)" in last["event"]


def test_a_running_worker_tells_how_it_is(ground, history, tmp_path):
    here = ground()
    here.send(*history[:500])

    with WorkerProcess(here, tmp_path / "log") as worker:
        here.wait_for_commits(worker)
        assert worker.get("/healthz")[0] == worker.get("/readyz")[0] == 200
        assert sum(worker.metrics("events_total").values()) == sum(here.sent().values())
        assert set(worker.metrics("consumer_lag_records").values()) == {0.0}
        assert len(worker.metrics("watermark_timestamp_seconds")) == here.partitions
        assert worker.metrics("rebalances_total")[""] >= 1
        assert sum(worker.metrics("table_keys").values()) == len(here.rows())
        for fed in ("batch_processing_seconds_count", "flush_duration_seconds_count"):
            assert worker.metrics(fed)[""] >= 1
        assert worker.stop() == 0
        assert re.search(r"policy \w+ \(sha256:\w{64}\); model \w+", worker.told())
    assert here.committed() == here.sent()


def test_a_broker_that_is_not_there(lonely):
    code, told = lonely.wait_for_exit(), lonely.told()

    assert code == 2
    (line,) = told.splitlines()
    assert line.startswith("stream: STREAM_BROKERS = '127.0.0.1:1': no answer from Kafka")
