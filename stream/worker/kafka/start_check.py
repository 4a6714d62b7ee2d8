"""What a worker needs of Kafka, asked before it joins its group: an answer, its topics, its rights.

A missing right is found here, with the name of the ACL. Later Kafka only refuses a request, and a group that
may not be joined does not even say so. Where the cluster does not tell the rights (before Kafka 2.3, the
embedded broker) nothing is concluded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient

from stream.config.environment import SettingsError
from stream.config.settings import Settings
from stream.engine import Exit
from stream.kafka_causes import NoAnswerError, in_words, wait_for_kafka
from stream.worker.kafka.connection import librdkafka_settings
from stream.worker.kafka.rights import rights_of
from stream.worker.kafka.topics import TopicNames

METADATA_TIMEOUT_S = 20.0
"""How long a start waits for the brokers; they may be starting at the same time."""
RIGHTS_TIMEOUT_S = 5.0
READ, WRITE = AclOperation.READ, AclOperation.WRITE
SILENT = logging.getLogger("stream.worker.kafka.silent")
SILENT.disabled = True


class TopicsError(SettingsError):
    """The topics do not fit together: the same exit code whether it is found at a start or later."""

    exit_code = Exit.CONFIGURATION


def look_at_kafka(settings: Settings, topics: TopicNames, bootstrap: str) -> int:
    """The number of partitions of every topic. SettingsError: what is missing or refused. Blocks."""
    client = {**librdkafka_settings(settings, bootstrap), "log_level": 0}
    try:
        wait_for_kafka(client, METADATA_TIMEOUT_S)
    except NoAnswerError as cause:
        raise SettingsError([f"STREAM_BROKERS = {bootstrap!r}: {cause}"]) from cause
    try:
        outputs = output_topics(settings, topics)
        count = common_partition_count(client, topics, outputs)
        if problems := list(missing_rights(client, settings, topics)):
            raise SettingsError(problems)
    except KafkaException as error:
        raise SettingsError([f"STREAM_BROKERS = {bootstrap!r}: {in_words(error.args[0])}"]) from error
    return count


def output_topics(settings: Settings, topics: TopicNames) -> list[str]:
    """The topics that a worker writes to."""
    views = [topics.view] if settings.profiles_view != "off" else []
    return [topics.profiles, topics.alerts, topics.deadletter, *views]


def common_partition_count(client: dict[str, Any], topics: TopicNames, outputs: Sequence[str]) -> int:
    """TopicsError when inputs and outputs differ in their number of partitions, or one is missing."""
    asking, counts = Producer(client), {}
    for topic in (*topics.inputs, *outputs):
        found = asking.list_topics(topic, timeout=METADATA_TIMEOUT_S).topics[topic]
        if found.error is not None and found.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise SettingsError([f"topic {topic}: {in_words(found.error)}"])
        if found.error is not None or not found.partitions:
            raise TopicsError([f"topic {topic} does not exist; `stream topics apply` creates it"])
        counts[topic] = len(found.partitions)
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{topic} {count}" for topic, count in counts.items())
        text = f"all topics need the same number of partitions, but have: {listed}"
        raise TopicsError([f"{text}; `stream topics check` says what to do"])
    return counts[topics.purchases]


def missing_rights(client: dict[str, Any], settings: Settings, topics: TopicNames) -> Iterator[str]:
    """Each right that this worker needs and does not have, as a line."""
    admin = AdminClient(client)
    cluster = admin.list_topics(timeout=METADATA_TIMEOUT_S)
    if cluster.controller_id not in cluster.brokers:  # the embedded broker: the client would wait for one
        return
    used = {*topics.inputs, *output_topics(settings, topics)}
    wanted = {
        acl.name: {AclOperation[each] for each in acl.operations} & {READ, WRITE}
        for acl in rights_of("worker", settings)
        if acl.name in used
    }
    answers = admin.describe_topics(
        TopicCollection(list(wanted)), include_authorized_operations=True, request_timeout=RIGHTS_TIMEOUT_S
    )
    for topic, answer in answers.items():
        for right in _lacking(answer, wanted[topic]):
            yield f"topic {topic}: the user has no right to {right.name}; an ACL is missing"
    groups = {acl.name: acl.operations for acl in rights_of("worker", settings) if acl.kind == "group"}
    asked = admin.describe_consumer_groups(
        list(groups), include_authorized_operations=True, request_timeout=RIGHTS_TIMEOUT_S
    )
    for name, answer in asked.items():
        for right in _lacking(answer, {AclOperation[each] for each in groups[name]}):
            group = f"group {name} (STREAM_APP_ID)"
            yield f"{group}: the user has no right to {right.name}; an ACL is missing"
    if settings.guarantee == "exactly_once":
        yield from _transaction_refused(client, settings, topics)


def _lacking(answer: Future[Any], wanted: set[AclOperation]) -> list[AclOperation]:
    """Rights that the answer certainly does not contain."""
    try:
        granted = answer.result(2 * RIGHTS_TIMEOUT_S).authorized_operations
    except KafkaException as error:
        refused = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}
        return sorted(wanted) if error.args[0].code() in refused else []
    except TimeoutError:
        return []
    return sorted(wanted - set(granted)) if granted else []


def _transaction_refused(client: dict[str, Any], settings: Settings, topics: TopicNames) -> Iterator[str]:
    """Begin with a transactional id that no partition uses, so that no other worker is fenced by it."""
    name = f"{settings.app_id}-{topics.profiles}-start"
    try:
        Producer({**client, "transactional.id": name, "logger": SILENT}).init_transactions(METADATA_TIMEOUT_S)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            yield f"transactional id {name}: {in_words(error.args[0])}"
