"""Checks of brokers and topics: what would lose events or refuse them, before it does."""

from __future__ import annotations

from collections.abc import Iterator

from stream.ops.cluster_view import Finding, View
from stream.worker.kafka.topics import CENTURY_MS, DAY_MS, INPUTS, ROLES

NEEDED_BYTES = 1_048_576
SEGMENT_DAYS_MIN = 365
RELEASES = (
    (90, 0, "4.1 or newer"),
    (74, 0, "3.7 or newer"),
    (61, 0, "2.8 or newer"),
    (28, 3, "2.5 or newer"),
)
"""A request and version that only brokers of this release know."""

APPLY = "run `stream topics apply`"
ALTER = "run `stream topics apply --alter`"


def broker(view: View) -> Iterator[Finding]:
    """Release of the brokers; exactly-once needs KIP-447, of 2.5."""
    known = (name for api, version, name in RELEASES if view.apis.get(api, (0, -1))[1] >= version)
    release = next(known, "")
    if release:
        yield Finding("broker", "ok", f"{view.brokers} brokers answer; Apache Kafka {release}")
    elif view.apis:
        yield Finding("broker", "fault", "older than Apache Kafka 2.5", "upgrade the brokers")
    else:
        yield Finding("broker", "note", f"{view.brokers} brokers answer, and do not tell their release")


def missing(view: View) -> Iterator[Finding]:
    absent = [name for name in _names(view) if name not in view.topics]
    for name in absent:
        yield Finding("topics", "fault", f"{name} does not exist", APPLY)
    if not absent:
        yield Finding("topics", "ok", f"all {len(ROLES)} topics exist")


def partitions(view: View) -> Iterator[Finding]:
    """One customer must have one partition number on every topic."""
    counts = {name: state.partitions for name, state in view.topics.items()}
    wanted = view.settings.partitions
    unequal = len(set(counts.values())) > 1
    for name, count in counts.items():
        if count != wanted:
            remedy = (
                "counts of keyed topics are never changed: make new topics (STREAM_TOPIC_PREFIX), and send "
                "the events again"
                if unequal
                else f"set STREAM_PARTITIONS={count}"
            )
            yield Finding("partitions", "fault", f"{name} has {count} partitions, {wanted} wanted", remedy)
    if counts and set(counts.values()) == {wanted}:
        yield Finding("partitions", "ok", f"{wanted} on every topic")


def retention(view: View) -> Iterator[Finding]:
    """A broker deletes by the record's own time: an event of last year is gone within minutes."""
    sound = True
    for role in (*INPUTS, "profiles"):
        name = getattr(view.names, role)
        config = _config(view, name)
        limit = config.get("retention.ms", "-1")
        if limit != "-1":
            sound = False
            days = int(limit) / DAY_MS
            yield Finding(
                "retention",
                "fault",
                f"{name} deletes events older than {days:g} days by their own time",
                ALTER,
            )
        if config.get("retention.bytes", "-1") != "-1":
            yield Finding("retention", "note", f"{name} is limited in size: old events go when it is full")
        days = int(config.get("segment.ms", CENTURY_MS)) / DAY_MS
        if role in INPUTS and days < SEGMENT_DAYS_MIN:
            found = f"{name} begins files for every {days:g} days of event time: a replay loads the broker"
            yield Finding("retention", "note", found, ALTER)
    if sound:
        yield Finding("retention", "ok", "no input or profile is deleted for its age")


def compaction(view: View) -> Iterator[Finding]:
    sound = True
    for role in (*INPUTS, "profiles"):
        name = getattr(view.names, role)
        policy = _config(view, name).get("cleanup.policy", "")
        if role == "profiles" and policy and policy != "compact":
            sound = False
            found = f"{name} is not compacted (cleanup.policy={policy}): it grows for ever, or loses profiles"
            yield Finding("compaction", "fault", found, ALTER)
        if role != "profiles" and "compact" in policy:
            sound = False
            found = f"{name} is compacted: all but each customer's last event are lost"
            yield Finding("compaction", "fault", found, ALTER + ", and send the lost events again")
    if sound:
        yield Finding("compaction", "ok", "profiles compacted, events kept")


def copies(view: View) -> Iterator[Finding]:
    """What a broker's end would take along, and what no broker would accept."""
    sound = True
    for name in view.topics:
        parts = view.replicas.get(name, [])
        least = min((part.wanted for part in parts), default=0)
        needed = int(_config(view, name).get("min.insync.replicas", "1"))
        if least < needed:
            sound = False
            found = f"{name} has {least} copies but min.insync.replicas={needed}: nothing can be written"
            yield Finding("copies", "fault", found, "lower min.insync.replicas, or add copies")
        elif any(not part.has_leader for part in parts):
            sound = False
            yield Finding("copies", "fault", f"{name} has a partition without a leader", "start its brokers")
        elif any(part.in_sync < part.wanted for part in parts):
            sound = False
            yield Finding("copies", "fault", f"{name} has copies that lag behind", "look after the brokers")
        elif least == 1 and view.brokers >= 3:
            sound = False
            found = f"{name} has one copy on {view.brokers} brokers: it is lost with its broker"
            yield Finding("copies", "fault", found, "set STREAM_REPLICATION=3 and reassign the topic")
    if sound:
        yield Finding("copies", "ok", "every partition has a leader and all its copies")


def sizes(view: View) -> Iterator[Finding]:
    sound = True
    for role in ROLES:
        name = getattr(view.names, role)
        limit = int(_config(view, name).get("max.message.bytes", NEEDED_BYTES))
        if limit < NEEDED_BYTES:
            sound = False
            found = f"{name} takes records up to {limit:,} bytes; events may have {NEEDED_BYTES:,}"
            remedy = f"set max.message.bytes={NEEDED_BYTES * 2} on the topic, or " + ALTER
            yield Finding("sizes", "fault", found, remedy)
    if sound:
        yield Finding("sizes", "ok", f"every topic takes records of {NEEDED_BYTES:,} bytes")


def timestamps(view: View) -> Iterator[Finding]:
    """With LogAppendTime a replay by time (`--from`, `--to`) would find nothing where it looks."""
    wrong = [
        name
        for name in view.names.inputs
        if _config(view, name).get("message.timestamp.type", "CreateTime") != "CreateTime"
    ]
    for name in wrong:
        yield Finding("timestamps", "fault", f"{name} overwrites the time of its records", ALTER)
    if not wrong:
        yield Finding("timestamps", "ok", "inputs keep the time of their records")


def _names(view: View) -> list[str]:
    return [getattr(view.names, role) for role in ROLES]


def _config(view: View, name: str) -> dict[str, str]:
    state = view.topics.get(name)
    return state.config if state else {}


CHECKS = (broker, missing, partitions, retention, compaction, copies, sizes, timestamps)
