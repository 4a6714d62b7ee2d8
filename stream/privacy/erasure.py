"""Erases one customer from everything that is ours, and says of each store what is left and until when.

The erasure is a `customer.erased` event on the control topic, which every process obeys by itself: workers,
dashboard and deliver. What can be rewritten at once is rewritten here as well, so that the report says what
is there and not what should be. Safe to run again: an erasure that is in force is not sent a second time.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from confluent_kafka import KafkaException
from msgspec import Struct

from stream.config.settings import Settings
from stream.core.events.event import CustomerErased
from stream.core.units import DAY_MS
from stream.deliver.queue.database import Database, QueueError
from stream.deliver.queue.erasure import erase_now
from stream.ops.cluster import producer, reader
from stream.ops.send import FLUSH_S, OutgoingRecord, SendCounts, produce
from stream.privacy.local_files import published_reports, worker_stores
from stream.privacy.read_store import wipe_read_store
from stream.privacy.report import ErasureReport, OffsetRange, StoreReport
from stream.privacy.sql_stores import SqlStoreError, sql_store
from stream.privacy.topic_records import TopicRecords, erasure_in_force, records_of
from stream.wire import encode_event, partition_of
from stream.worker.kafka.topics import INPUTS, Role, topic_names
from stream.worker.kafka.topics_admin import ClusterError, admin_client, cluster_topics
from stream.worker.rows.stored import UNREADABLE, read_row

LOOK_S = 0.5
COMPACTED_ROLES: tuple[Role, ...] = ("profiles", "view")
UNKNOWN_NOTE = "its retention is not known: this user may not read the settings of topics (DescribeConfigs)"
PROFILE_NOTE = "its worker deletes the row when it reads the erasure"
STUB_NOTE = "without STREAM_ERASURE_KEY the row keeps the id for 7 days of event time"
SOON_NOTE = "the id leaves the row seconds of event time after the erasure, when it is committed"
OWNER_NOTE = "input events are kept as long as their owner wants; --delete-records-before deletes them"
QUEUE_NOTE = "rows go when what became of each delivery is on the deliveries topic"

ELSEWHERE = {
    "read store": "none is seen from here (--store); a running dashboard erases its own when it reads "
    "the erasure",
    "delivery queue": "none is seen from here (--queue); a running `stream deliver` erases its own when it "
    "reads the erasure",
}
"""Of a store that may be on another machine."""


class LocalStores(Struct, frozen=True):
    """Where the stores are that this machine can reach; empty: none is named."""

    read_store: str
    queue: str
    open_queue: Callable[[str], Database]
    data_dir: Path | None
    published: tuple[Path, ...] = ()


def erase(
    settings: Settings,
    customer: str,
    stores: LocalStores,
    now_ms: int,
    *,
    dry_run: bool,
    wait_s: float,
) -> ErasureReport:
    """Erase a customer, or with `dry_run` only look; waits up to `wait_s` for the worker.

    KafkaException, ClusterError: the cluster does not answer or refuses. What a single store refuses is in
    its report.
    """
    with reader(settings) as consumer:
        found = records_of(settings, consumer, customer)
        if not found["control"].exists:
            raise ClusterError(f"{found['control'].topic}: no such topic; run `stream topics apply`")
        done = erasure_in_force(found)
        if done is None and not dry_run:
            done = send_erasure(settings, customer, now_ms)
        until_s = time.monotonic() + wait_s
        while not dry_run and time.monotonic() < until_s and not _forgotten(found["profiles"]):
            time.sleep(LOOK_S)
            found = records_of(settings, consumer, customer)
        look = partial(local_reports, settings, customer, stores, done, now_ms, dry_run=dry_run)
        local = list(look())
        while time.monotonic() < until_s and any(each.state == "waits" for each in local):
            time.sleep(LOOK_S)
            local = list(look())
        if not dry_run:
            found = records_of(settings, consumer, customer)
    configs = _configs(settings, found)
    return ErasureReport(
        operation=done.id if done is not None else "",
        erased_at=_iso(done.time_ms) if done is not None else "",
        dry_run=dry_run,
        barred=bool(settings.erasure_key),
        stores=(*local, *_topics(found, configs, done, barred=bool(settings.erasure_key))),
    )


def _configs(settings: Settings, found: Mapping[Role, TopicRecords]) -> dict[str, Mapping[str, str]]:
    """The settings of the topics; none where this user may not see them: the erasure is done all the same."""
    admin = admin_client(settings)
    try:
        state = cluster_topics(admin, [each.topic for each in found.values()])
    except (ClusterError, KafkaException):
        return {}
    return {name: each.config for name, each in state.items()}


def send_erasure(settings: Settings, customer: str, now_ms: int) -> CustomerErased:
    """Put the event on the control topic, acknowledged. ClusterError: it was not taken."""
    event = CustomerErased(
        id=f"erasure-{uuid.uuid4()}",
        source="/stream/erase",
        subject=customer,
        time=datetime.fromtimestamp(now_ms / 1_000, UTC),
    )
    topic = topic_names(settings).control
    client, counts = producer(settings), SendCounts()
    produce(client, counts, OutgoingRecord(topic, encode_event(event), customer.encode(), timestamp=now_ms))
    if client.flush(FLUSH_S) or counts.unanswered:
        raise ClusterError(f"{topic}: Kafka has not said whether it took the erasure; run this again")
    if not counts.acknowledged[topic]:
        reason = "; ".join(counts.refused) or "no answer"
        raise ClusterError(f"{topic} did not take the erasure ({reason}); nothing was erased")
    return event


def _forgotten(profiles: TopicRecords) -> bool:
    """Whether the last record of the customer in the profiles topic is a deletion, or a stub for a week."""
    if not profiles.found:
        return True
    value = profiles.found[-1].value()
    if not value:
        return True
    try:
        profile = read_row(value).profile
    except UNREADABLE:
        return False
    return profile is not None and bool(profile.erased_ms) and profile.next_review_ms is not None


def local_reports(
    settings: Settings,
    customer: str,
    stores: LocalStores,
    done: CustomerErased | None,
    now_ms: int,
    *,
    dry_run: bool,
) -> Iterator[StoreReport]:
    """Erase the customer from the stores that are seen from here, and say of each what is left.

    `done`: the erasure that is in force, if there is one.
    """
    at_ms = done.time_ms if done is not None else 0
    if not stores.read_store:
        yield StoreReport("read store", "now", "absent", note=ELSEWHERE["read store"])
    else:
        wipe = partial(wipe_read_store, stores.read_store, customer, at_ms, settings.erasure_key)
        yield _sql("read store", stores.read_store, customer, wipe, dry_run=dry_run)
    if stores.queue:
        wipe = partial(_wipe_queue, stores, customer, at_ms, now_ms)
        yield _sql("delivery queue", stores.queue, customer, wipe, dry_run=dry_run)
    if stores.data_dir is not None:
        partition = partition_of(customer.encode(), settings.partitions)
        yield worker_stores(stores.data_dir, partition, customer, dry_run=dry_run)
    yield from published_reports(list(stores.published), customer, dry_run=dry_run)


def _wipe_queue(stores: LocalStores, customer: str, at_ms: int, now_ms: int) -> None:
    database = stores.open_queue(stores.queue)
    try:
        erase_now(database, customer, at_ms, now_ms)
    finally:
        database.close()


def _sql(kind: str, place: str, customer: str, wipe: Callable[[], None], *, dry_run: bool) -> StoreReport:
    """`wipe`: how the store itself erases, with all that it counts."""
    shown = "in PostgreSQL" if "://" in place else place
    name, note = f"{kind} {shown}", QUEUE_NOTE if kind == "delivery queue" else ""
    try:
        with sql_store(kind, place) as store:
            if store is None:
                return StoreReport(name, "now", "absent", note=ELSEWHERE[kind])
            if not dry_run:
                if store.left(customer):
                    wipe()
                store.tidy()
            left = store.left(customer)
    except (SqlStoreError, QueueError) as error:
        return StoreReport(name, "now", "failed", note=str(error))
    state = "clean" if not left else "holds" if dry_run else "waits"
    return StoreReport(name, "now", state, left, note=note)  # type: ignore[arg-type]


def _topics(
    found: Mapping[Role, TopicRecords],
    configs: Mapping[str, Mapping[str, str]],
    done: CustomerErased | None,
    *,
    barred: bool,
) -> Iterator[StoreReport]:
    for role, of_topic in found.items():
        name = f"topic {of_topic.topic}"
        forgets = "by_owner" if role in INPUTS else "later"
        if not of_topic.exists:
            yield StoreReport(name, forgets, "absent")  # type: ignore[arg-type]
        elif role in INPUTS:
            yield _input(name, of_topic)
        elif role in COMPACTED_ROLES:
            yield _compacted(name, of_topic, configs.get(of_topic.topic, {}), done, barred=barred)
        else:
            yield _kept_for(name, of_topic, configs.get(of_topic.topic, {}))


def _input(name: str, found: TopicRecords) -> StoreReport:
    offsets = tuple(OffsetRange(place, *ends) for place, ends in sorted(found.offsets.items()))
    state = "holds" if found.found else "clean"
    return StoreReport(name, "by_owner", state, len(found.found), note=OWNER_NOTE, offsets=offsets)  # type: ignore[arg-type]


def _compacted(
    name: str,
    found: TopicRecords,
    config: Mapping[str, str],
    done: CustomerErased | None,
    *,
    barred: bool,
) -> StoreReport:
    """Kafka rewrites a partition at the latest after max.compaction.lag.ms, and takes the tombstone away
    after delete.retention.ms more."""
    if not found.found:
        return StoreReport(name, "later", "clean")
    if not _forgotten(found):
        return StoreReport(name, "later", "waits" if done else "holds", len(found.found), note=PROFILE_NOTE)
    lag_ms = int(config.get("max.compaction.lag.ms", DAY_MS))
    until_ms = (
        (done.time_ms if done is not None else 0) + lag_ms + int(config.get("delete.retention.ms", DAY_MS))
    )
    stub = bool(found.found[-1].value())
    until = "" if stub or done is None else _iso(until_ms)
    note = (SOON_NOTE if barred else STUB_NOTE) if stub else ""
    return StoreReport(name, "later", "holds", len(found.found), until, note)


def _kept_for(name: str, found: TopicRecords, config: Mapping[str, str]) -> StoreReport:
    if not found.found:
        return StoreReport(name, "later", "clean")
    if not config:
        return StoreReport(name, "later", "holds", len(found.found), note=UNKNOWN_NOTE)
    kept_ms = int(config.get("retention.ms", "-1"))
    last_ms = max(each.timestamp()[1] for each in found.found)
    offsets = tuple(OffsetRange(place, *ends) for place, ends in sorted(found.offsets.items()))
    until = _iso(last_ms + kept_ms + int(config.get("segment.ms", "0"))) if kept_ms >= 0 else ""
    note = "" if until else "it has no retention: set retention.ms (`stream topics apply --alter`)"
    return StoreReport(name, "later", "holds", len(found.found), until, note, offsets)


def _iso(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1_000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
