"""Checks of brokers and topics: settings that will lose or refuse events, before they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stream.core.units import DAY_MS
from stream.ops.doctor.cluster_view import ClusterFinding, ClusterView
from stream.worker.kafka.topics import CENTURY_MS, INPUTS, RECREATION, ROLES, Role

NEEDED_BYTES = 1_048_576
"""The largest event that the contract allows: 1 MiB."""
SEGMENT_DAYS_MIN = 365
"""Event time per log segment. With less, replaying years of events makes the broker create many files."""
RELEASES = (
    (90, 0, "4.1 or newer"),
    (74, 0, "3.7 or newer"),
    (61, 0, "2.8 or newer"),
    (28, 3, "2.5 or newer"),
)
"""Number and version of a request that only brokers from this Kafka release on support, newest first."""

KEPT: tuple[Role, ...] = (*INPUTS, "profiles")
"""The topics from which nothing may be deleted."""

OUTPUTS: tuple[Role, ...] = ("alerts", "deadletter")
"""The topics that nothing is derived from."""

APPLY = "run `stream topics apply`"
ALTER = "run `stream topics apply --alter`"


def check_broker(view: ClusterView) -> Iterator[ClusterFinding]:
    """The brokers' release: exactly-once needs KIP-447, which came with Kafka 2.5."""
    releases = (name for api, version, name in RELEASES if view.apis.get(api, (0, -1))[1] >= version)
    release = next(releases, "")
    if release:
        yield ClusterFinding("broker", "ok", f"{view.brokers} brokers answer; Apache Kafka {release}")
    elif view.apis:
        yield ClusterFinding("broker", "fault", "older than Apache Kafka 2.5", "upgrade the brokers")
    else:
        yield ClusterFinding("broker", "note", f"{view.brokers} brokers answer; their release is unknown")


def check_existence(view: ClusterView) -> Iterator[ClusterFinding]:
    """All topics exist."""
    absent = [name for name in _names(view) if name not in view.topics]
    for name in absent:
        yield ClusterFinding("topics", "fault", f"{name} does not exist", APPLY)
    if not absent:
        yield ClusterFinding("topics", "ok", f"all {len(ROLES)} topics exist")


def check_partitions(view: ClusterView) -> Iterator[ClusterFinding]:
    """Every topic has the same number of partitions: a customer has one partition number everywhere."""
    counts = {name: state.partitions for name, state in view.topics.items()}
    wanted = view.settings.partitions
    if not counts:
        yield _skipped("partitions", ROLES)
    unequal = len(set(counts.values())) > 1
    for role in ROLES:
        name = getattr(view.names, role)
        if (count := counts.get(name, wanted)) != wanted:
            again = f"numbers of partitions are never changed: {RECREATION[role]}"
            remedy = again if unequal else f"set STREAM_PARTITIONS={count}"
            found = f"{name} has {count} partitions, {wanted} wanted"
            yield ClusterFinding("partitions", "fault", found, remedy)
    if counts and set(counts.values()) == {wanted}:
        yield ClusterFinding("partitions", "ok", f"{wanted} on every topic{_of(view, ROLES)}")


def check_retention(view: ClusterView) -> Iterator[ClusterFinding]:
    """Inputs and profiles are kept for ever.

    A broker deletes by record time, here event time: with a limit, an old event is gone within minutes.
    """
    if not _exist(view, KEPT):
        yield _skipped("retention", KEPT)
        return
    sound = True
    for role in KEPT:
        name = getattr(view.names, role)
        config = _config(view, name)
        limit = config.get("retention.ms", "-1")
        if limit != "-1":
            sound = False
            found = f"{name} deletes events older than {int(limit) / DAY_MS:g} days of event time"
            yield ClusterFinding("retention", "fault", found, ALTER)
        if config.get("retention.bytes", "-1") != "-1":
            found = f"{name} is limited in size: when it is full, its oldest events are deleted"
            yield ClusterFinding("retention", "note", found)
        days = int(config.get("segment.ms", CENTURY_MS)) / DAY_MS
        if role in INPUTS and days < SEGMENT_DAYS_MIN:
            found = f"{name} starts a file for every {days:g} days of event time: a replay creates very many"
            yield ClusterFinding("retention", "note", found, ALTER)
    if sound:
        found = f"no input or profile is deleted because of its age{_of(view, KEPT)}"
        yield ClusterFinding("retention", "ok", found)


def check_compaction(view: ClusterView) -> Iterator[ClusterFinding]:
    """Profiles are compacted to the newest row of each customer; inputs keep every event."""
    if not _exist(view, KEPT):
        yield _skipped("compaction", KEPT)
        return
    sound = True
    for role in KEPT:
        name = getattr(view.names, role)
        policy = _config(view, name).get("cleanup.policy", "")
        if role == "profiles" and policy and policy != "compact":
            sound = False
            found = (
                f"{name} is not compacted (cleanup.policy={policy}): it grows without end, or loses profiles"
            )
            yield ClusterFinding("compaction", "fault", found, ALTER)
        if role != "profiles" and "compact" in policy:
            sound = False
            found = f"{name} is compacted: all but the last event of each customer are lost"
            yield ClusterFinding("compaction", "fault", found, ALTER + ", and send the lost events again")
    if sound:
        found = f"profiles are compacted, events are kept{_of(view, KEPT)}"
        yield ClusterFinding("compaction", "ok", found)


def check_replicas(view: ClusterView) -> Iterator[ClusterFinding]:
    """What would be lost with one broker, and what no broker would accept."""
    if not view.topics:
        yield _skipped("copies", ROLES)
        return
    sound = True
    for name in view.topics:
        finding = _replica_fault(view, name)
        if finding is not None:
            sound = False
            yield finding
    if sound:
        found = f"every partition has a leader and all its copies{_of(view, ROLES)}"
        yield ClusterFinding("copies", "ok", found)


def _replica_fault(view: ClusterView, name: str) -> ClusterFinding | None:
    parts = view.replicas.get(name, [])
    fewest = min((part.wanted for part in parts), default=0)
    needed = int(_config(view, name).get("min.insync.replicas", "1"))
    if fewest < needed:
        found = f"{name} has {fewest} copies but min.insync.replicas={needed}: nothing can be written"
        return ClusterFinding("copies", "fault", found, "lower min.insync.replicas, or add copies")
    if any(not part.has_leader for part in parts):
        found = f"{name} has a partition without a leader"
        return ClusterFinding("copies", "fault", found, "start the brokers that have it")
    if any(part.in_sync < part.wanted for part in parts):
        found = f"{name} has copies that are not in sync"
        return ClusterFinding("copies", "fault", found, "check that all brokers run and are not overloaded")
    if fewest == 1 and view.brokers >= 3:
        found = f"{name} has one copy on {view.brokers} brokers: it is lost with its broker"
        return ClusterFinding("copies", "fault", found, "set STREAM_REPLICATION=3 and reassign the topic")
    return None


def check_sizes(view: ClusterView) -> Iterator[ClusterFinding]:
    """Every topic accepts the largest event."""
    if not view.topics:
        yield _skipped("sizes", ROLES)
        return
    sound = True
    for role in ROLES:
        name = getattr(view.names, role)
        limit = int(_config(view, name).get("max.message.bytes", NEEDED_BYTES))
        if limit < NEEDED_BYTES:
            sound = False
            found = f"{name} takes records up to {limit:,} bytes; events may have {NEEDED_BYTES:,}"
            remedy = f"set max.message.bytes={NEEDED_BYTES * 2} on the topic, or " + ALTER
            yield ClusterFinding("sizes", "fault", found, remedy)
    if sound:
        found = f"every topic takes records of {NEEDED_BYTES:,} bytes{_of(view, ROLES)}"
        yield ClusterFinding("sizes", "ok", found)


def check_timestamps(view: ClusterView) -> Iterator[ClusterFinding]:
    """Record time of inputs is event time; with LogAppendTime a replay by time (`--from`, `--to`) is empty.

    Alerts and dead letters are limited in time from their writing. Where that is not so, the topic was made
    by something else than `stream topics apply`: a broker creates a missing one by itself, empty.
    """
    for role in OUTPUTS:
        name = getattr(view.names, role)
        if _config(view, name).get("message.timestamp.type", "LogAppendTime") != "LogAppendTime":
            found = (
                f"{name} keeps the time that its writer gives: another program or the broker created it, "
                "and what was in an earlier one is gone"
            )
            remedy = f"{ALTER}; set auto.create.topics.enable=false on the brokers"
            yield ClusterFinding("timestamps", "fault", found, remedy)
    if not _exist(view, INPUTS):
        yield _skipped("timestamps", INPUTS)
        return
    wrong = [
        name
        for name in view.names.inputs
        if _config(view, name).get("message.timestamp.type", "CreateTime") != "CreateTime"
    ]
    for name in wrong:
        yield ClusterFinding("timestamps", "fault", f"{name} overwrites the time of its records", ALTER)
    if not wrong:
        found = f"inputs keep the time of their records{_of(view, INPUTS)}"
        yield ClusterFinding("timestamps", "ok", found)


def _exist(view: ClusterView, roles: Sequence[Role]) -> int:
    """How many topics of these roles exist."""
    return sum(getattr(view.names, role) in view.topics for role in roles)


def _of(view: ClusterView, roles: Sequence[Role]) -> str:
    """Words for a sound finding where not all topics of these roles exist: the others were not looked at."""
    count = _exist(view, roles)
    return f" ({count} of {len(roles)} topics; the others do not exist)" if count < len(roles) else ""


def _skipped(check: str, roles: Sequence[Role]) -> ClusterFinding:
    """The finding of a check of topics where none of them exists."""
    which = "inputs" if roles == INPUTS else "topics"
    return ClusterFinding(check, "skipped", f"none of the {len(roles)} {which} to look at exists")


def _names(view: ClusterView) -> list[str]:
    return [getattr(view.names, role) for role in ROLES]


def _config(view: ClusterView, name: str) -> dict[str, str]:
    state = view.topics.get(name)
    return state.config if state else {}


CHECKS = (
    check_broker,
    check_existence,
    check_partitions,
    check_retention,
    check_compaction,
    check_replicas,
    check_sizes,
    check_timestamps,
)
