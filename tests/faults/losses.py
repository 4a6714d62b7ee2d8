"""Records and topics are deleted or created again while a worker is running or stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.faults.workers import PARTITIONS, Progress, ToyWorker, make_topics
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker, create_topics
from tests.support.toy_app import TOPICS


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
