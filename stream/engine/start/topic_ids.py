"""Are inputs and changelog still the topics that they were? One that was created again has another id.

Kafka keeps offsets by the name of a topic. Those of a deleted topic mean nothing in the next one of its name,
and once that is as long as the old one, only its id tells the two apart (KIP-516, Kafka 2.8). Where an id is
not known (an older broker, the embedded one, no answer just now) nothing is concluded (docs/decisions/0013).

Of inputs `cleanup.policy` is looked at as well: in a compacted topic all records of a key but the last
disappear, and whether one of them was read before is chance.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection, Uuid
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from stream.engine.failure import CUT_OVER, EngineError, Exit, FailStop
from stream.engine.options import EngineOptions
from stream.engine.watch import Watch

log = logging.getLogger("stream.engine")
ASK_TIMEOUT_S = 5
LOOK_EVERY_S = 3
MISSES_MAX = 10
"""So many looks in a row must miss a topic: a broker that has just started may not know it for seconds."""


NO_RIGHT = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}


class TopicAnswer(NamedTuple):
    """What the broker says of our topics; a topic that is in neither part is one it said nothing of."""

    ids: Mapping[str, str]
    gone: Set[str] = frozenset()
    compacted: Mapping[str, str] = {}  # input -> its cleanup.policy
    hidden: Set[str] = frozenset()  # inputs whose settings this worker has no right to read


def created_again(topic: str, known: str, found: str) -> EngineError:
    """The error for a topic whose id is another one than it was."""
    text = f"{topic} was created again: the topic that was read had the id {known}, this one has {found}"
    return EngineError(Exit.DATA_LOSS, f"{text}; {CUT_OVER}")


def _compacted(topic: str, policy: str) -> EngineError:
    text = (
        f"{topic} has cleanup.policy={policy}: Kafka deletes all records of a key but the last, also those "
        "that no worker has read yet. Set it to delete (`stream topics apply --alter`), and send what is "
        "missing again"
    )
    return EngineError(Exit.CONFIGURATION, text)


class TopicIds:
    """Asks the broker for the ids of the inputs and of the changelog, and which inputs are compacted.

    Blocks: use it in a thread.
    """

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._client: AdminClient | None = None
        self._has_controller = (
            False  # once true it is not asked again: the answer lists all topics of the cluster
        )

    def ask(self) -> TopicAnswer:
        """An empty answer when the broker does not reply."""
        if self._client is None:
            settings = {"bootstrap.servers": self._options.bootstrap, "log_level": 0}
            self._client = AdminClient({**settings, **self._options.security})
        ids: dict[str, str] = {}
        gone: set[str] = set()
        try:
            self._has_controller = self._has_controller or _has_controller(self._client)
            if not self._has_controller:
                return TopicAnswer({})
            asked = TopicCollection([*self._options.inputs, self._options.changelog])
            replies = self._client.describe_topics(asked, request_timeout=ASK_TIMEOUT_S)
        except KafkaException:
            return TopicAnswer({})
        for topic, reply in replies.items():
            try:
                topic_id = id_of(reply.result(2 * ASK_TIMEOUT_S).topic_id)
            except (KafkaException, TimeoutError) as failure:
                if isinstance(failure, KafkaException) and _is_unknown(failure):
                    gone.add(topic)
            else:
                if topic_id:
                    ids[topic] = topic_id
        return TopicAnswer(ids, gone, *_policies(self._client, ids.keys() & {*self._options.inputs}))


def _policies(client: AdminClient, topics: Iterable[str]) -> tuple[Mapping[str, str], Set[str]]:
    """The compacted ones of these topics with their `cleanup.policy`, and those whose settings are hidden."""
    asked = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
    compacted: dict[str, str] = {}
    hidden: set[str] = set()
    try:
        replies = client.describe_configs(asked, request_timeout=ASK_TIMEOUT_S) if asked else {}
    except KafkaException:
        return {}, set()
    for resource, reply in replies.items():
        try:
            entry = reply.result(2 * ASK_TIMEOUT_S).get("cleanup.policy")
        except (KafkaException, TimeoutError) as failure:
            if isinstance(failure, KafkaException) and failure.args[0].code() in NO_RIGHT:
                hidden.add(resource.name)
        else:
            if entry is not None and "compact" in str(entry.value):
                compacted[resource.name] = str(entry.value)
    return compacted, hidden


def _has_controller(client: AdminClient) -> bool:
    """The embedded broker has no controller, and the client would wait for one until its time-out."""
    cluster = client.list_topics(timeout=ASK_TIMEOUT_S)
    return cluster.controller_id in cluster.brokers


def _is_unknown(failure: KafkaException) -> bool:
    error: KafkaError = failure.args[0]
    return bool(error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART)


def id_of(uuid: Uuid | None) -> str:
    """A topic's id as Kafka's tools write it, 22 characters; empty where the broker has none."""
    if uuid is None:
        return ""
    halves = struct.pack(">qq", uuid.get_most_significant_bits(), uuid.get_least_significant_bits())
    return base64.urlsafe_b64encode(halves).decode().rstrip("=") if any(halves) else ""


class TopicWatch(Watch):
    """Asks every few seconds while lanes are open; ends the process when one is not what it was."""

    def __init__(self, options: EngineOptions, fail: FailStop) -> None:
        super().__init__(LOOK_EVERY_S, fail)
        self._ask = TopicIds(options).ask
        self._known: dict[str, str] = {}
        self._missed: Counter[str] = Counter()
        self._warned_of: Set[str] = frozenset()  # inputs that the log has named as hidden
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="topics")

    def id_of(self, topic: str) -> str:
        """The id that a topic has, as far as it is known; else empty."""
        return self._known.get(topic, "")

    async def look(self) -> Mapping[str, str]:
        """Topic -> id, as far as known. EngineError: a topic was deleted, or created again meanwhile."""
        self.note(await asyncio.get_running_loop().run_in_executor(self._thread, self._ask))
        return self._known

    def note(self, answer: TopicAnswer) -> None:
        """Remember the topic ids that the broker answered with.

        EngineError: an input is compacted (exit 78), a topic's id differs from the one answered first (the
        topic was created again), or the broker has not known a topic for MISSES_MAX answers in a row (it was
        deleted).
        """
        for topic, policy in answer.compacted.items():
            raise _compacted(topic, policy)
        if hidden := sorted(answer.hidden - self._warned_of):
            self._warned_of |= answer.hidden
            text = "no right to read the settings of %s (DESCRIBE_CONFIGS): compaction would not be noticed"
            log.warning(text, ", ".join(hidden))
        for topic, found in answer.ids.items():
            known = self._known.setdefault(topic, found)
            if known != found:
                raise created_again(topic, known, found)
        self._missed = Counter({topic: self._missed[topic] + 1 for topic in answer.gone})
        for topic, looks in self._missed.items():
            if looks >= MISSES_MAX:
                text = f"{topic} was deleted: the broker has not known it for {looks * LOOK_EVERY_S} s"
                raise EngineError(Exit.DATA_LOSS, f"{text}; {CUT_OVER}")

    async def look_again(self) -> None:
        """See `look`."""
        await self.look()
