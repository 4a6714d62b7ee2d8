"""Membership in the consumer group, as far as aiokafka does not offer it."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Any

import aiokafka
from aiokafka.structs import TopicPartition


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


def join_refused(consumer: aiokafka.AIOKafkaConsumer) -> BaseException | None:
    """Why the group's coordinator will not have this member; None as long as nothing was refused.

    aiokafka keeps the error for the next call that takes records. Before the first assignment there is none.
    """
    refused: BaseException | None = consumer._coordinator._pending_exception
    return refused


def gave_up(consumer: aiokafka.AIOKafkaConsumer) -> BaseException | None:
    """What ended one of the consumer's background tasks; None as long as all run, or end as they should.

    Without them no group is joined, nothing is fetched, or no change of brokers is learnt. aiokafka logs the
    error and keeps it for the next call that takes records by its own ways.
    """
    tasks = (
        consumer._coordinator._coordination_task,
        consumer._fetcher._fetch_task,
        consumer._client._sync_task,
    )
    for task in tasks:
        if task is not None and task.done() and not task.cancelled() and task.exception() is not None:
            failure: BaseException = task.exception()
            return failure.__cause__ or failure
    return None


def knows_brokers(consumer: aiokafka.AIOKafkaConsumer) -> bool:
    """Whether a broker has named any broker yet. One that is just starting may answer with none."""
    return bool(consumer._client.cluster.brokers())


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
