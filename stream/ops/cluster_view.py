"""One look at a cluster: everything that `stream doctor` judges, gathered without changing anything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError as AioKafkaError
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Message
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from stream.config.settings import Settings
from stream.ops.cluster import TIMEOUT_S, bounds, newest, partitions_of, reader
from stream.ops.lag import Pace, look_again
from stream.worker.kafka.connection import tls_context
from stream.worker.kafka.topics import INPUTS, ROLES, Role, TopicNames, TopicState, topic_names
from stream.worker.kafka.topics_admin import admin_client, cluster_topics

SAMPLE = 200
"""Records looked at per partition, the newest."""

Level = Literal["ok", "note", "fault"]


class Finding(Struct, frozen=True):
    """What one check saw; a fault has its remedy. A `note` is worth knowing and no reason to fail."""

    check: str
    level: Level
    found: str
    remedy: str = ""


class Replicas(Struct, frozen=True):
    """Copies of one partition: how many there should be, and how many keep up."""

    wanted: int
    in_sync: int
    has_leader: bool


class Group(Struct, frozen=True):
    """The workers as a consumer group."""

    members: int
    committed: Mapping[tuple[str, int], int]


class View(Struct, frozen=True):
    """The cluster at one moment."""

    settings: Settings
    names: TopicNames
    brokers: int
    apis: Mapping[int, tuple[int, int]]
    topics: Mapping[str, TopicState]
    replicas: Mapping[str, list[Replicas]]
    samples: Mapping[Role, list[Message]]
    ends: Mapping[tuple[str, int], tuple[int, int]]
    group: Group
    pace: Pace | None
    now_ms: int


def look(settings: Settings) -> View:
    """Ask the cluster everything; ClusterError when it does not answer."""
    names = topic_names(settings)
    client = admin_client(settings)
    listed = client.list_topics(timeout=TIMEOUT_S)
    with reader(settings) as consumer:
        samples = {role: newest(consumer, getattr(names, role), SAMPLE) for role in ROLES}
        ends = _ends(consumer, names, ROLES)
        group = _group(client, settings.app_id)
        pace = look_again(
            {place: ends[place] for place in ends if place[0] in names.inputs},
            group.committed,
            lambda: (_ends(consumer, names, INPUTS), _group(client, settings.app_id).committed),
            settings.flush_interval_ms / 1_000,
        )
    return View(
        settings=settings,
        names=names,
        brokers=len(listed.brokers),
        apis=asyncio.run(_apis(settings)),
        topics=cluster_topics(client, [getattr(names, role) for role in ROLES]),
        replicas={name: _replicas(topic) for name, topic in listed.topics.items()},
        samples=samples,
        ends=ends,
        group=group,
        pace=pace,
        now_ms=int(time.time() * 1_000),
    )


def _replicas(topic: Any) -> list[Replicas]:
    parts = topic.partitions.values()
    return [Replicas(len(part.replicas), len(part.isrs), part.leader >= 0) for part in parts]


def _ends(
    consumer: Consumer, names: TopicNames, roles: Iterable[Role]
) -> dict[tuple[str, int], tuple[int, int]]:
    """First and next offset of every partition."""
    topics = [getattr(names, role) for role in roles]
    return {
        (topic, number): bounds(consumer, topic, number)
        for topic in topics
        for number in partitions_of(consumer, topic)
    }


def _group(client: AdminClient, group_id: str) -> Group:
    """Members and committed offsets; a group nobody ever joined has neither."""
    try:
        described = client.describe_consumer_groups([group_id], request_timeout=TIMEOUT_S)[group_id].result()
        asked = [ConsumerGroupTopicPartitions(group_id)]
        offsets = client.list_consumer_group_offsets(asked, request_timeout=TIMEOUT_S)[group_id].result()
    except KafkaException:
        return Group(0, {})
    committed = {
        (part.topic, part.partition): part.offset for part in offsets.topic_partitions if part.offset >= 0
    }
    return Group(len(described.members), committed)


async def _apis(settings: Settings) -> Mapping[int, tuple[int, int]]:
    """Requests a broker knows, by number, with oldest and newest version; empty when it will not say."""
    client = AIOKafkaClient(
        bootstrap_servers=settings.brokers,
        security_protocol=settings.security,
        ssl_context=tls_context(settings),
        sasl_mechanism=settings.sasl_mechanism,
        sasl_plain_username=settings.sasl_username or None,
        sasl_plain_password=settings.sasl_password or None,
    )
    try:
        await client.bootstrap()
        node = next(iter(client.cluster.brokers())).nodeId
        connection = await client._get_conn(node)
        return dict(getattr(connection, "_versions", None) or {})  # aiokafka keeps it to itself
    except AioKafkaError:
        return {}
    finally:
        await client.close()
