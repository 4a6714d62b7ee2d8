"""Everything that the checks of `stream doctor` need, read from the cluster once; nothing is changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError as AioKafkaError
from aiokafka.structs import TopicPartition
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Message
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from stream.config.settings import Settings
from stream.core.units import DAY_MS
from stream.engine.client_internals import OpenTransaction, open_transaction
from stream.ops.cluster import TIMEOUT_S, TopicReader, bounds, newest, partitions_of, reader, records
from stream.ops.dead_letters import LetterCounts, count_letters
from stream.ops.doctor.lag import LagTrend, measure_trend
from stream.worker.kafka.connection import aiokafka_settings
from stream.worker.kafka.topics import INPUTS, ROLES, Role, TopicNames, TopicState, topic_names
from stream.worker.kafka.topics_admin import admin_client, cluster_topics

LETTERS = 50_000
"""Newest records of the dead-letter topic that are counted, over all partitions: some seconds."""
SAMPLE = 200
"""Newest records read per partition: enough to see a wrong producer, and read within a second."""

Level = Literal["ok", "note", "fault", "skipped"]


class ClusterFinding(Struct, frozen=True):
    """The result of one check. A `fault` has a remedy; a `note` is worth knowing but no failure.

    `skipped`: there was nothing to look at, or it could not be looked at; `found` says why.
    """

    check: str
    level: Level
    found: str
    remedy: str = ""


class Replicas(Struct, frozen=True):
    """The replicas of one partition: how many there should be, and how many are in sync."""

    wanted: int
    in_sync: int
    has_leader: bool


class GroupState(Struct, frozen=True):
    """The workers as a consumer group: members, and committed offset by topic and partition."""

    members: int
    committed: Mapping[tuple[str, int], int]
    problem: str = ""
    """Why the group could not be read; empty when it was."""


class ClusterView(Struct, frozen=True):
    """The cluster at one moment."""

    settings: Settings
    names: TopicNames
    brokers: int
    apis: Mapping[int, tuple[int, int]]
    """Kafka request number -> oldest and newest version that a broker supports; empty when unknown."""
    topics: Mapping[str, TopicState]
    replicas: Mapping[str, list[Replicas]]
    samples: Mapping[Role, list[Message]]
    """The newest records of each topic, SAMPLE per partition."""
    ends: Mapping[tuple[str, int], tuple[int, int]]
    """Topic and partition -> first stored offset, next offset."""
    group: GroupState
    trend: LagTrend | None
    """None while the lag is small."""
    transactions: Mapping[tuple[str, int], OpenTransaction]
    """Topic and partition of an input -> the oldest transaction that is open there, if any is."""
    now_ms: int
    letters: LetterCounts = LetterCounts({}, set(), 0, [])
    """Of the newest LETTERS records on the dead-letter topic; those of the last day are counted."""


def read_cluster(settings: Settings) -> ClusterView:
    """Read everything that the checks need; ClusterError when no broker answers."""
    names = topic_names(settings)
    client = admin_client(settings)
    listed = client.list_topics(timeout=TIMEOUT_S)
    with reader(settings) as consumer:
        samples = {role: newest(consumer, getattr(names, role), SAMPLE) for role in ROLES}
        ends = _ends(consumer, names, ROLES)
        group = _group(client, settings.app_id)
        trend = measure_trend(
            {place: ends[place] for place in ends if place[0] in names.inputs},
            group.committed,
            lambda: (_ends(consumer, names, INPUTS), _group(client, settings.app_id).committed),
            settings.flush_interval_ms / 1_000,
        )
        now_ms = int(time.time() * 1_000)
        letters = _letters(consumer, names.deadletter, ends, now_ms - DAY_MS)
    inputs = [place for place in ends if place[0] in names.inputs]
    apis, transactions = asyncio.run(_asked_directly(settings, inputs))
    return ClusterView(
        settings=settings,
        names=names,
        brokers=len(listed.brokers),
        apis=apis,
        topics=cluster_topics(client, [getattr(names, role) for role in ROLES]),
        replicas={name: _replicas(topic) for name, topic in listed.topics.items()},
        samples=samples,
        ends=ends,
        group=group,
        trend=trend,
        transactions=transactions,
        now_ms=now_ms,
        letters=letters,
    )


def _letters(
    consumer: TopicReader, topic: str, ends: Mapping[tuple[str, int], tuple[int, int]], since_ms: int
) -> LetterCounts:
    """The dead letters since `since_ms`, among the newest LETTERS records."""
    stored = {place: low_high for place, low_high in ends.items() if place[0] == topic}
    each = LETTERS // max(len(stored), 1)
    starts = {place: max(low, high - each) for place, (low, high) in stored.items()}
    unread = sum(starts[place] - low for place, (low, _) in stored.items())
    return count_letters(records(consumer, starts), since_ms, unread)


def _replicas(topic: Any) -> list[Replicas]:
    parts = topic.partitions.values()
    return [Replicas(len(part.replicas), len(part.isrs), part.leader >= 0) for part in parts]


def _ends(
    consumer: Consumer, names: TopicNames, roles: Iterable[Role]
) -> dict[tuple[str, int], tuple[int, int]]:
    """First stored offset and next offset of every partition."""
    topics = [getattr(names, role) for role in roles]
    return {
        (topic, number): bounds(consumer, topic, number)
        for topic in topics
        for number in partitions_of(consumer, topic)
    }


def _group(client: AdminClient, group_id: str) -> GroupState:
    """Members and committed offsets; no members and no offsets for a group that does not exist."""
    try:
        described = client.describe_consumer_groups([group_id], request_timeout=TIMEOUT_S)[group_id].result()
        asked = [ConsumerGroupTopicPartitions(group_id)]
        offsets = client.list_consumer_group_offsets(asked, request_timeout=TIMEOUT_S)[group_id].result()
    except KafkaException as failure:
        return GroupState(0, {}, failure.args[0].str())
    committed = {
        (part.topic, part.partition): part.offset for part in offsets.topic_partitions if part.offset >= 0
    }
    return GroupState(len(described.members), committed)


async def _asked_directly(
    settings: Settings, places: Sequence[tuple[str, int]]
) -> tuple[Mapping[int, tuple[int, int]], Mapping[tuple[str, int], OpenTransaction]]:
    """What only aiokafka can ask: the request versions of one broker, and the open transactions of `places`.

    As much of it as the brokers answer.
    """
    apis: Mapping[int, tuple[int, int]] = {}
    transactions: dict[tuple[str, int], OpenTransaction] = {}
    client = AIOKafkaClient(**aiokafka_settings(settings))
    try:
        await client.bootstrap()
        node = next(iter(client.cluster.brokers())).nodeId
        connection = await client._get_conn(node)
        apis = dict(getattr(connection, "_versions", None) or {})  # aiokafka has no public name for it
        await client.set_topics({topic for topic, _ in places})
        for place in places:
            found = await open_transaction(client, TopicPartition(*place))
            transactions |= {place: found} if found is not None else {}
    except AioKafkaError:
        pass
    finally:
        await client.close()
    return apis, transactions
