"""Whether the inputs are still the topics that they were: one made anew under its old name has another id.

Offsets are kept by name. Those of a topic that was deleted mean nothing in the next one of its name, and
once that is as long, nothing but its id (KIP-516, Kafka 2.8) tells the two apart. Where ids are not known (an
older broker, the embedded one, no answer just now) nothing follows from it (docs/decisions/0013).
"""

from __future__ import annotations

import asyncio
import base64
import struct
from collections import Counter
from collections.abc import Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection, Uuid
from confluent_kafka.admin import AdminClient

from stream.engine.failure import CUT_OVER, EngineError, Exit, FailStop
from stream.engine.options import EngineOptions

ASK_TIMEOUT_S = 5
LOOK_EVERY_S = 3
GONE_LOOKS_MAX = 10
"""So many looks in a row must miss a topic: a broker that has just started may not know it for seconds."""


class Answer(NamedTuple):
    """What the broker says of topics; of one that is in neither part nothing is known."""

    ids: Mapping[str, str]
    gone: Set[str] = frozenset()


def made_anew(topic: str, known: str, found: str) -> EngineError:
    """Why we stop."""
    text = f"{topic} was made anew: what was read is of the topic with id {known}, and its id is {found} now"
    return EngineError(Exit.DATA_LOSS, f"{text}; {CUT_OVER}")


class TopicIds:
    """Asks the broker for the inputs. Blocks: ask in a thread."""

    def __init__(self, options: EngineOptions) -> None:
        self._options = options
        self._client: AdminClient | None = None
        self._has_controller = False  # asked until it has: that takes a list of every topic of the cluster

    def ask(self) -> Answer:
        """A broker that does not answer says nothing."""
        if self._client is None:
            settings = {"bootstrap.servers": self._options.bootstrap, "log_level": 0}
            self._client = AdminClient({**settings, **self._options.security})
        ids: dict[str, str] = {}
        gone: set[str] = set()
        try:
            self._has_controller = self._has_controller or _has_controller(self._client)
            if not self._has_controller:
                return Answer({})
            asked = TopicCollection(list(self._options.inputs))
            told = self._client.describe_topics(asked, request_timeout=ASK_TIMEOUT_S)
        except KafkaException:
            return Answer({})
        for topic, described in told.items():
            try:
                topic_id = id_of(described.result(2 * ASK_TIMEOUT_S).topic_id)
            except (KafkaException, TimeoutError) as failure:
                if isinstance(failure, KafkaException) and _is_unknown(failure):
                    gone.add(topic)
            else:
                if topic_id:
                    ids[topic] = topic_id
        return Answer(ids, gone)


def _has_controller(client: AdminClient) -> bool:
    """The embedded broker has no controller, for which the client would wait as long as it may."""
    cluster = client.list_topics(timeout=ASK_TIMEOUT_S)
    return cluster.controller_id in cluster.brokers


def _is_unknown(failure: KafkaException) -> bool:
    error: KafkaError = failure.args[0]
    return bool(error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART)


def id_of(told: Uuid | None) -> str:
    """As Kafka's own tools write it; empty where the broker has none."""
    if told is None:
        return ""
    halves = struct.pack(">qq", told.get_most_significant_bits(), told.get_least_significant_bits())
    return base64.urlsafe_b64encode(halves).decode().rstrip("=") if any(halves) else ""


class TopicWatch:
    """Looks again and again from the first opening on; ends the process when an input is not what it was."""

    def __init__(self, options: EngineOptions, fail: FailStop) -> None:
        self._ask = TopicIds(options).ask
        self._fail = fail
        self._known: dict[str, str] = {}
        self._missed: Counter[str] = Counter()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="topics")
        self._looking: asyncio.Task[None] | None = None

    async def look(self) -> Mapping[str, str]:
        """The ids that are known. EngineError: a topic was deleted, or made anew since we know it."""
        self.note(await asyncio.get_running_loop().run_in_executor(self._thread, self._ask))
        return self._known

    def note(self, answer: Answer) -> None:
        """EngineError as for `look`."""
        for topic, found in answer.ids.items():
            known = self._known.setdefault(topic, found)
            if known != found:
                raise made_anew(topic, known, found)
        self._missed = Counter({topic: self._missed[topic] + 1 for topic in answer.gone})
        for topic, looks in self._missed.items():
            if looks >= GONE_LOOKS_MAX:
                text = f"{topic} was deleted: the broker has not known it for {looks * LOOK_EVERY_S} s"
                raise EngineError(Exit.DATA_LOSS, f"{text}; {CUT_OVER}")

    def begin(self) -> None:
        """All inputs were there."""
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._keep_looking())

    async def _keep_looking(self) -> None:
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                await self.look()
        except Exception as failure:
            self._fail(failure)

    def end(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
