"""One poll of aiokafka's fetcher: what was fetched, and where the partitions end.

It stands for `Fetcher.fetched_records`, which goes record by record. Like it, a poll takes all it can of a
partition before the next, so that this one is fetched from again while we work (an even share of each: a
seventh slower).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Set
from typing import Any

from aiokafka.consumer.fetcher import Fetcher, FetchError
from aiokafka.structs import TopicPartition

from stream.engine.input.delivery import AT_END

Records = dict[TopicPartition, list[Any]]
Highwaters = dict[TopicPartition, int | None]


async def fetched(fetcher: Fetcher, wanted: Set[TopicPartition], timeout_s: float, limit: int) -> Records:
    """What is at hand of these partitions, `limit` records at most; waits when that is nothing."""
    until, subscriptions = time.monotonic() + timeout_s, fetcher._subscriptions
    while True:
        if subscriptions.reassignment_in_progress:  # what was fetched may not be ours any more
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
        waiter.result()  # raises when the group or the topics are denied to us


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
        elif not result.check_assignment(partition) or not result.has_more():  # sought elsewhere since
            _let_fetch(fetcher, partition)
        else:
            unread = result._partition_records
            records = unread.take(limit)
            result._update_position()
            if unread.exhausted:
                _let_fetch(fetcher, partition)
            if records:
                found[partition] = records
                limit -= len(records)
    return found


def _let_fetch(fetcher: Fetcher, partition: TopicPartition) -> None:
    """Nothing is left of the last fetch: the next may be asked for."""
    del fetcher._records[partition]
    fetcher._notify(fetcher._wait_consume_future)


def highwaters(fetcher: Fetcher, partitions: Iterable[TopicPartition]) -> Highwaters:
    """The end of each partition that is ours, as the broker told last."""
    subscription = fetcher._subscriptions.subscription
    assignment = subscription.assignment if subscription is not None else None
    if assignment is None:
        return {}
    found: Highwaters = {}
    for partition in partitions:
        if partition in assignment.tps:
            state = assignment.state_value(partition)
            at_end = state.has_valid_position and state.position == state.highwater
            found[partition] = AT_END if at_end else state.highwater
    return found
