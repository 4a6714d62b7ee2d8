"""Seeded runs with crashes, lost fetches and zombies; engines broken on purpose are detected."""

import asyncio
import json
import logging
import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from stream.engine.input.delivery import Delivery
from stream.engine.state.epoch import FENCE_KEY
from tests.faults.verifier import Expected, fold
from tests.support.engine_model import PARTITIONS, Broker, ModelCommitter
from tests.support.engine_simulation import simulate
from tests.support.toy_app import HOUR_MS, TOPICS

SEEDS = int(os.environ.get("STREAM_SIMULATION_SEEDS", "5000"))
SEEDS_QUICK = 150
MINUTE_MS = 60_000


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """A fenced zombie logs an error, and there is one in most runs."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def filled(chance: random.Random, exactly_once: bool) -> tuple[Broker, Expected]:
    """A broker with inputs of a few keys, silences between them, and the result that they must have."""
    broker, wanted = Broker(chance, exactly_once), Expected()
    for partition in PARTITIONS:
        now_ms = HOUR_MS
        events: list[dict[str, Any]] = []
        for _ in range(chance.randint(1, 40)):
            now_ms += chance.choice((0, 0, 1, MINUTE_MS, HOUR_MS - 1, 2 * HOUR_MS))
            topic, key = chance.choice(TOPICS), f"{partition}-{chance.randrange(3)}"
            event = {"key": key, "time_ms": now_ms, "amount": chance.randrange(100)}
            log = broker.inputs[topic, partition]  # type: ignore[index]
            if chance.random() < 0.05:
                wanted.dead.add(f"{topic}/{partition}/{len(log)}")
                broker.publish(topic, partition, b"{")
                continue
            events.append({**event, "at": (topic, len(log))})
            broker.publish(topic, partition, json.dumps(event).encode())
        if events:
            fold(events, wanted)
        instants = Counter(key for key, _ in {(event["key"], event["time_ms"]) for event in events})
        for key, count in instants.items():
            wanted.rows[key]["instants"] = count  # each was given out whole, once
    return broker, wanted


def wrong(broker: Broker, wanted: Expected) -> list[str]:
    rows = {
        key.decode(): json.loads(row or b"{}")
        for log in broker.rows.values()
        for key, row, _ in log
        if key != FENCE_KEY
    }
    found = {key: {name: row.get(name) for name in wanted.rows.get(key, ())} for key, row in rows.items()}
    alerts = Counter(value.decode() for topic, value in broker.out if topic == "out.alerts")
    dead = Counter(value.decode() for topic, value in broker.out if topic == "out.deadletter")
    faults = []
    if found != wanted.rows:
        faults.append("rows")
    if alerts.keys() != wanted.alerts:
        faults.append("alerts")
    if dead.keys() != wanted.dead:
        faults.append("dead letters")
    if broker.exactly_once and any(count > 1 for count in (*alerts.values(), *dead.values())):
        faults.append("something came twice")
    return faults


def faults(seed: int, exactly_once: bool, **parts: Any) -> list[str]:
    chance = random.Random(seed)
    broker, wanted = filled(chance, exactly_once)
    try:
        asyncio.run(simulate(broker, chance, **parts))
    except AssertionError as stuck:
        return [str(stuck)]
    return wrong(broker, wanted)


@pytest.mark.parametrize("exactly_once", [False, True])
def test_no_crash_lost_fetch_or_zombie_changes_the_outcome(exactly_once: bool) -> None:
    assert {seed: found for seed in range(SEEDS_QUICK) if (found := faults(seed, exactly_once))} == {}


@pytest.mark.slow
@pytest.mark.parametrize("exactly_once", [False, True])
def test_nor_do_they_in_thousands_of_seeds(exactly_once: bool) -> None:
    assert {seed: found for seed in range(SEEDS) if (found := faults(seed, exactly_once))} == {}


class CommitsBeforeAcknowledging(ModelCommitter):
    commits_first = True


class LetsZombiesWrite(ModelCommitter):
    fenced = looks = names_its_epoch = False


class NamesNoEpoch(ModelCommitter):
    names_its_epoch = False


class OmitsRows(ModelCommitter):
    """Alerts are written without the rows that hold them in their outboxes."""

    def write(self, batch: Any) -> None:
        super().write(batch._replace(rows=batch.rows[1:] if batch.outgoing else batch.rows))


class CommitsTooEarly(ModelCommitter):
    """Offsets are committed when the first rows of the checkpoint are written."""

    def write(self, batch: Any) -> None:
        lane = self.lanes[batch.partition]
        if lane.partly_written:
            batch.points.update(lane.commit_points())
        super().write(batch)


class IgnoresGaps(Delivery[Any]):
    def _take(self, place: Any, source: Any, batch: Any, result: Any) -> None:
        source.expected = max(source.expected, batch.start)
        super()._take(place, source, batch, result)


def test_an_engine_that_gives_out_an_instant_in_parts_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.engine.task.lane.by_key_within_instants", lambda batch: batch)

    assert any("rows" in faults(seed, exactly_once=False) for seed in range(SEEDS_QUICK))


@pytest.mark.parametrize(
    ("exactly_once", "broken"),
    [
        (False, {"committer": CommitsBeforeAcknowledging}),
        (False, {"delivery": IgnoresGaps}),
        (True, {"delivery": IgnoresGaps}),
        (False, {"committer": LetsZombiesWrite}),
        (True, {"committer": LetsZombiesWrite}),
        (False, {"committer": NamesNoEpoch}),
        (False, {"committer": CommitsTooEarly}),
        (True, {"committer": CommitsTooEarly}),
        (True, {"committer": OmitsRows}),
    ],
    ids=[
        "commits before acknowledging",
        "ignores gaps",
        "ignores gaps, exactly once",
        "no fencing",
        "no fencing, exactly once",
        "rows without an epoch",
        "commits before all rows",
        "commits before all rows, exactly once",
        "alerts without their rows, exactly once",
    ],
)
def test_an_engine_broken_on_purpose_is_detected(exactly_once: bool, broken: dict[str, Any]) -> None:
    assert any(faults(seed, exactly_once, **broken) for seed in range(SEEDS_QUICK))
