"""What a live alert waits for while a month begins at which very many customers are due at one instant.

A worker with a wall clock that is off starts a minute before the beginning of a month, with the rows of a
Christmas shop (border_shop.py), and is live at once. Events of these customers come at a steady rate; some
are angry reviews, and each of these makes an alert, which is timed from the event to the reader of the topic.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
from confluent_kafka import OFFSET_END, Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from bench.alone import LOG_TO_READ, rows_recovered
from bench.backlog import INPUTS, producer, topic
from bench.border_shop import BEFORE_MS, BorderShop, angry_review, border_shop, copy_of, rows
from bench.import_speed import code_of
from bench.latency import SLICE_S, quantiles
from bench.processes import Program
from bench.results import print_result, stamp
from bench.roster import REPOSITORY
from bench.stage import LOGS, Stage, say, stage
from bench.watch import RunError
from stream.core.events.event import Event, SessionStarted
from stream.core.events.payload import Session
from stream.engine.task.commit_point import CommitPoint
from stream.wire import encode_event

PARTITIONS = 4
LEAD_S, CALM_S, NEAR_S, AFTER_S = 60.0, 20.0, 5.0, 30.0
"""From the start of the worker to the border; how long events are timed before it, at it and after it."""
MARGIN_S = 2.0
"""Events sent so shortly before the border belong to neither."""
COMMIT_S = 30.0
ALERTS_SHARE = 0.02


class Border(NamedTuple):
    """What is measured, on which broker."""

    here: Stage
    shop: BorderShop
    copies: int
    """Of each customer."""
    rate: float
    """Events a second."""
    settings: dict[str, str]
    """More settings of the worker."""


class _Alert(msgspec.Struct):
    causationid: str | None = None


class AlertReader(threading.Thread):
    """Notes when each alert was read: by the event that caused it, and of those that time caused."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(daemon=True)
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": "bench-border", "enable.auto.commit": False}
        )
        self._consumer.assign(
            [TopicPartition(topic("alerts"), each, OFFSET_END) for each in range(PARTITIONS)]
        )
        self._decode = msgspec.json.Decoder(_Alert).decode
        self.read_s: dict[str, float] = {}
        self.by_time_s: list[float] = []
        self.done = False

    def run(self) -> None:
        while not self.done:
            for message in self._consumer.consume(1_000, 0.005):
                if message.error() is None:
                    cause, now_s = self._decode(message.value() or b"{}").causationid, time.monotonic()
                    if cause is None:
                        self.by_time_s.append(now_s)
                    else:
                        self.read_s.setdefault(cause, now_s)
        self._consumer.close()


def fill_rows(here: Stage, run: str, shop: BorderShop, copies: int, clock_ms: int) -> None:
    """Write the rows, and commit that the group was live and stood at `clock_ms`."""
    sender = producer(here.bootstrap)
    for key, row in rows(shop.profiles, copies):
        while True:
            try:
                sender.produce(topic("profiles"), row, key)
                break
            except BufferError:
                sender.poll(0.1)
    if sender.flush(60):
        raise RunError("the rows could not be written")
    metadata = CommitPoint(0, 1, clock_ms, clock_ms, live=True).metadata()
    places = [
        TopicPartition(topic(name), number, 0, metadata)
        for name in (*INPUTS, "control")
        for number in range(PARTITIONS)
    ]
    commit_offsets(AdminClient({"bootstrap.servers": here.bootstrap}), run, places)


def commit_offsets(admin: AdminClient, group: str, places: list[TopicPartition]) -> None:
    """As the group itself would. A broker that is not yet the group's coordinator is asked again.

    RunError: some offsets were not taken. Kafka says so for each place, and the call succeeds all the same.
    """
    until = time.monotonic() + COMMIT_S
    while True:
        asked = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])
        refused = [each for each in asked[group].result(30).topic_partitions if each.error is not None]
        if not refused:
            return
        if time.monotonic() > until:
            raise RunError(f"offsets were not committed: {refused[0].error}")
        time.sleep(0.2)


def live_events(shop: BorderShop, copies: int, now_ms: Any) -> Iterator[tuple[str, Event]]:
    """Events without end: visits, and among them angry reviews of customers who are ready to alert."""
    chance, number = random.Random(1), 0
    angry = [copy_of(customer, copy) for copy in range(copies) for customer in shop.ready_to_alert]
    chance.shuffle(angry)
    while True:
        number += 1
        if chance.random() < ALERTS_SHARE and angry:
            yield "feedback", angry_review(angry.pop(), now_ms(), f"angry-{number}")
            continue
        customer = copy_of(chance.choice(shop.profiles).customer, chance.randrange(copies))
        at = datetime.fromtimestamp(now_ms() / 1_000, UTC)
        visit = Session(session_id=f"s{number}")
        yield (
            "engagement",
            SessionStarted(id=f"visit-{number}", source="/bench", subject=customer, time=at, data=visit),
        )


def send_through(border: Border, offset_s: float) -> dict[str, float]:
    """Send events through the border, by the worker's clock; when each angry review was sent."""
    sender, sent_s, sent = producer(border.here.bootstrap, linger_ms=1), dict[str, float](), 0

    def now_ms() -> int:
        return int((time.time() + offset_s) * 1_000)

    events, began_s = live_events(border.shop, border.copies, now_ms), time.monotonic()
    while now_ms() < border.shop.border_ms + int(AFTER_S * 1_000):
        due = int((time.monotonic() - began_s) * border.rate)
        while sent < due:
            sent += 1
            kind, event = next(events)
            sender.produce(topic(kind), encode_event(event), event.subject.encode(), timestamp=event.time_ms)
            if kind == "feedback":
                sent_s[event.id] = time.monotonic()
        sender.poll(0)
        time.sleep(SLICE_S)
    sender.flush(10)
    return sent_s


def once(border: Border, code: Path) -> dict[str, Any]:
    """One worker of this code through the border: quantiles in milliseconds of alerts before it and after."""
    here, shop = border.here, border.shop
    here.empty(PARTITIONS)
    run = here.prepare("border")
    fill_rows(here, run, shop, border.copies, shop.border_ms - BEFORE_MS)
    offset_s, border_s = shop.border_ms / 1_000 - LEAD_S - time.time(), time.monotonic() + LEAD_S
    settings = {"STREAM_CLOCK": "wall", "STREAM_MODEL": str(shop.model), "PYTHONPATH": str(code)}
    command = [sys.executable, "-P", str(REPOSITORY / "bench" / "at_time.py"), str(offset_s), "worker"]
    environment = here.environment(run, {**settings, **LOG_TO_READ, **border.settings})
    worker, reader = Program(command, environment, LOGS / f"{run}.log"), AlertReader(here.bootstrap)
    try:
        recovered, _ = rows_recovered(worker)
        if time.monotonic() > border_s - CALM_S:
            raise RunError("reading the rows back took too long")
        reader.start()
        sent_s = send_through(border, offset_s)
        time.sleep(5)
        if worker.exit_code() is not None:
            raise RunError(worker.tail())
    finally:
        reader.done = True
        worker.stop()
    found = {
        "calm": timed(reader, sent_s, border_s - CALM_S, border_s - MARGIN_S),
        "border": timed(reader, sent_s, border_s, border_s + NEAR_S),
        "later": timed(reader, sent_s, border_s + NEAR_S, border_s + AFTER_S),
        "alerts_of_the_border": sum(each >= border_s for each in reader.by_time_s),
        "reviews_done_s": round(max(reader.by_time_s, default=border_s) - border_s, 2),
        "missing": len(sent_s.keys() - reader.read_s.keys()),
        "rows": recovered,
    }
    say(str(found))
    return found


def timed(reader: AlertReader, sent_s: dict[str, float], from_s: float, until_s: float) -> dict[str, float]:
    """Quantiles of the alerts whose event was sent within that time, and the longest of them."""
    waits = [
        1_000 * (reader.read_s[cause] - at_s)
        for cause, at_s in sent_s.items()
        if from_s <= at_s < until_s and cause in reader.read_s
    ]
    return {**quantiles(waits), "max": round(max(waits, default=0.0), 1)}


def measured(here: Stage, customers: int, rate: float, rounds: int, before: str | None) -> dict[str, Any]:
    """Each code once a round, in turns."""
    shop = border_shop(here.scratch)
    copies = max(1, round(customers / len(shop.profiles)))
    codes = {"now": REPOSITORY}
    if before is not None:
        (here.scratch / "before").mkdir()
        codes = {"before": code_of(before, here.scratch / "before"), **codes}
    result: dict[str, Any] = {
        "customers": len(shop.profiles) * copies,
        "due": shop.due * copies,
        "border": datetime.fromtimestamp(shop.border_ms / 1_000, UTC).isoformat(),
        "rate": rate,
    }
    say(f"{result}; {len(shop.ready_to_alert) * copies} customers are ready to alert")
    for name in codes:
        result[name] = []
    for _ in range(rounds):
        for name, code in codes.items():
            result[name].append(once(Border(here, shop, copies, rate, {}), code))
    return result


@click.command(name="border")
@click.option("--customers", default=100_000, show_default=True, type=click.IntRange(min=4_000))
@click.option("--rate", default=2_000.0, show_default=True, help="Events a second.")
@click.option("--rounds", default=2, show_default=True, type=click.IntRange(min=1))
@click.option("--before", help="A commit whose code has every second turn.")
def border_command(*, customers: int, rate: float, rounds: int, before: str | None) -> None:
    """Latency of alerts while a month begins at which very many customers of a shop of seasons are due."""
    with stage() as here:
        result = {**measured(here, customers, rate, rounds, before), **stamp()}
    print_result(result)
