"""Reads, creates and alters the topics of a real cluster. It never changes a number of partitions."""

from __future__ import annotations

import time
from collections.abc import Iterable

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from stream.config.settings import Settings
from stream.kafka_causes import NoAnswerError, in_words, wait_for_kafka
from stream.worker.kafka.connection import librdkafka_settings
from stream.worker.kafka.topics import TopicFinding, TopicPlan, TopicState

ADMIN_TIMEOUT_S = 15.0


class ClusterError(Exception):
    """The cluster does not answer or refuses a request; the message is one line."""


def admin_client(settings: Settings) -> AdminClient:
    """A client that is connected: a broker has answered it. ClusterError when none does."""
    connected(settings)
    return AdminClient({**librdkafka_settings(settings), "log_level": 0})


def connected(settings: Settings) -> None:
    """Return when a broker answers; ClusterError with the cause when none does."""
    try:
        wait_for_kafka(librdkafka_settings(settings), ADMIN_TIMEOUT_S)
    except NoAnswerError as cause:
        raise ClusterError(f"no broker answers at {settings.brokers} (STREAM_BROKERS): {cause}") from cause


def cluster_topics(client: AdminClient, names: Iterable[str]) -> dict[str, TopicState]:
    """The existing ones of these topics, with their partitions and effective settings."""
    listed = client.list_topics(timeout=ADMIN_TIMEOUT_S).topics
    present = [name for name in names if name in listed]
    if not present:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in present]
    states = {}
    for resource, answer in client.describe_configs(resources, request_timeout=ADMIN_TIMEOUT_S).items():
        config = {name: str(entry.value) for name, entry in _answered(resource.name, answer).items()}
        states[resource.name] = TopicState(len(listed[resource.name].partitions), config)
    return states


def create_topics(client: AdminClient, plans: Iterable[TopicPlan]) -> None:
    """Create these topics; one that exists by now is left as it is."""
    wanted = [
        NewTopic(p.name, num_partitions=p.partitions, replication_factor=p.replication, config=p.config)
        for p in plans
    ]
    if not wanted:
        return
    for name, answer in client.create_topics(wanted, request_timeout=ADMIN_TIMEOUT_S).items():
        try:
            answer.result()
        except KafkaException as error:
            if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                raise ClusterError(f"{name} could not be created: {in_words(error.args[0])}") from error


def alter_topics(client: AdminClient, drifted: Iterable[TopicFinding]) -> None:
    """Set the settings that differ, and wait until the cluster reports the new values."""
    wanted = list(drifted)
    entries: dict[str, list[ConfigEntry]] = {}
    for finding in wanted:
        entry = ConfigEntry(finding.config, finding.wanted, incremental_operation=AlterConfigOpType.SET)
        entries.setdefault(finding.topic, []).append(entry)
    if not entries:
        return
    kind = ResourceType.TOPIC
    resources = [ConfigResource(kind, name, incremental_configs=each) for name, each in entries.items()]
    for resource, answer in client.incremental_alter_configs(
        resources, request_timeout=ADMIN_TIMEOUT_S
    ).items():
        _answered(resource.name, answer)
    until = time.monotonic() + ADMIN_TIMEOUT_S
    while not _are_in_effect(client, wanted) and time.monotonic() < until:
        time.sleep(0.1)


def _are_in_effect(client: AdminClient, wanted: Iterable[TopicFinding]) -> bool:
    names = {finding.topic for finding in wanted}
    resources = {name: ConfigResource(ResourceType.TOPIC, name) for name in names}
    answers = client.describe_configs(list(resources.values()), request_timeout=ADMIN_TIMEOUT_S)
    configs = {resource.name: _answered(resource.name, answer) for resource, answer in answers.items()}
    return all(configs[each.topic][str(each.config)].value == each.wanted for each in wanted)


def _answered(name: str, answer: object) -> dict[str, ConfigEntry]:
    try:
        return answer.result() or {}  # type: ignore[attr-defined]
    except KafkaException as error:
        raise ClusterError(f"{name}: {in_words(error.args[0])}") from error
