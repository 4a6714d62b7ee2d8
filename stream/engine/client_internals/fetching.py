"""aiokafka's fetcher: what was fetched, where the logs end, and how much to ask for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Set
from typing import Any, NamedTuple

import aiokafka
from aiokafka.consumer import fetcher as fetcher_module
from aiokafka.consumer.fetcher import Fetcher, FetchError
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.structs import TopicPartition

from stream.engine.client_internals.decompression import bound_decompression
from stream.engine.client_internals.records import Fetched, FetchedRecords, RawRecords

Records = dict[TopicPartition, Fetched]
READ_UNCOMMITTED = 0


class Position(NamedTuple):
    """Of one partition; None: not known yet."""

    next_offset: int | None  # to read
    stable_end: int | None  # up to which records may be read: no transaction is open before it
    end: int | None  # of the log


def read_in_bulk(batch_bytes_max: int) -> None:
    """Let all consumers of this process parse fetches with `FetchedRecords`; else they read as before.

    A batch that holds more than `batch_bytes_max` when decompressed is not read (decompression.py).

    `end_offsets` gives the ends of the logs. (aiokafka's own would be where the first open transaction
    begins, for a consumer that reads committed records: a log would seem to have become shorter.)
    """
    fetcher_module.MemoryRecords = RawRecords
    fetcher_module.PartitionRecords = FetchedRecords
    fetcher_module.OffsetRequest = _request_of_ends
    bound_decompression(batch_bytes_max)


def _request_of_ends(replica: int, _isolation: int, topics: Any) -> OffsetRequest:
    return OffsetRequest(replica, READ_UNCOMMITTED, topics)


async def take_fetched(
    consumer: aiokafka.AIOKafkaConsumer, wanted: Set[TopicPartition], timeout_s: float, limit: int
) -> Records:
    """The records of these partitions that were fetched, `limit` at most; waits while nothing is.

    Like aiokafka it takes all it can of one partition before the next, so that this one is fetched from again
    meanwhile. (An even share of each was a seventh slower.)
    """
    fetcher = consumer._fetcher
    until, subscriptions = time.monotonic() + timeout_s, fetcher._subscriptions
    with subscriptions.fetch_context():
        while True:
            if subscriptions.reassignment_in_progress:  # what was fetched may belong to another worker now
                await subscriptions.wait_for_assignment()
            found = _at_hand(fetcher, wanted, limit)
            left_s = until - time.monotonic()
            if found or left_s <= 0:
                return found
            waiter = fetcher._create_fetch_waiter()
            done, _ = await asyncio.wait([waiter], timeout=left_s)
            if not done or fetcher._closed:
                waiter.cancel()
                return {}
            waiter.result()  # raises when access to the group or the topics is denied


def _at_hand(fetcher: Fetcher, wanted: Set[TopicPartition], limit: int) -> Records:
    found: Records = {}
    for partition in [each for each in fetcher._records if each in wanted]:  # in the order they were fetched
        result = fetcher._records[partition]
        if limit == 0:
            break
        if isinstance(result, FetchError):
            if not found:  # else at the next poll
                _let_fetch(fetcher, partition)
                result.check_raise()
        elif not result.check_assignment(partition) or not result.has_more():  # there was a seek since
            _let_fetch(fetcher, partition)
        else:
            unread = result._partition_records
            taken = unread.take(limit)
            result._update_position()
            if unread.exhausted:
                _let_fetch(fetcher, partition)
            if taken.next_offset > taken.start:
                found[partition] = taken
                limit -= max(1, len(taken.records))
    return found


def _let_fetch(fetcher: Fetcher, partition: TopicPartition) -> None:
    """Nothing is left of the last fetch of this partition: aiokafka may ask for the next."""
    del fetcher._records[partition]
    fetcher._notify(fetcher._wait_consume_future)


def positions(
    consumer: aiokafka.AIOKafkaConsumer, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, Position]:
    """Of each assigned partition, as the broker reported it last."""
    subscription = consumer._fetcher._subscriptions.subscription
    assignment = subscription.assignment if subscription is not None else None
    if assignment is None:
        return {}
    states = {each: assignment.state_value(each) for each in partitions if each in assignment.tps}
    return {
        partition: Position(
            state.position if state.has_valid_position else None,
            state.highwater if state.lso is None or state.lso < 0 else state.lso,  # an old broker knows none
            state.highwater,
        )
        for partition, state in states.items()
    }


def adapt_fetch_size(consumer: aiokafka.AIOKafkaConsumer, next_size: Callable[[int, float], int]) -> None:
    """Ask for `next_size(bytes asked last time, seconds it took)` of each partition from now on."""
    fetcher = consumer._fetcher
    fetch = fetcher._proc_fetch_request

    async def measured(*arguments: Any) -> bool:
        began = time.monotonic()
        found: bool = await fetch(*arguments)
        took_s = time.monotonic() - began
        fetcher._max_partition_fetch_bytes = next_size(fetcher._max_partition_fetch_bytes, took_s)
        return found

    fetcher._proc_fetch_request = measured
