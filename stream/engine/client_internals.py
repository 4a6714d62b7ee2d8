"""What the engine uses of the internals of its client libraries, and the versions that have them.

aiokafka 0.14.0: all uses are in this module.
-   `fetcher.MemoryRecords`, `fetcher.PartitionRecords`: replaced, so that a fetch is read by the batch in C.
    aiokafka takes four steps of Python for each record.
-   `Fetcher._records`, `_subscriptions`, `_create_fetch_waiter`, `_wait_consume_future`, `_notify`,
    `_closed`: `take_fetched` stands for `Fetcher.fetched_records`, which goes record by record.
-   `Fetcher._proc_fetch_request`, `_max_partition_fetch_bytes`: a fetch asks for what the last one suggests.
-   `GroupCoordinator._do_heartbeat`: an answered heartbeat renews the lease of the partitions.
-   `AIOKafkaConsumer._fetcher`, `_coordinator`, `_client`: the way to all of these.

faust-streaming 0.15.3: overridden in subclasses, where Faust calls them.
-   input/transport.py: `Consumer._drain_messages`, `_new_consumer_thread`, `_unacked_messages`, `ack`,
    `commit`, `wait_empty`, `verify_all_partitions_active`; `Producer.on_start`.
-   input/consumer_thread.py: `AIOKafkaConsumerThread._create_worker_consumer`, `_ensure_consumer`.
-   app.py: `App._new_transport`, `_on_partitions_assigned`, `_on_partitions_revoked`, `_on_agent_error`,
    `_stop_consumer`, `_stop_fetcher`, `_fetcher`, `_assignment`; `TableManager.recovery`.

librdkafka 2: the layout of a group's metadata, in `group_metadata`. (A test compares it with the client's
own.)
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from importlib.metadata import version
from itertools import chain, islice
from typing import Any

import aiokafka
from aiokafka.consumer import fetcher as fetcher_module
from aiokafka.consumer.fetcher import Fetcher, FetchError
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.structs import TopicPartition

SUPPORTED = {"aiokafka": "0.14.0", "faust-streaming": "0.15.3"}
Records = dict[TopicPartition, list[Any]]


def check_versions(installed: Mapping[str, str]) -> None:
    """ImportError: with another version the engine could lose records without a sign of it."""
    wrong = [
        f"{name} {installed[name]} is installed, only {supported} is supported"
        for name, supported in SUPPORTED.items()
        if installed[name] != supported
    ]
    if wrong:
        raise ImportError(f"stream.engine relies on internals of its clients: {'; '.join(wrong)}")


check_versions({name: version(name) for name in SUPPORTED})


class _ForgivingBytes(bytes):
    """Bytes whose parts decode as text in any case, with replacement characters where they are no UTF-8."""

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        return _ForgivingBytes(part) if isinstance(place, slice) else part

    def decode(self, *_: Any, **__: Any) -> str:
        return super().decode("utf-8", "replace")


class _SlowBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """aiokafka's parser in Python, for batches with a header name that is no UTF-8: its parser in C raises.

    Any producer can write such a name, and after every start the worker would meet it again.
    """

    _buffer: Any

    def __iter__(self) -> Any:
        self._maybe_uncompress()
        self._buffer = _ForgivingBytes(self._buffer)
        return self


class RawRecords(_MemoryRecordsPy):  # type: ignore[misc]
    """What one fetch brought of one partition, in batches; `raw` is the last one, for `_SlowBatch`."""

    raw: memoryview

    def next_batch(self, *sizes: int) -> Any:
        """aiokafka's, and its bytes are noted."""
        if self._next_slice is not None:
            self.raw = self._next_slice
        return super().next_batch(*sizes)


class FetchedRecords(fetcher_module.PartitionRecords):  # type: ignore[misc]
    """aiokafka's own, with `take` for many records at once. It keeps `next_fetch_offset` as aiokafka does.

    Records of aborted transactions are not filtered: inputs are read uncommitted.
    """

    _records: RawRecords
    _batch: Iterator[Any] | None = None
    _batch_end = 0

    @property
    def exhausted(self) -> bool:
        """Nothing is left of the fetch."""
        return self._batch is None and not self._records.has_next()

    def take(self, limit: int) -> list[Any]:
        """Up to `limit` records; fewer only when there are no more."""
        self._records_iterator = None  # it refers to this object: the bytes would wait for Python's collector
        taken: list[Any] = []
        while len(taken) < limit and (self._batch is not None or self._open()):
            taken += self._read(limit - len(taken))
        return taken

    def _open(self) -> bool:
        """Go to the next batch with records, if there is one."""
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if not batch.is_control_batch:
                self._batch, self._batch_end = chain(batch), batch.next_offset  # one iterator for all reads
                return True
            self.next_fetch_offset = batch.next_offset
        return False

    def _read(self, wanted: int) -> list[Any]:
        assert self._batch is not None
        try:
            found = list(islice(self._batch, wanted))
        except UnicodeDecodeError:
            self._batch = chain(_SlowBatch(self._records.raw.tobytes()))  # from its beginning
            found = list(islice(self._batch, wanted))
        ended = len(found) < wanted
        if found and found[0].offset < self.next_fetch_offset:  # the broker sends whole batches
            found = [record for record in found if record.offset >= self.next_fetch_offset]
        if ended:
            self._batch, self.next_fetch_offset = None, self._batch_end
        elif found:
            self.next_fetch_offset = found[-1].offset + 1
        return found


def read_in_bulk() -> None:
    """Let all consumers of this process parse fetches with `FetchedRecords`; else they read as before."""
    fetcher_module.MemoryRecords = RawRecords
    fetcher_module.PartitionRecords = FetchedRecords


async def take_fetched(
    consumer: aiokafka.AIOKafkaConsumer, wanted: Set[TopicPartition], timeout_s: float, limit: int
) -> Records:
    """The records of these partitions that were fetched, `limit` at most; waits while there are none.

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
            records = unread.take(limit)
            result._update_position()
            if unread.exhausted:
                _let_fetch(fetcher, partition)
            if records:
                found[partition] = records
                limit -= len(records)
    return found


def _let_fetch(fetcher: Fetcher, partition: TopicPartition) -> None:
    """Nothing is left of the last fetch of this partition: aiokafka may ask for the next."""
    del fetcher._records[partition]
    fetcher._notify(fetcher._wait_consume_future)


def positions(
    consumer: aiokafka.AIOKafkaConsumer, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, tuple[int | None, int | None]]:
    """Of each assigned partition: the next offset to read, and the end that the broker reported last."""
    subscription = consumer._fetcher._subscriptions.subscription
    assignment = subscription.assignment if subscription is not None else None
    if assignment is None:
        return {}
    states = {each: assignment.state_value(each) for each in partitions if each in assignment.tps}
    return {
        partition: (state.position if state.has_valid_position else None, state.highwater)
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


def on_answered_heartbeat(consumer: aiokafka.AIOKafkaConsumer, note: Callable[[float], None]) -> None:
    """Call `note` with the time (monotonic, s) at which a heartbeat was sent, once it was answered well."""
    coordinator = consumer._coordinator
    heartbeat = coordinator._do_heartbeat

    async def noting() -> bool:
        asked_at = time.monotonic()
        answered: bool = await heartbeat()
        if answered:
            note(asked_at)
        return answered

    coordinator._do_heartbeat = noting


def generation_and_member(consumer: aiokafka.AIOKafkaConsumer) -> tuple[int, str]:
    """Of the consumer's membership; the generation is negative when the group removed it."""
    return consumer._coordinator.generation, consumer._coordinator.member_id


async def leave_group(consumer: aiokafka.AIOKafkaConsumer) -> None:
    """Leave the group without the callbacks of a rebalance. A static member (KIP-345) stays in it."""
    coordinator = consumer._coordinator
    if not coordinator._closing.done():
        coordinator._closing.set_result(None)  # its own task must not join again
    await coordinator._maybe_leave_group()


async def committed_offsets(consumer: aiokafka.AIOKafkaConsumer, partitions: list[TopicPartition]) -> Any:
    """Partition -> committed offset and metadata; the public `committed` leaves out the metadata."""
    return await consumer._coordinator.fetch_committed_offsets(partitions)


async def refresh_metadata(consumer: aiokafka.AIOKafkaConsumer) -> None:
    """Ask the broker for topics and partitions now."""
    await consumer._client.force_metadata_update()


def group_metadata(group: str, generation: int, member: str) -> bytes:
    """What `Consumer.consumer_group_metadata()` would give, for a membership that aiokafka holds.

    The layout is that of rd_kafka_consumer_group_metadata_write (librdkafka 2, rdkafka_cgrp.c). With it the
    broker refuses the offsets of a member that is no longer in the group (KIP-447).
    """
    names = b"".join(name.encode() + b"\0" for name in (group, member))
    return b"CGMDv2:" + struct.pack("<i", generation) + names + b"\1"
