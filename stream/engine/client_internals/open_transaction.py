"""Who has a transaction open that hides the records behind it, and since when.

The batch at the offset where the open transaction begins names its producer. The transactional id and the
beginning come from the coordinators (KIP-664, Kafka 3.0), where they may be asked for them.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, LeaderNotAvailableError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.types import (
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from stream.engine.client_internals.fetching import READ_UNCOMMITTED

WAIT_MS = 100
ONE_BATCH = 1
"""Bytes asked for: the broker sends at least the first batch, whatever its size."""
READ_COMMITTED = 1
LATEST = -1


class OpenTransaction(NamedTuple):
    """The transaction that begins at `offset` of a partition and has not ended."""

    offset: int
    end: int  # of the log: so far its records and those behind it are hidden
    producer_id: int
    transactional_id: str = ""  # empty: the coordinators do not tell
    since_ms: int | None = None  # when it began, in ms since 1970; None: not known


async def open_transaction(client: AIOKafkaClient, partition: TopicPartition) -> OpenTransaction | None:
    """The oldest transaction that is open in a partition now; None when there is none.

    aiokafka's KafkaError: the broker that leads the partition is not known, does not answer or refuses.
    """
    leader = client.cluster.leader_for_partition(partition)
    if leader is None or leader < 0:
        raise LeaderNotAvailableError(str(partition))
    topic, number = partition
    asked = OffsetRequest(-1, READ_COMMITTED, [(topic, [(number, LATEST)])])
    _, error, *_, offset = (await client.send(leader, asked)).topics[0][1][0]
    if error:
        raise for_code(error)()
    first = FetchRequest(WAIT_MS, 0, ONE_BATCH, READ_UNCOMMITTED, [(topic, [(number, offset, ONE_BATCH)])])
    _, error, end, stable_end, *_, found = (await client.send(leader, first)).topics[0][1][0]
    if error:
        raise for_code(error)()
    batches = MemoryRecords(found or b"")
    if not offset == stable_end < end or not batches.has_next():
        return None
    producer_id = cast(int, batches.next_batch().producer_id)
    transaction = OpenTransaction(offset, end, producer_id)
    try:
        return await _with_its_name(client, transaction)
    except (KafkaError, NotImplementedError):  # an older broker
        return transaction


async def _with_its_name(client: AIOKafkaClient, found: OpenTransaction) -> OpenTransaction:
    """As each broker coordinates some of the transactions, all are asked."""
    for node in client.cluster.brokers():
        listed = await client.send(node.nodeId, ListTransactions(found.producer_id))
        for transactional_id, producer_id, _state, _ in listed.transactions:
            if producer_id == found.producer_id:
                described = await client.send(node.nodeId, DescribeTransactions(transactional_id))
                _, _, _, _, since_ms, *_ = described.transactions[0]
                known = since_ms if since_ms > 0 else None
                return found._replace(transactional_id=transactional_id, since_ms=known)
    return found


class _Listed(Response):  # type: ignore[misc]
    API_KEY = 66
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("unknown_states", CompactArray(CompactString("utf-8"))),
        (
            "transactions",
            CompactArray(
                ("transactional_id", CompactString("utf-8")),
                ("producer_id", Int64),
                ("state", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _List(RequestStruct):  # type: ignore[misc]
    API_KEY = 66
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Listed
    SCHEMA = Schema(
        ("states", CompactArray(CompactString("utf-8"))),
        ("producer_ids", CompactArray(Int64)),
        ("tags", TaggedFields),
    )


class ListTransactions(Request[_List]):  # type: ignore[misc]
    """The transactions of one producer, open ones and those that ended a while ago."""

    API_KEY = 66

    def __init__(self, producer_id: int) -> None:
        self._producer_id = producer_id

    def build(self, request_struct_class: type[_List]) -> _List:
        """See aiokafka's Request."""
        return request_struct_class([], [self._producer_id], {})


class _Described(Response):  # type: ignore[misc]
    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "transactions",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", CompactString("utf-8")),
                ("state", CompactString("utf-8")),
                ("timeout_ms", Int32),
                ("since_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                (
                    "topics",
                    CompactArray(
                        ("topic", CompactString("utf-8")),
                        ("partitions", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Describe(RequestStruct):  # type: ignore[misc]
    API_KEY = 65
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Described
    SCHEMA = Schema(("transactional_ids", CompactArray(CompactString("utf-8"))), ("tags", TaggedFields))


class DescribeTransactions(Request[_Describe]):  # type: ignore[misc]
    """When the transaction of one transactional id began."""

    API_KEY = 65

    def __init__(self, transactional_id: str) -> None:
        self._transactional_id = transactional_id

    def build(self, request_struct_class: type[_Describe]) -> _Describe:
        """See aiokafka's Request."""
        return request_struct_class([self._transactional_id], {})
