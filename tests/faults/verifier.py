"""What the topics must hold after the workers stopped, computed from the input alone.

It shares no code with the engine: it reads inputs, rows, alerts, dead letters and committed offsets, applies
the input by itself and lists what is wrong (violations of I1 to I6). Run: `python -m tests.faults.verifier
--bootstrap host:port --prefix NAME`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

HOUR_MS = 3_600_000
TOPICS = ("purchases", "engagement", "feedback")
TIMEOUT_S = 60
POLL_S = 0.1


def read_all(bootstrap: str, topic: str, isolation: str = "read_committed") -> list[Message]:
    """Every record of a topic, partition by partition in order of offsets."""
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "verifier",
            "enable.partition.eof": True,
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,  # the end is reported by an empty fetch, which takes 500 ms by default
        }
    )
    try:
        partitions = list(reader.list_topics(topic, TIMEOUT_S).topics[topic].partitions)
        reader.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in partitions])
        ended: set[int] = set()
        found: list[Message] = []
        until = time.monotonic() + TIMEOUT_S
        while len(ended) < len(partitions):
            assert time.monotonic() < until, f"the end of {topic} was not reached"
            for message in reader.consume(10_000, POLL_S):
                if message.error() is None:
                    found.append(message)
                else:
                    assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                    ended.add(message.partition())
        return sorted(found, key=lambda message: (message.partition(), message.offset()))
    finally:
        reader.close()


def valid(message: Message) -> dict[str, Any] | None:
    """The event in a record; None if it is none."""
    try:
        event = json.loads(message.value() or b"")
    except ValueError:
        return None
    if not isinstance(event, dict) or not isinstance(event.get("key"), str):
        return None
    return event if isinstance(event.get("time_ms"), int) else None


@dataclass
class Expected:
    """What must be there, according to the input."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    alerts: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)


def expected(bootstrap: str, prefix: str) -> Expected:
    result = Expected()
    by_partition: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for name in TOPICS:
        topic = f"{prefix}.{name}"
        for message in read_all(bootstrap, topic):
            place = (topic, message.partition())
            result.ends[place] = message.offset() + 1
            event = valid(message)
            if event is None:
                result.dead.add(f"{topic}/{message.partition()}/{message.offset()}")
            else:
                by_partition[message.partition()].append({**event, "at": (topic, message.offset())})
    for partition_events in by_partition.values():
        fold(sorted(partition_events, key=lambda event: event["time_ms"]), result)
    return result


def fold(in_order: list[dict[str, Any]], result: Expected) -> None:
    clock_ms = in_order[-1]["time_ms"]
    by_key: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in in_order:
        by_key[event["key"]].append(event)
    for key, events in by_key.items():
        times = [event["time_ms"] for event in events]
        applied: dict[str, Any] = {}
        for event in events:
            topic, offset = event["at"]
            applied[topic] = max(applied.get(topic, 0), offset + 1)
        silent = [
            before + HOUR_MS
            for before, after in zip(times, [*times[1:], clock_ms], strict=True)
            if before + HOUR_MS <= after
        ]
        result.rows[key] = {
            "count": len(events),
            "total": sum(event["amount"] for event in events),
            "last_ms": times[-1],
            "applied": applied,
        }
        result.alerts |= {f"{key}:count:{n}" for n in range(10, len(events) + 1, 10)}
        result.alerts |= {f"{key}:silent:{at_ms}" for at_ms in silent}


def violations(bootstrap: str, prefix: str, group: str, exactly_once: bool = False) -> list[str]:
    """Everything that is wrong, in words; an empty list when nothing is."""
    wanted = expected(bootstrap, prefix)
    return [
        *_wrong_offsets(bootstrap, group, wanted),
        *_wrong_rows(read_all(bootstrap, f"{prefix}.rows"), wanted),
        *_wrong_records("alert", read_all(bootstrap, f"{prefix}.alerts"), wanted.alerts, exactly_once),
        *_wrong_records(
            "dead letter", read_all(bootstrap, f"{prefix}.deadletter"), wanted.dead, exactly_once
        ),
    ]


def _wrong_offsets(bootstrap: str, group: str, wanted: Expected) -> list[str]:
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        places = [TopicPartition(topic, partition) for topic, partition in wanted.ends]
        found = {(each.topic, each.partition): each.offset for each in reader.committed(places, TIMEOUT_S)}
    finally:
        reader.close()
    return [
        f"I2 {topic}/{partition}: committed {found[topic, partition]}, the input ends at {end}"
        for (topic, partition), end in wanted.ends.items()
        if found[topic, partition] != end
    ]


def _wrong_rows(records: list[Message], wanted: Expected) -> list[str]:
    """A record counts unless a later writer had begun before it; the last record of each key must count."""
    wrong: list[str] = []
    rows: dict[str, dict[str, Any]] = {}
    homes: dict[str, int] = {}
    epochs: dict[int, int] = defaultdict(int)
    void: set[tuple[int, str]] = set()
    for record in records:
        key, partition = record.key().decode(), record.partition()
        epoch = _epoch(record)
        if epoch is not None and epoch < epochs[partition]:
            void.add((partition, key))
            continue
        epochs[partition] = epoch or epochs[partition]
        void.discard((partition, key))
        if key.startswith("\0"):  # an epoch begins, or a void record of one is written again
            continue
        if homes.setdefault(key, partition) != partition:
            wrong.append(f"I5 the row of {key} is in partitions {homes[key]} and {partition}")
        row = json.loads(record.value())
        before = rows.get(key, {"applied": {}})["applied"]
        if any(row["applied"].get(topic, 0) < offset for topic, offset in before.items()):
            wrong.append(f"I4 the row of {key} goes back from {before} to {row['applied']}")
        rows[key] = row
    wrong += [f"I6 the last record of {key} is one of a worker that was replaced" for _, key in sorted(void)]
    for key, row in wanted.rows.items():
        found = {name: rows.get(key, {}).get(name) for name in row}
        if found != row:
            wrong.append(f"I1 the row of {key} is {found}, it should be {row}")
    wrong += [
        f"I1 there is a row of {key}, which never had an event" for key in rows.keys() - wanted.rows.keys()
    ]
    return wrong


def _epoch(record: Message) -> int | None:
    return next((int(value) for name, value in record.headers() or () if name == "epoch"), None)


def _wrong_records(what: str, records: list[Message], wanted: set[str], exactly_once: bool) -> list[str]:
    found = Counter(record.value().decode() for record in records)
    wrong = [f"I3 {what} {name} is missing" for name in sorted(wanted - found.keys())]
    wrong += [f"I3 {what} {name} should not be" for name in sorted(found.keys() - wanted)]
    if exactly_once:
        wrong += [f"I3 {what} {name} exists {count} times" for name, count in found.items() if count > 1]
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description="exit 0 when nothing is wrong, 1 otherwise")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--exactly-once", action="store_true")
    arguments = parser.parse_args()
    found = violations(
        arguments.bootstrap, arguments.prefix, f"{arguments.prefix}-app", exactly_once=arguments.exactly_once
    )
    print("\n".join(found) or "nothing is wrong")
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
