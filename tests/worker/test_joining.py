"""Joining and leaving the consumer group: what may fail comes before the join, and every exit leaves."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.wire import partition_of
from tests.support.running_worker import WorkerKafka, WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]
NewKafka = Callable[..., WorkerKafka]


def groups(kafka: WorkerKafka) -> set[str]:
    """The consumer groups that the broker has heard of, also those without members."""
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    return {group.group_id for group in client.list_consumer_groups().result(30).valid}


def members(kafka: WorkerKafka) -> int:
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    (group,) = client.describe_consumer_groups([kafka.settings.app_id]).values()
    return len(group.result(30).members)


def test_a_worker_whose_port_is_taken_never_joins(new_kafka: NewKafka, tmp_path: Path) -> None:
    kafka = new_kafka()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with WorkerProcess(kafka, tmp_path / "log", http_port=str(port)) as worker:
            assert worker.wait_for_exit() == 2

    assert f"STREAM_HTTP_PORT = {port}" in worker.log_text().splitlines()[-1]
    assert kafka.settings.app_id not in groups(kafka)


def test_a_worker_whose_store_cannot_be_used_never_joins(new_kafka: NewKafka, tmp_path: Path) -> None:
    kafka = new_kafka()
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / "file" / "store")

    with WorkerProcess(kafka, tmp_path / "log", store="rocksdb", data_dir=folder) as worker:
        assert worker.wait_for_exit() == 78

    assert folder in json.loads(worker.log_text().splitlines()[-1])["event"]
    assert kafka.settings.app_id not in groups(kafka)


def test_health_is_answered_before_any_broker_is(broker, prefix: str, tmp_path: Path) -> None:
    with WorkerProcess(
        WorkerKafka(broker.bootstrap, prefix), tmp_path / "log", brokers="127.0.0.1:1"
    ) as worker:
        assert worker.get("/healthz")[0] == 200
        assert worker.get("/readyz")[0] == 503
        assert worker.get("/metrics")[0] == 200
        assert worker.stop() == 0


def test_a_worker_that_fails_leaves_the_group(new_kafka: NewKafka, tmp_path: Path) -> None:
    kafka = new_kafka()
    for number in range(60):
        key = b"c%d" % number
        kafka.put(kafka.names.purchases, key, b"no event", partition_of(key, kafka.partitions))
    kafka.flush()

    many = {"deadletter_count_max": "10", "deadletter_window": "100"}
    with WorkerProcess(kafka, tmp_path / "log", session_timeout_s="30", **many) as worker:
        assert worker.wait_for_exit() == 76

    assert kafka.settings.app_id in groups(kafka)
    assert members(kafka) == 0


def test_a_worker_that_cannot_open_its_partitions_leaves_the_group(
    new_kafka: NewKafka, tmp_path: Path
) -> None:
    kafka = new_kafka()
    tool = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": kafka.settings.app_id})
    place = TopicPartition(kafka.names.purchases, 0, 0, "not written by a worker")
    tool.commit(offsets=[place], asynchronous=False)
    tool.close()

    with WorkerProcess(kafka, tmp_path / "log", session_timeout_s="30") as worker:
        assert worker.wait_for_exit() == 78

    assert members(kafka) == 0
