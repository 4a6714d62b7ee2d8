"""Apache Kafka's own image in a container. (testcontainers has classes for Confluent's and Redpanda's only.)

The port on the host is fixed beforehand: Docker would choose another one at every start, and a broker that
was stopped or killed must come back at the address that its clients know.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from contextlib import suppress

import docker
from docker.errors import DockerException, ImageNotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer, Reaper

from tests.support.kafka_broker import CLUSTER_ID, SETTINGS, free_port, wait_until_ready
from tests.support.kafka_jars import KAFKA_VERSION, NoBrokerError, say

IMAGE = f"apache/kafka:{KAFKA_VERSION}"
ANSWER_TIMEOUT_S = 5


class ApacheKafkaContainer(DockerContainer):
    """One broker in KRaft mode. The image reads the setting a.b from the variable KAFKA_A_B."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(IMAGE)
        self.bootstrap = f"{self.get_docker_client().host()}:{free_port()}"
        here = {
            "listeners": "PLAINTEXT://:9092,INTERNAL://:9094,CONTROLLER://:9093",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap},INTERNAL://localhost:9094",
            "inter.broker.listener.name": "INTERNAL",  # for its requests to itself about transactions
            "controller.quorum.voters": "1@localhost:9093",
        }
        for name, value in {**SETTINGS, **here, **settings}.items():
            self.with_env("KAFKA_" + name.replace("_", "__").replace(".", "_").upper(), value)
        self.with_env("CLUSTER_ID", CLUSTER_ID)
        self.with_env("KAFKA_HEAP_OPTS", "-Xmx512m")
        self.with_bind_ports(9092, int(self.bootstrap.rpartition(":")[2]))


class DockerBroker:
    """The container as a Broker: it keeps its files and its port when it is stopped, killed or paused."""

    kind = "docker"

    def __init__(self, settings: Mapping[str, str]) -> None:
        try:
            self._container = ApacheKafkaContainer(settings)
        except DockerException as failure:
            raise NoBrokerError(f"Docker does not answer: {failure}") from failure
        self.bootstrap = self._container.bootstrap
        self._created = False
        atexit.register(self.close)

    def start(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._created = True
            _choose_reaper()
            try:
                self._container.start()
            except DockerException as failure:
                raise NoBrokerError(f"{IMAGE} could not be started: {failure}") from failure
        wait_until_ready(self.bootstrap)

    def stop(self) -> None:
        self._container.get_wrapped_container().stop(timeout=60)

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    def pause(self) -> None:
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        self._container.get_wrapped_container().unpause()

    def close(self) -> None:
        if self._created:
            self._created = False
            self._container.stop()


def docker_answers() -> bool:
    """Whether Docker runs here, and has the image or can pull it."""
    try:
        client = docker.from_env(timeout=ANSWER_TIMEOUT_S)
    except DockerException:
        return False
    try:
        client.ping()
        try:
            client.images.get(IMAGE)
        except ImageNotFound:
            say(f"pulling {IMAGE} (once)")
            docker.from_env(timeout=600).images.pull(IMAGE)
    except DockerException as failure:
        say(f"no Docker: {failure}")
        return False
    finally:
        client.close()
    return True


def _choose_reaper() -> None:
    """testcontainers' reaper removes what a killed test run leaves. Without its image we do without it."""
    if testcontainers_config.ryuk_disabled:
        return
    try:
        Reaper.get_instance()
    except DockerException as failure:
        say(f"without testcontainers' reaper: its image cannot be pulled: {failure}")
        with suppress(DockerException):
            Reaper.delete_instance()
        testcontainers_config.ryuk_disabled = True
