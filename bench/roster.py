"""The peers (measured programs): how each is installed, in a cache outside this repository, and started."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "customer-stream" / "peers"


class PeerError(Exception):
    """A peer cannot be installed or run on this machine; the text says why."""


class Peer(Struct, frozen=True):
    """A measured program.

    `ready` installs it and returns its command. `limit_s` ends the run of a peer too slow to finish.
    """

    name: str
    what: str
    ready: Callable[[], list[str]]
    limit_s: float = 120.0
    settings: dict[str, str] = {}
    one_topic: bool = False
    """It reads the topic that holds all events in order of event time (`bench.backlog.ONE_TOPIC`)."""
    keeps: str = ""
    """What it guarantees after a crash, in words."""


def _ran(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(f"{what}: {(done.stderr or done.stdout).strip()[-400:]}")


def _interpreter(requirements: str) -> str:
    """A Python interpreter with the pinned packages, installed once per version of the list."""
    listed = HERE / "peers" / requirements
    home = CACHE / f"{listed.stem}-{hashlib.sha256(listed.read_bytes()).hexdigest()[:12]}"
    python = home / "bin" / "python"
    if not (home / ".ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        if shutil.which("uv"):
            _ran(["uv", "venv", "-q", "--python", sys.executable, str(home)], "no environment")
            install = ["uv", "pip", "install", "-q", "--python", str(python), "-r", str(listed)]
        else:
            _ran([sys.executable, "-m", "venv", str(home)], "no environment")
            install = [str(python), "-m", "pip", "install", "-q", "-r", str(listed)]
        _ran(install, f"{listed.name} could not be installed")
        (home / ".ready").touch()
    return str(python)


def _kafka_streams(store: str) -> list[str]:
    """Build the Java program once per version of its sources."""
    if not (shutil.which("java") and shutil.which("mvn")):
        raise PeerError("Kafka Streams needs Java 17 and Maven: not on the PATH")
    sources = sorted(path for path in (HERE / "kafka-streams").rglob("*") if path.suffix in {".java", ".xml"})
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    home = CACHE / f"kafka-streams-{digest}"
    if not (home / ".ready").exists():
        maven = ["mvn", "-q", "-B", "-f", str(HERE / "kafka-streams" / "pom.xml"), f"-Dbench.target={home}"]
        libs = [
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={home / 'libs'}",
        ]
        _ran([*maven, "package", *libs], "the Kafka Streams program could not be built")
        (home / ".ready").touch()
    java = ["java", "-Xmx1g", "-XX:+UseParallelGC", "-cp", f"{home / 'classes'}:{home / 'libs'}/*"]
    return [*java, "bench.Peer", store]


def _with_packages(name: str, module: str = "") -> list[str]:
    return [_interpreter(f"{name}.txt"), "-m", f"bench.peers.{module or f'{name}_flow'}"]


def _worker() -> list[str]:
    return [sys.executable, "-m", "stream", "worker"]


def _naive_faust() -> list[str]:
    return [*_own("naive_faust"), "worker", "-l", "warn", "--without-web"]


def _own(module: str) -> list[str]:
    return [sys.executable, "-m", f"bench.peers.{module}"]


ROSTER: tuple[Peer, ...] = (
    Peer("ours", "stream worker: the full job", _worker),
    Peer(
        "ours_exactly_once",
        "stream worker: the full job in transactions",
        _worker,
        settings={"STREAM_GUARANTEE": "exactly_once"},
    ),
    Peer("ours_toy_fold", "our engine with the 8 counters", lambda: _own("ours_toy_fold")),
    Peer("floor", "librdkafka + msgspec + 8 counters + changelog, no framework", lambda: _own("floor")),
    Peer("naive_faust", "Faust 0.15.3 as its documentation shows it", _naive_faust, limit_s=15.0),
    Peer("quix", "Quix Streams 3.28", lambda: _with_packages("quix"), limit_s=25.0),
    Peer("bytewax", "Bytewax 0.21", lambda: _with_packages("bytewax"), limit_s=25.0),
    Peer("kafka_streams_rocksdb", "Kafka Streams 4.1.1, RocksDB", lambda: _kafka_streams("rocksdb")),
    Peer("kafka_streams_memory", "Kafka Streams 4.1.1, in memory", lambda: _kafka_streams("memory")),
)

AT_LEAST_ONCE, IN_TRANSACTIONS = "rows and alerts, none lost", "rows and alerts, exactly once"
SAME_JOB: tuple[Peer, ...] = (
    Peer(
        "ours",
        "stream worker: merges three topics by time, judges silence when it is due",
        _worker,
        keeps=AT_LEAST_ONCE,
    ),
    Peer(
        "ours_exactly_once",
        "the same in transactions",
        _worker,
        settings={"STREAM_GUARANTEE": "exactly_once"},
        keeps=IN_TRANSACTIONS,
    ),
    Peer(
        "full_naive_faust",
        "Faust 0.15.3 as its documentation shows it, with our core",
        lambda: [*_own("full_naive_faust"), "worker", "-l", "warn", "--without-web"],
        limit_s=20.0,
        one_topic=True,
        keeps="changelog topic, commits by Faust",
    ),
    Peer(
        "full_quix",
        "Quix Streams 3.28 with our core, profiles decoded once",
        lambda: _with_packages("quix", "full_quix_flow"),
        limit_s=40.0,
        one_topic=True,
        keeps="RocksDB and changelog topic, at least once",
    ),
    Peer(
        "full_bytewax",
        "Bytewax 0.21 with our core, in batches",
        lambda: _with_packages("bytewax", "full_bytewax_flow"),
        limit_s=40.0,
        one_topic=True,
        keeps="its own store on disk, rows also in a topic",
    ),
)
"""Peers that do the full job with our core; `bench/same_job.py` checks what they wrote against a replay."""
