"""A broker for tests: librdkafka's mock, Apache Kafka from Maven jars or Docker, or one that runs already.

`STREAM_TEST_BROKER=mock|jar|docker|host:port` chooses. By default it is a container if Docker answers
(kafka_container.py), else the jars, which need Java and Maven. Tests use the fixtures of conftest.py; bench/
and scripts call `start_broker()`.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.support.kafka_jars import NoBrokerError, fetched_jars, say

CLUSTER_ID = "4L6g3nShT-eMCtK--X86sw"
START_TIMEOUT_S = 120
PR_SET_PDEATHSIG = 1

SETTINGS = {
    "node.id": "1",
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "auto.create.topics.enable": "false",
    "log.retention.ms": "-1",  # events from 2011 must not be deleted while a test replays them
    "log.roll.ms": "3155760000000",  # a century: their dates must not begin a new file every seven days
    "num.network.threads": "2",
    "num.io.threads": "4",
}


class Broker(Protocol):
    """A broker that a test may stop, kill or pause. `start` works again after `stop` and `kill`."""

    kind: str
    bootstrap: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def close(self) -> None: ...


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_ready(bootstrap: str, timeout_s: float = START_TIMEOUT_S) -> None:
    """Wait until the broker answers with metadata."""
    until = time.monotonic() + timeout_s
    client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 500})
    while True:
        try:
            if client.list_topics(timeout=1).brokers:
                return
        except KafkaException:
            if time.monotonic() > until:
                raise NoBrokerError(f"no broker answered on {bootstrap} within {timeout_s:.0f} s") from None


def create_topics(
    bootstrap: str, names: Iterable[str], partitions: int = 4, config: Mapping[str, str] | None = None
) -> None:
    """Create topics and wait until they can be used. They keep everything, unless `config` says otherwise."""
    settings = {"retention.ms": "-1", "retention.bytes": "-1", **(config or {})}
    client = AdminClient({"bootstrap.servers": bootstrap})
    topics = [NewTopic(name, partitions, 1, config=settings) for name in names]
    for name, future in client.create_topics(topics).items():
        _wait_for(client, next(topic for topic in topics if topic.topic == name), future)
        until = time.monotonic() + 30
        while len(client.list_topics(name, timeout=10).topics[name].partitions) != partitions:
            if time.monotonic() > until:
                raise NoBrokerError(f"topic {name} did not appear")
            time.sleep(0.05)


def _wait_for(client: AdminClient, topic: NewTopic, made: Future[None]) -> None:
    """Wait until a topic is created; a broker that has only just started refuses for a while to hold any."""
    until = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            made.result(30)
            return
        except KafkaException as refused:
            fenced = refused.args[0].code() == KafkaError.INVALID_REPLICATION_FACTOR
            if not fenced or time.monotonic() > until:
                raise
        time.sleep(0.5)
        made = client.create_topics([topic])[topic.topic]


class MockBroker:
    """librdkafka's mock cluster inside this process: 4 partitions a topic, in memory, no compaction."""

    kind = "mock"

    def __init__(self) -> None:
        self.bootstrap = ""
        self._cluster: Producer | None = None

    def start(self) -> None:
        self._cluster = Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 1, "log_level": 0})
        brokers = self._cluster.list_topics(timeout=10).brokers
        self.bootstrap = ",".join(f"{each.host}:{each.port}" for each in brokers.values())

    def close(self) -> None:
        self._cluster = None

    def stop(self) -> None:
        raise NotImplementedError("only a broker of kind jar or docker can be stopped, killed or paused")

    kill = pause = resume = stop


class GivenBroker(MockBroker):
    """A broker that somebody else started: it can be used, but not stopped, killed or paused."""

    kind = "given"

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def start(self) -> None:
        wait_until_ready(self.bootstrap, 20)

    def close(self) -> None:
        pass


class JarBroker:
    """Apache Kafka as a Java process. It keeps its data and its port when it is stopped, killed or paused."""

    kind = "jar"

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._libs = fetched_jars()
        self.directory = Path(tempfile.mkdtemp(prefix="kafka-"))
        self._server: subprocess.Popen[bytes] | None = None
        port, controller_port = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{port}"
        here = {
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "log.dirs": str(self.directory / "data"),
        }
        self._config = self.directory / "server.properties"
        self._config.write_text(
            "".join(f"{name}={value}\n" for name, value in {**SETTINGS, **here, **settings}.items())
        )
        atexit.register(self.close)

    def _java(self, *arguments: str) -> list[str]:
        return ["java", "-Xmx512m", "-Dlog4j2.level=WARN", "-cp", f"{self._libs}/*", *arguments]

    def start(self) -> None:
        if not (self.directory / "data").exists():
            formatting = self._java(
                "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._config)
            )
            subprocess.run(formatting, check=True, capture_output=True)
        with (self.directory / "broker.log").open("ab") as log:
            self._server = subprocess.Popen(
                self._java("kafka.Kafka", str(self._config)),
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - two calls into libc, no Python locks
            )
        wait_until_ready(self.bootstrap)

    def _end(self, how: signal.Signals) -> None:
        if self._server is not None:
            self._server.send_signal(how)
            self._server.send_signal(signal.SIGCONT)
            self._server.wait(60)
            self._server = None

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


def _end_with_parent() -> None:
    """On Linux the broker ends together with a test run that is killed (prctl PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _best_kind() -> str:
    from tests.support.kafka_container import docker_answers

    return "docker" if docker_answers() else "jar"


def _broker(kind: str, settings: Mapping[str, str]) -> Broker:
    if kind == "mock":
        return MockBroker()
    if kind == "jar":
        return JarBroker(settings)
    if kind == "docker":
        from tests.support.kafka_container import DockerBroker

        return DockerBroker(settings)
    if ":" in kind:
        return GivenBroker(kind)
    raise NoBrokerError(f"STREAM_TEST_BROKER={kind}: must be mock, jar, docker or host:port")


def start_broker(choice: str | None = None, settings: Mapping[str, str] | None = None) -> Broker:
    """A started broker of the chosen kind; the caller closes it. NoBrokerError says why there is none."""
    kind = choice or os.environ.get("STREAM_TEST_BROKER") or _best_kind()
    broker = _broker(kind, settings or {})
    say(f"starting a broker of kind {broker.kind}")
    try:
        broker.start()
    except NoBrokerError:
        broker.close()
        raise
    except (OSError, subprocess.SubprocessError) as failure:
        broker.close()
        raise NoBrokerError(f"a broker of kind {kind} could not be started: {failure}") from failure
    return broker
