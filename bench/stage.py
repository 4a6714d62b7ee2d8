"""A real broker, the backlog on it, and one measured run of one peer: what every subcommand stands on."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.backlog import INPUTS, drop_topics, fill, make_topics, topic
from bench.processes import Program
from bench.roster import REPOSITORY, Peer
from bench.watch import Group, Run, watch
from bench.workload import Workload, messages

KEPT = frozenset(topic(name) for name in (*INPUTS, "control"))
OWN_OUTPUTS = (topic("alerts"), topic("deadletter"))
LOGS = Path(tempfile.gettempdir()) / "customer-stream-bench"


class Stage:
    """A broker with a backlog."""

    def __init__(self, broker: Any, scratch: Path) -> None:
        self.broker = broker
        self.bootstrap: str = broker.bootstrap
        self.scratch = scratch
        self.ends: dict[tuple[str, int], int] = {}
        self.runs = 0

    @property
    def broker_pid(self) -> int | None:
        """The broker's own process, so that its CPU is counted apart; None when it is not ours."""
        server = getattr(self.broker, "_server", None)
        return None if server is None else int(server.pid)

    def fill(self, workload: Workload, partitions: int = 4) -> None:
        """Make the inputs anew and produce the whole workload."""
        self.empty(partitions)
        began = time.monotonic()
        self.ends = fill(self.bootstrap, messages(workload))
        say(f"{sum(self.ends.values()):,} events produced in {time.monotonic() - began:.0f} s")

    def empty(self, partitions: int = 4) -> None:
        """All topics gone, and the inputs there again without a record."""
        drop_topics(self.bootstrap, frozenset())
        make_topics(self.bootstrap, KEPT, partitions)

    def environment(self, run: str, extra: Mapping[str, str]) -> dict[str, str]:
        """What a peer is told, and our own worker's settings: each ignores the other's."""
        state = self.scratch / run
        return {
            "PYTHONPATH": str(REPOSITORY),
            "BENCH_BOOTSTRAP": self.bootstrap,
            "BENCH_GROUP": run,
            "BENCH_CHANGELOG": f"{run}-rows",
            "BENCH_STATE_DIR": str(state),
            "STREAM_BROKERS": self.bootstrap,
            "STREAM_APP_ID": run,
            "STREAM_CLOCK": "event",
            "STREAM_DATA_DIR": str(state),
            "STREAM_HTTP_PORT": "0",
            **extra,
        }

    def prepared(self, name: str) -> str:
        """A new run: empty outputs, an empty state directory, a consumer group of its own."""
        self.runs += 1
        run = f"bench-{name.replace('_', '-')}-{self.runs}"
        drop_topics(self.bootstrap, KEPT)
        make_topics(self.bootstrap, [f"{run}-rows", topic("profiles")], compact=True)
        make_topics(self.bootstrap, OWN_OUTPUTS)
        (self.scratch / run).mkdir(parents=True, exist_ok=True)
        return run

    def start(self, peer: Peer, run: str, extra: Mapping[str, str] | None = None) -> Program:
        """The peer under way; whoever starts it stops it."""
        told = self.environment(run, {**peer.settings, **(extra or {})})
        return Program(peer.ready(), told, LOGS / f"{run}.log")

    def finish(self, run: str, program: Program, limit_s: float) -> Run:
        """Watch a program until the backlog is committed."""
        group = Group(self.bootstrap, run, self.ends)
        try:
            return watch(group, program, self.broker_pid, limit_s)
        finally:
            group.close()

    def measure(self, peer: Peer, extra: Mapping[str, str] | None = None) -> Run:
        """One run of one peer, from nothing to the end of the backlog."""
        run = self.prepared(peer.name)
        program = self.start(peer, run, extra)
        try:
            return self.finish(run, program, peer.limit_s)
        finally:
            program.stop()
            shutil.rmtree(self.scratch / run, ignore_errors=True)


def say(text: str) -> None:
    import sys

    print(f"bench: {text}", file=sys.stderr, flush=True)


@contextmanager
def stage(choice: str | None = None) -> Iterator[Stage]:
    """A broker that lives as long as the block: Maven jars unless STREAM_TEST_BROKER says otherwise."""
    import os

    from tests.support.kafka_broker import start_broker

    broker = start_broker(choice or os.environ.get("STREAM_TEST_BROKER") or "jar")
    try:
        with tempfile.TemporaryDirectory(prefix="stream-bench-") as scratch:
            yield Stage(broker, Path(scratch))
    finally:
        broker.close()
