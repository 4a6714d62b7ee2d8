"""A real broker with the backlog, and measured runs of peers on it: the base of every subcommand."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.backlog import INPUTS, ONE_TOPIC, drop_topics, fill, make_topics, topic
from bench.core.histories import Sizes, completejourney, repeated
from bench.processes import Program
from bench.roster import REPOSITORY, Peer
from bench.watch import Group, Run, watch
from bench.workload import Message, Workload, messages

KEPT = frozenset([*(topic(name) for name in (*INPUTS, "control")), ONE_TOPIC])
OWN_OUTPUTS = tuple(map(topic, ("alerts", "alerts.shadow", "deliveries", "deadletter")))
LOGS = Path(tempfile.gettempdir()) / "customer-stream-bench"


class Stage:
    """A broker with the backlog on its input topics."""

    def __init__(self, broker: Any, scratch: Path) -> None:
        self.broker = broker
        self.bootstrap: str = broker.bootstrap
        self.scratch = scratch
        self.ends: dict[tuple[str, int], int] = {}
        self.ends_of_one: dict[tuple[str, int], int] = {}
        self.runs = 0

    @property
    def broker_pid(self) -> int | None:
        """Process id of the broker, to count its CPU apart; None when this bench did not start it."""
        server = getattr(self.broker, "_server", None)
        return None if server is None else int(server.pid)

    def fill(self, workload: Workload, partitions: int = 4) -> None:
        """Create the inputs again and produce the whole workload."""
        self.fill_with(messages(workload), partitions)

    def fill_with(self, backlog: Iterable[Message], partitions: int = 4) -> None:
        """Create the inputs again and produce these events, which are in order of time."""
        self.empty(partitions)
        began = time.monotonic()
        self.ends = fill(self.bootstrap, backlog)
        say(f"{sum(self.ends.values()):,} events produced in {time.monotonic() - began:.0f} s")

    def fill_real(self, events: int) -> None:
        """Create the inputs again and produce completejourney, repeated to about so many events."""
        self.fill_with(repeated(completejourney(Sizes(), self.scratch), events))

    def fill_one(self, workload: Workload) -> None:
        """Produce the whole workload once more, into the one topic for peers that cannot merge."""
        self.ends_of_one = fill(self.bootstrap, messages(workload), ONE_TOPIC)

    def ends_for(self, peer: Peer) -> dict[tuple[str, int], int]:
        """Where the input of a peer ends: topic and partition -> offset."""
        return self.ends_of_one if peer.one_topic else self.ends

    def empty(self, partitions: int = 4) -> None:
        """Delete all topics, and create the inputs again without records."""
        drop_topics(self.bootstrap, frozenset())
        make_topics(self.bootstrap, KEPT, partitions)

    def environment(self, run: str, extra: Mapping[str, str]) -> dict[str, str]:
        """Environment variables for the peers (BENCH_*) and for our own worker (STREAM_*)."""
        state = self.scratch / run
        return {
            "PYTHONPATH": str(REPOSITORY),
            "BENCH_BOOTSTRAP": self.bootstrap,
            "BENCH_GROUP": run,
            "BENCH_CHANGELOG": f"{run}-rows",
            "BENCH_STATE_DIR": str(state),
            "BENCH_INPUT": ONE_TOPIC,
            "BENCH_ALERTS": topic("alerts"),
            "STREAM_BROKERS": self.bootstrap,
            "STREAM_APP_ID": run,
            "STREAM_CLOCK": "event",
            "STREAM_DATA_DIR": str(state),
            "STREAM_HTTP_PORT": "0",
            **extra,
        }

    def prepare(self, name: str) -> str:
        """Prepare a run (empty outputs, empty state directory, a new consumer group) and return its name."""
        self.runs += 1
        run = f"bench-{name.replace('_', '-')}-{self.runs}"
        drop_topics(self.bootstrap, KEPT)
        make_topics(self.bootstrap, [f"{run}-rows", topic("profiles")], compact=True)
        make_topics(self.bootstrap, OWN_OUTPUTS)
        (self.scratch / run).mkdir(parents=True, exist_ok=True)
        return run

    def start(self, peer: Peer, run: str, extra: Mapping[str, str] | None = None) -> Program:
        """Start a peer; the caller stops it."""
        environment = self.environment(run, {**peer.settings, **(extra or {})})
        return Program(peer.ready(), environment, LOGS / f"{run}.log")

    def finish(self, run: str, program: Program, limit_s: float, peer: Peer | None = None) -> Run:
        """Watch a program until the whole backlog is committed."""
        group = Group(self.bootstrap, run, self.ends if peer is None else self.ends_for(peer))
        try:
            return watch(group, program, self.broker_pid, limit_s)
        finally:
            group.close()

    def measure(self, peer: Peer, extra: Mapping[str, str] | None = None) -> Run:
        """One run of one peer over the whole backlog."""
        run = self.prepare(peer.name)
        program = self.start(peer, run, extra)
        try:
            return self.finish(run, program, peer.limit_s, peer)
        finally:
            program.stop()
            shutil.rmtree(self.scratch / run, ignore_errors=True)


def say(text: str) -> None:
    """Print progress to stderr; stdout is for the result."""
    import sys

    print(f"bench: {text}", file=sys.stderr, flush=True)


@contextmanager
def stage(choice: str | None = None) -> Iterator[Stage]:
    """A broker for the `with` block: Kafka from Maven's jars, unless STREAM_TEST_BROKER names another."""
    import os

    from tests.support.kafka_broker import start_broker

    broker = start_broker(choice or os.environ.get("STREAM_TEST_BROKER") or "jar")
    try:
        with tempfile.TemporaryDirectory(prefix="stream-bench-") as scratch:
            yield Stage(broker, Path(scratch))
    finally:
        broker.close()
