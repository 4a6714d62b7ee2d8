"""How many workers, how much memory and traffic a shop needs, and how long its partitions stand still.

Arithmetic on the measured figures of bench/README.md, and a small simulation of restarts, lost nodes and
rebalances. Nothing is measured here. docs/scaling.md shows the output (`python -m bench.sizing`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Literal

import click
from msgspec import Struct

EVENTS_PER_S = 10_000
"""What is planned for one worker (one core): half of 20,976, measured with 1,000,000 customers on disk, since
latencies are measured at half load."""
CUSTOMERS_PER_WORKER = 1_000_000
"""The largest number that was measured on one worker."""
MEMORY_BYTES, MEMORY_BYTES_PER_CUSTOMER = 850_000_000, 1_370
"""Of a worker with 100,000 hot rows on disk: 980 MB with 100,000 customers, 2,210 MB with 1,000,000."""
ROW_BYTES, ROW_PACKED_BYTES = 4_000, 1_500
"""A row, and with lz4 in Kafka: 2,697 and 1,070 after 20 events, 4,864 and 1,691 after 150 (measured)."""
EVENT_BYTES = 300
"""JSON of an event without compression (measured); in large batches lz4 makes it a quarter or less."""
DISK_SPARE = 2.0
"""RocksDB and Kafka's compaction both need room for the old beside the new."""
ROWS_PER_S = 220_000
"""Rows of 2 KB read back in a second by one worker: 219,000 to 337,000 were measured."""
ROW_READ_BYTES_PER_S = ROWS_PER_S * 2_000
REPLICATION = 3
PARTITIONS_MIN, PARTITIONS_MAX = 12, 768
"""Numbers of partitions are 12 times a power of two; `STREAM_PARTITIONS` ends at 1,000."""
HEARTBEAT_S, FLUSH_S = 3.0, 5.0
"""How late a member hears of a rebalance at most, and how long it then writes what it has at most."""


class Size(Struct, frozen=True):
    """What a shop needs. Bytes are of one worker, bytes a second of the whole cluster."""

    customers: int
    events_per_s: int
    workers: int
    partitions: int
    memory_bytes: int
    disk_bytes: int
    topic_bytes: int
    """Of the profiles topic on one replica, once it is compacted."""
    kafka_in_bytes_per_s: int
    """Events and rows, before replication."""


def size_of(customers: int, events_per_s: int) -> Size:
    """Each event changes one row, and each changed row is written once (many customers: no repeats within
    a flush). ValueError: more workers than partitions may be."""
    workers = max(1, math.ceil(customers / CUSTOMERS_PER_WORKER), math.ceil(events_per_s / EVENTS_PER_S))
    partitions = PARTITIONS_MIN
    while partitions < min(2 * workers, PARTITIONS_MAX):
        partitions *= 2
    if workers > partitions:
        raise ValueError(f"{workers} workers, but {PARTITIONS_MAX} partitions at most: split the shop")
    each = customers / workers
    return Size(
        customers=customers,
        events_per_s=events_per_s,
        workers=workers,
        partitions=partitions,
        memory_bytes=round(MEMORY_BYTES + each * MEMORY_BYTES_PER_CUSTOMER),
        disk_bytes=round(each * ROW_PACKED_BYTES * DISK_SPARE),
        topic_bytes=round(customers * ROW_PACKED_BYTES * DISK_SPARE),
        kafka_in_bytes_per_s=events_per_s * (EVENT_BYTES + ROW_PACKED_BYTES),
    )


class Cluster(Struct, frozen=True):
    """What a simulation needs to know beside the size."""

    size: Size
    session_s: float = 180.0
    start_s: tuple[float, float] = (8.0, 40.0)
    """From the end of a worker to its next start: a container, Python, the first answer of Kafka."""
    egress_bytes_per_s: float = 2e9
    """What all brokers together can send."""


Incident = Literal["restart", "restart without a name", "node lost", "one more worker", "all anew"]
INCIDENTS: tuple[Incident, ...] = (
    "restart", "restart without a name", "node lost", "one more worker", "all anew",
)  # fmt: skip


class Standstill(Struct, frozen=True):
    """How long partitions of one incident were not read, in seconds, and how long their lag lasted then."""

    partitions: int
    median_s: float
    longest_s: float
    caught_up_s: float
    """From the incident until the worst partition has no lag."""


def recovery_s(customers: float, bytes_per_s: float) -> float:
    """Seconds in which one worker reads so many rows back, if Kafka sends it no more than `bytes_per_s`.

    The worker's own limit is in bytes of rows (ROW_READ_BYTES_PER_S), Kafka's in bytes as they are packed.
    """
    own = customers * ROW_BYTES / ROW_READ_BYTES_PER_S
    return max(own, customers * ROW_PACKED_BYTES / bytes_per_s)


def simulate(cluster: Cluster, incident: Incident, random_state: random.Random) -> Standstill:
    """One incident: for how long each partition is read by nobody.

    A rebalance closes all lanes, and Kafka's range assignor gives each member a run of numbers: who leaves or
    comes in the middle shifts the runs of all behind it. Rows of a partition that a worker had are on its
    disk, all others are read back from Kafka, by all workers at once. (A disk may still have older rows of
    such a partition; then it is faster.)
    """
    size = cluster.size
    members = list(range(size.workers))
    before = ranges(size.partitions, members)
    start_s, join_s = random_state.uniform(*cluster.start_s), _join_s(size.workers, random_state)
    gone = random_state.choice(members)
    if incident == "restart":  # its name keeps its partitions: the others notice nothing
        return _standstill([start_s + FLUSH_S] * len(before[gone]), cluster)
    if incident == "all anew":
        return _standstill(_opened(cluster, {}, before, start_s + join_s), cluster)
    without = [each for each in members if each != gone]
    if incident == "one more worker":
        without, before = members, {**before, size.workers: set()}
    there = list(without)
    if incident != "node lost":
        there.insert(random_state.randint(0, len(without)), gone if gone not in without else size.workers)
    if incident == "restart without a name":  # two rebalances: it leaves, and is back before rows are read
        return _standstill(_opened(cluster, before, ranges(size.partitions, there), 2 * join_s), cluster)
    after = ranges(size.partitions, there) if there else {size.workers: set(range(size.partitions))}
    opened = _opened(cluster, before, after, join_s)
    if incident == "node lost":
        opened = [each + cluster.session_s * (n in before[gone]) for n, each in enumerate(opened)]
    return _standstill(opened, cluster)


def ranges(partitions: int, members: Sequence[int]) -> dict[int, set[int]]:
    """Member -> its partitions, as Kafka's range assignor gives them to members in this order."""
    share, more = divmod(partitions, len(members))
    starts = [place * share + min(place, more) for place in range(len(members) + 1)]
    return {member: set(range(starts[n], starts[n + 1])) for n, member in enumerate(members)}


def _opened(
    cluster: Cluster, before: Mapping[int, set[int]], after: Mapping[int, set[int]], join_s: float
) -> list[float]:
    """By partition: when it is read again. A worker opens its lanes together, when the last has rows."""
    size = cluster.size
    new = {member: len(theirs - before.get(member, set())) for member, theirs in after.items()}
    egress = cluster.egress_bytes_per_s / max(1, sum(count > 0 for count in new.values()))
    each = size.customers / size.partitions
    ready = {member: join_s + recovery_s(count * each, egress) for member, count in new.items()}
    owner = {partition: member for member, theirs in after.items() for partition in theirs}
    return [ready[owner[partition]] for partition in range(size.partitions)]


def _join_s(workers: int, random_state: random.Random) -> float:
    """A rebalance waits for the last member: it hears of it with a heartbeat, and writes what it has."""
    return max(
        random_state.uniform(0, HEARTBEAT_S) + random_state.uniform(0, FLUSH_S) for _ in range(workers)
    )


def _standstill(stopped: Sequence[float], cluster: Cluster) -> Standstill:
    size, ordered = cluster.size, sorted(stopped)
    busy = min(0.95, size.events_per_s / (size.workers * 2 * EVENTS_PER_S))  # of what the workers can do
    return Standstill(
        partitions=sum(each > 1 for each in ordered),
        median_s=ordered[len(ordered) // 2],
        longest_s=ordered[-1],
        caught_up_s=ordered[-1] / (1 - busy),
    )


SHOPS = (
    (100_000, 100), (1_000_000, 2_000), (10_000_000, 20_000),
    (100_000_000, 100_000), (100_000_000, 1_000_000),
)  # fmt: skip


def sizing_table() -> str:
    """The sizes of some shops, as Markdown."""
    lines = [
        "| customers | events/s | partitions | workers | memory each | disk each | profiles | into Kafka |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size in (size_of(*shop) for shop in SHOPS):
        memory, disk = f"{size.memory_bytes / 1e9:.1f} GB", f"{size.disk_bytes / 1e9:.1f} GB"
        topic = f"{size.topic_bytes * REPLICATION / 1e9:,.1f} GB"
        wire = f"{size.kafka_in_bytes_per_s / 1e6:,.1f} MB/s"
        cells = [f"{size.customers:,}", f"{size.events_per_s:,}", str(size.partitions), str(size.workers)]
        lines.append("| " + " | ".join([*cells, memory, disk, topic, wire]) + " |")
    return "\n".join(lines)


def incident_table(customers: int, events_per_s: int, rounds: int, seed: int) -> str:
    """Medians over some rounds, as Markdown."""
    cluster = Cluster(size_of(customers, events_per_s))
    lines = [
        "| what happens | partitions that stop | for (median) | for (longest) | no lag after |",
        "|---|---|---|---|---|",
    ]
    for incident in INCIDENTS:
        state = random.Random(f"{seed} {incident}")
        found = [simulate(cluster, incident, state) for _ in range(rounds)]
        middle = [
            sorted(getattr(one, name) for one in found)[rounds // 2]
            for name in ("partitions", "median_s", "longest_s", "caught_up_s")
        ]
        seconds = " | ".join(f"{each:,.0f} s" for each in middle[1:])
        lines.append(f"| {incident} | {middle[0]} | {seconds} |")
    return "\n".join(lines)


@click.command()
@click.option("--customers", default=100_000_000, show_default=True, type=click.IntRange(min=1_000))
@click.option("--events-per-s", default=100_000, show_default=True, type=click.IntRange(min=1))
@click.option("--rounds", default=101, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=1, show_default=True)
def main(*, customers: int, events_per_s: int, rounds: int, seed: int) -> None:
    """Workers, memory and traffic of some shops, and how long partitions stand still; nothing is measured.

    \b
    Example: python -m bench.sizing --customers 20000000 --events-per-s 5000
    """
    try:
        incidents = incident_table(customers, events_per_s, rounds, seed)
    except ValueError as reason:
        raise click.UsageError(str(reason)) from reason
    click.echo(f"{sizing_table()}\n\n{incidents}")


if __name__ == "__main__":
    main()
