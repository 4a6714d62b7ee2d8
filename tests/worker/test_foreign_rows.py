"""Records of strangers on the profiles topic: a worker reports and skips them, and works."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from stream.core.events.event import Event
from tests.support.running_worker import WorkerKafka, WorkerProcess, replayed, tick

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def take_records_without_key(kafka: WorkerKafka) -> None:
    """A compacted topic refuses them; one that somebody has set otherwise does not."""
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    setting = ConfigEntry("cleanup.policy", "delete", incremental_operation=AlterConfigOpType.SET)
    topic = ConfigResource(ResourceType.TOPIC, kafka.names.profiles, incremental_configs=[setting])
    client.incremental_alter_configs([topic])[topic].result(30)


def put_by_a_stranger(
    kafka: WorkerKafka, value: bytes | None, key: bytes | None, partition: int, epoch: bytes
) -> None:
    """The broker takes it a moment after the topic was set so."""
    refused: list[object] = [True]
    until = time.monotonic() + 30
    while refused:
        assert time.monotonic() < until, refused
        refused.clear()
        client = Producer({"bootstrap.servers": kafka.bootstrap})
        client.produce(
            kafka.names.profiles, value, key, partition, headers={"epoch": epoch},
            on_delivery=lambda error, _: refused.append(error) if error else None,
        )  # fmt: skip
        assert client.flush(30) == 0


@pytest.mark.parametrize("store", ["memory", "rocksdb"])
def test_records_that_no_worker_wrote_are_skipped(
    new_kafka: Callable[..., WorkerKafka], history: list[Event], tmp_path: Path, store: str
) -> None:
    kafka = new_kafka()
    take_records_without_key(kafka)
    kafka.send(*history[:300], tick(history[299].time))
    for partition in range(kafka.partitions):
        put_by_a_stranger(kafka, b"no row", None, partition, b"soon")
        put_by_a_stranger(kafka, None, b"nobody", partition, b"9" * 4_400)

    with WorkerProcess(kafka, tmp_path / "log", store=store, data_dir=str(tmp_path / "rows")) as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    assert "have no key and were skipped" in worker.log_text()
    rows = [each for each in kafka.records("profiles") if each.key() is not None and each.value() is not None]
    assert {row.key().decode() for row in rows} - {"\0model"} == replayed(
        [*history[:300], tick(history[299].time)]
    )[0].keys()
