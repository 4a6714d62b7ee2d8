"""Alert latency: from the moment an event is produced until the alert that it caused is read by a consumer.

An alert names the event that caused it, so each alert is timed exactly. The worker first reads a history;
then the same workload continues at a fixed rate, produced in slices of 20 ms (librdkafka sends one request
per slice and partition, and the broker that answers runs on the same two cores). The first seconds of live
events are not timed: batches are small then for the first time, and the broker's JVM still compiles for them.
"""

from __future__ import annotations

import gc
import statistics
import threading
import time
from collections.abc import Sequence

import msgspec
from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from bench.alone import ours
from bench.backlog import fill, producer, topic
from bench.processes import Program
from bench.stage import Stage, say
from bench.watch import RunError
from bench.workload import Message

SLICE_S = 0.02
"""Shorter slices would make the broker answer more requests than the events need."""


class _Caused(msgspec.Struct):
    causationid: str | None = None


class _EventId(msgspec.Struct):
    id: str


class Listener(threading.Thread):
    """Reads the alerts topic and notes the time at which each alert arrived, by the event that caused it."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(daemon=True)
        settings = {"bootstrap.servers": bootstrap, "group.id": "bench-listener", "enable.auto.commit": False}
        self._consumer = Consumer({**settings, "fetch.wait.max.ms": 500})
        partitions = self._consumer.list_topics(topic("alerts"), 30).topics[topic("alerts")].partitions
        self._consumer.assign([TopicPartition(topic("alerts"), each, OFFSET_END) for each in partitions])
        self._decode = msgspec.json.Decoder(_Caused).decode
        self.read_at: dict[str, float] = {}
        self.done = False

    def run(self) -> None:
        while not self.done:
            for message in self._consumer.consume(1_000, 0.005):
                if message.error() is not None:
                    continue
                cause = self._decode(message.value() or b"{}").causationid
                if cause is not None:
                    self.read_at.setdefault(cause, time.monotonic())
        self._consumer.close()


def produce_at(bootstrap: str, messages: Sequence[Message], rate: float) -> dict[str, float]:
    """Produce at `rate` events/s; event id -> time of producing. RunError when the broker refused any."""
    sender, decode = producer(bootstrap, linger_ms=1), msgspec.json.Decoder(_EventId).decode
    named = [(topic(message.stream), message, decode(message.value).id) for message in messages]
    sent_at: dict[str, float] = {}
    refused: list[object] = []

    def delivered(error: object, _message: object) -> None:
        if error is not None:
            refused.append(error)

    gc.freeze()  # a collection would walk a million messages while alerts are timed
    began, sent = time.monotonic(), 0
    while sent < len(named):
        due = min(len(named), int((time.monotonic() - began) * rate))
        now = time.monotonic()
        for name, message, event_id in named[sent:due]:
            sender.produce(name, message.value, message.key, timestamp=message.time_ms, on_delivery=delivered)
            sent_at[event_id] = now
        sent = due
        sender.poll(0)
        time.sleep(SLICE_S)
    left = sender.flush(10)
    if left or refused:
        raise RunError(f"{left} events had no answer, {len(refused)} were refused: {refused[:1]}")
    return sent_at


def measure(
    stage: Stage,
    history: Sequence[Message],
    live: Sequence[Message],
    rate: float,
    extra: dict[str, str],
    *,
    warm_s: float = 0.0,
) -> dict[str, float]:
    """Quantiles of the latency in milliseconds, for events sent `warm_s` or more after the first live one."""
    stage.empty()
    stage.ends = fill(stage.bootstrap, history)
    run = stage.prepare("latency")
    program: Program = stage.start(ours(), run, extra)
    listener = Listener(stage.bootstrap)
    try:
        stage.finish(run, program, ours().limit_s)
        listener.start()
        time.sleep(3)
        sent_at = produce_at(stage.bootstrap, live, rate)
        time.sleep(2)
    finally:
        listener.done = True
        program.stop()
    if not listener.read_at:
        raise RunError(f"no alert arrived for {len(live):,} events at {rate:,.0f} events/s")
    timed_from = min(sent_at.values()) + warm_s
    found = sorted(
        (read - sent_at[cause]) * 1_000
        for cause, read in listener.read_at.items()
        if sent_at.get(cause, 0.0) >= timed_from
    )
    say(f"{len(found)} alerts timed at {rate:,.0f} events/s")
    return quantiles(found)


def quantiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Count, median and tail; only the count when there are fewer than 20 alerts."""
    if len(milliseconds) < 20:
        return {"count": len(milliseconds)}
    cuts = statistics.quantiles(milliseconds, n=1_000, method="inclusive")
    return {
        "count": len(milliseconds),
        "p50": round(cuts[499], 1),
        "p99": round(cuts[989], 1),
        "p99.9": round(cuts[998], 1),
    }
