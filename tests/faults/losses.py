"""Records and topics are deleted or created again while a worker is running or stopped."""

from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.faults.workers import PARTITIONS, Progress, ToyWorker, make_topics
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker, JarBroker, create_topics
from tests.support.toy_app import TOPICS

BATCH_HEAD = struct.Struct(">qi")
"""How a batch begins in a log file: its first offset, and how many bytes follow."""


def delete_all(client: AdminClient, bootstrap: str, topic: str) -> None:
    """Every record of a topic; its offsets go on."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "deleter"})
    ends = [
        TopicPartition(topic, number, reader.get_watermark_offsets(TopicPartition(topic, number), 30)[1])
        for number in range(PARTITIONS)
    ]
    reader.close()
    for done in client.delete_records(ends).values():
        done.result(60)


def delete_topics(client: AdminClient, *topics: str) -> None:
    """Returns when the broker no longer lists them."""
    for done in client.delete_topics(list(topics)).values():
        done.result(60)
    until = time.monotonic() + 30
    while set(topics) & client.list_topics(timeout=10).topics.keys() and time.monotonic() < until:
        time.sleep(0.1)


def recreate(client: AdminClient, bootstrap: str, *topics: str) -> None:
    """Delete the topics and create them again under the same names, empty."""
    delete_topics(client, *topics)
    create_topics(bootstrap, topics)


def inputs_of(prefix: str) -> list[str]:
    return [f"{prefix}.{name}" for name in TOPICS]


def caught_up(broker: Broker, shop: Shop, folder: Path, **how: Any) -> ToyWorker:
    """A worker that has read and committed 5,000 inputs."""
    make_topics(broker.bootstrap, shop.prefix)
    worker = ToyWorker(broker.bootstrap, shop.prefix, folder / "log", **how)
    count = produce(broker.bootstrap, shop.inputs(5_000))
    Progress(broker.bootstrap, shop.prefix).wait_for(count)
    return worker


def cut_last_batch(broker: JarBroker, topic: str, partition: int) -> int:
    """Stop the broker, take the last batch out of the partition's log, start it again; the end before that.

    Nothing else changes, neither the topic's id nor the group's offsets: as after a change of leader with
    `unclean.leader.election.enable`, or when an older copy of the broker's disk was put back.
    """
    end = next_offset(broker.bootstrap, topic, partition)
    assert end is not None
    broker.stop()
    data = broker.directory / "data"
    folder = data / f"{topic}-{partition}"
    segment = max(folder.glob("*.log"))
    log, starts, at = segment.read_bytes(), [], 0
    while at < len(log):
        starts.append(at)
        at += BATCH_HEAD.size + BATCH_HEAD.unpack_from(log, at)[1]
    with segment.open("r+b") as file:
        file.truncate(starts[-1])
    for derived in [*folder.glob("*index"), *folder.glob("*.snapshot"), *data.glob(".kafka_cleanshutdown")]:
        derived.unlink()  # made of the log again
    broker.start()
    until = time.monotonic() + 60
    while next_offset(broker.bootstrap, topic, partition) is None:  # it leads the partition again
        assert time.monotonic() < until
        time.sleep(0.2)
    return end


def next_offset(bootstrap: str, topic: str, partition: int = 0) -> int | None:
    """Where the log ends; None while no broker leads the partition."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "looker", "log_level": 0})
    try:
        end: int = reader.get_watermark_offsets(TopicPartition(topic, partition), 30)[1]
        return end
    except KafkaException:
        return None
    finally:
        reader.close()
