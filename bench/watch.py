"""Measures any consumer group from outside, by its committed offsets: the same method for every peer.

The measurement starts at the first commit that is seen and ends at the commit that reaches the end of the
backlog; the rate is the events between the two, divided by the time between them. Start-up, assignment and
the first half second are therefore left out for all, and no peer reports about itself. CPU seconds are those
of the process tree between the same instants.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition
from msgspec import Struct

from bench.processes import Program, usage

POLL_S = 0.05
START_LIMIT_S = 180.0
"""A program that has committed nothing by then has failed."""


class RunError(Exception):
    """The measured program failed; the text says what was seen."""


class Sample(Struct):
    """Committed events and CPU seconds so far, at one instant."""

    at_s: float
    events: int
    cpu_s: float
    broker_cpu_s: float


class Run(Struct):
    """The figures of one run."""

    events_per_s: float
    events_per_cpu_s: float
    events: int
    seconds: float
    cpu_s: float
    broker_cpu_s: float
    start_up_s: float
    peak_rss_mb: float
    finished: bool


class Group:
    """The committed offsets of a consumer group, read by a consumer that never joins it.

    AdminClient.list_consumer_group_offsets of confluent-kafka 2.16.1 crashes the interpreter.
    """

    def __init__(self, bootstrap: str, name: str, ends: Mapping[tuple[str, int], int]) -> None:
        settings = {"bootstrap.servers": bootstrap, "group.id": name, "enable.auto.commit": False}
        self._consumer = Consumer(settings)
        self._places = [TopicPartition(*place) for place in ends]
        self.end = sum(ends.values())

    def committed(self) -> int:
        """The sum of its committed offsets on the inputs; 0 when the broker does not answer."""
        try:
            found = self._consumer.committed(self._places, timeout=10)
        except KafkaException:
            return 0
        return sum(max(place.offset, 0) for place in found)

    def close(self) -> None:
        self._consumer.close()


def watch(group: Group, program: Program, broker_pid: int | None, limit_s: float) -> Run:
    """Measure until the end is committed, or for `limit_s` after the first commit (for slow peers)."""
    began = time.monotonic()
    first: Sample | None = None
    peak = 0
    while True:
        events, now = group.committed(), time.monotonic()
        used = usage(program.pid)
        peak = max(peak, used.rss_bytes)
        last = Sample(now, events, used.cpu_s, usage(broker_pid).cpu_s if broker_pid else 0.0)
        if first is None and events > 0:
            first = last
        if first is not None and (events >= group.end or now - first.at_s > limit_s):
            return _run(first, last, first.at_s - began, peak, events >= group.end)
        if program.exit_code() is not None:
            raise RunError(f"it ended with exit code {program.exit_code()}: {program.tail()}")
        if first is None and now - began > START_LIMIT_S:
            raise RunError(f"nothing was committed within {START_LIMIT_S:.0f} s: {program.tail()}")
        time.sleep(POLL_S)


def _run(first: Sample, last: Sample, start_up_s: float, peak: int, finished: bool) -> Run:
    events, seconds = last.events - first.events, last.at_s - first.at_s
    if events <= 0 or seconds <= 0:
        raise RunError("everything was committed at once: use more --events")
    cpu_s = last.cpu_s - first.cpu_s
    return Run(
        events_per_s=events / seconds,
        events_per_cpu_s=events / cpu_s if cpu_s else 0.0,
        events=events,
        seconds=seconds,
        cpu_s=cpu_s,
        broker_cpu_s=last.broker_cpu_s - first.broker_cpu_s,
        start_up_s=start_up_s,
        peak_rss_mb=peak / 2**20,
        finished=finished,
    )
