"""docker-compose.yml for real, for the length of a test: under a project name and with keys of its own.

By environment: KAFKA_IMAGE, PROMETHEUS_IMAGE, ALERTMANAGER_IMAGE, GRAFANA_IMAGE name other images than those
of the file, COMPOSE_TEST_WITHOUT services that are left out (for example grafana, where its image cannot be
had), COMPOSE_TEST_LOGS a folder for the logs of all containers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.core.events.event import RANK, Event
from stream.wire import encode_event

ROOT = Path(__file__).parent.parent.parent
PROJECT = "customer-stream-test"
BOOTSTRAP = "localhost:9092"
PROMETHEUS = "http://localhost:9090"
PAGE = "http://localhost:8080"
INPUTS = ("purchases", "engagement", "feedback", "control")
TIMEOUT_S = 180.0
SHORTEST_S = 20
ONCE = frozenset({"topics"})
"""Services that do their work and end."""


def why_not() -> str:
    """Why containers cannot be run here; empty if they can."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    for words, lacks in ((("info",), "the Docker daemon"), (("compose", "version"), "docker compose")):
        if subprocess.run(("docker", *words), capture_output=True, check=False).returncode:
            return f"{lacks} does not answer"
    return ""


def wait_until(true: Callable[[], object], what: str | Callable[[], str], seconds: float = TIMEOUT_S) -> None:
    """Wait for a condition; an AssertionError names what did not come."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"in vain: {what if isinstance(what, str) else what()}"
        time.sleep(0.5)


def got(address: str) -> str:
    """The body of a page; empty where nothing answers 200."""
    try:
        with urllib.request.urlopen(address, timeout=15) as answer:
            return str(answer.read().decode()) if answer.status == 200 else ""
    except OSError:
        return ""


class Composed:
    """The whole set-up. `folder`: for keys and changed copies; `rules`: how the rules are changed."""

    def __init__(self, folder: Path, rules: Callable[[str], str] = lambda text: text) -> None:
        services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        without = os.environ.get("COMPOSE_TEST_WITHOUT", "").split(",")
        self.services = sorted(
            name for name, each in services.items() if "profiles" not in each and name not in without
        )
        self._keys, self._more = folder / "keys.env", folder / "more.yml"
        files = copied_files(folder / "prometheus", rules)
        subprocess.run(["sh", ROOT / "deploy/compose/keys", self._keys], check=True, capture_output=True)
        with self._keys.open("a") as keys:
            keys.write(f"PROMETHEUS_FILES={files}\n")
        notified = {**services["receiver"], "environment": {"RECEIVER_SECRET": "whsec_"}}
        notified["volumes"] = [f"{ROOT}/deploy/compose/receiver.py:/receiver.py:ro"]
        self._more.write_text(yaml.safe_dump({"services": {"notified": notified}}))

    def run(self, *words: str, check: bool = True) -> str:
        """What `docker compose WORDS` prints."""
        command = ["docker", "compose", "-p", PROJECT, "--env-file", str(self._keys)]
        command += ["-f", str(ROOT / "docker-compose.yml"), "-f", str(self._more), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0 or not check, f"docker compose {' '.join(words)}: {done.stderr[-2000:]}"
        return done.stdout

    def up(self) -> None:
        """Build the image, start every service, and wait until all are well."""
        build = ["docker", "build", "--network", "host", "-q", "-t", "customer-stream", str(ROOT)]
        subprocess.run(build, check=True, capture_output=True)
        self.run("up", "--detach", "--no-build", *self.services, "notified")
        self.wait_until_well()

    def down(self) -> None:
        """Remove every container and volume."""
        self.run("down", "--volumes", "--timeout", "5", check=False)

    def states(self) -> dict[str, str]:
        """Service -> `healthy`, `running` (no health check), `exited 0` ...; of several the worst by name."""
        found: dict[str, str] = {}
        for line in self.run("ps", "--all", "--format", "json").splitlines():
            each = json.loads(line)
            state = each["Health"] or each["State"]
            if each["State"] == "exited":
                state = f"exited {each['ExitCode']}"
            found[each["Service"]] = max(state, found.get(each["Service"], ""))
        return found

    def is_well(self) -> bool:
        """Whether every service that goes on is healthy, and every other ended with 0."""
        states = self.states()
        wanted = {name: "exited 0" if name in ONCE else "healthy" for name in (*self.services, "notified")}
        return {name: states.get(name, "") for name in wanted} == wanted

    def wait_until_well(self) -> None:
        wait_until(self.is_well, "every service is well", TIMEOUT_S)

    def kill(self, service: str) -> None:
        """SIGKILL to the first process of the container, as the kernel does when memory is out; `docker kill`
        would be an order to stay away."""
        identity = self.run("ps", "--quiet", service).split()[0]
        found = subprocess.run(
            ["docker", "inspect", "-f", "{{.State.Pid}}", identity],
            capture_output=True,
            text=True,
            check=True,
        )
        os.kill(int(found.stdout), 9)

    def send(self, events: Iterable[Event]) -> None:
        """Events from the host to their topics."""
        producer = Producer({"bootstrap.servers": BOOTSTRAP, "partitioner": "murmur2_random"})
        for event in events:
            topic = f"customers.{INPUTS[RANK[type(event)]]}.v1"
            producer.produce(topic, encode_event(event), event.subject.encode())
        assert producer.flush(60) == 0

    def records(self, topic: str) -> list[dict[str, Any]]:
        """The documents on a topic, from its beginning to its end now."""
        return [json.loads(value) for value in raw_records(topic)]

    def put(self, topic: str, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Records of any kind from the host."""
        producer = Producer({"bootstrap.servers": BOOTSTRAP, "partitioner": "murmur2_random"})
        for key, value in records:
            producer.produce(topic, value, key)
        assert producer.flush(60) == 0

    def notified(self) -> list[str]:
        """The names of the alerts for operators that were told of, each time that one began to fire."""
        names: list[str] = []
        for each in self.received("notified"):
            firing = {
                one["labels"]["alertname"] for one in each["body"]["alerts"] if one["status"] == "firing"
            }
            names += sorted(firing)
        return names

    def firing(self) -> set[str]:
        """The names of the alerts for operators that fire now."""
        return {each["metric"]["alertname"] for each in self.asked('ALERTS{alertstate="firing"}')}

    def received(self, service: str = "receiver") -> list[dict[str, Any]]:
        """What a receiver has printed."""
        lines = self.run("logs", "--no-log-prefix", "--no-color", service).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def asked(self, query: str) -> list[dict[str, Any]]:
        """Prometheus' answer to a query: one entry for each series."""
        words = urllib.parse.urlencode({"query": query})
        text = got(f"{PROMETHEUS}/api/v1/query?{words}")
        return list(json.loads(text)["data"]["result"]) if text else []

    def targets(self) -> dict[str, str]:
        """Job of Prometheus -> health of its targets (`up`, `down`); of several the worst."""
        text = got(f"{PROMETHEUS}/api/v1/targets?state=active")
        found: dict[str, str] = {}
        for each in json.loads(text)["data"]["activeTargets"] if text else ():
            job = each["labels"]["job"]
            found[job] = min(each["health"], found.get(job, "up"))
        return found


def copied_files(folder: Path, rules: Callable[[str], str]) -> Path:
    """deploy/prometheus with other rules; notifications go to the service `notified`, without long waits."""
    shutil.copytree(ROOT / "deploy" / "prometheus", folder)
    (folder / "rules.yml").write_text(rules((folder / "rules.yml").read_text()))
    scraping = (folder / "prometheus.yml").read_text()
    looked_up = scraping.replace("type: A\n", "type: A\n        refresh_interval: 1s\n")
    assert looked_up != scraping
    (folder / "prometheus.yml").write_text(looked_up)
    text = (folder / "alertmanager.yml").read_text()
    for old, new in (
        ("receiver:9", "notified:9"),
        ("wait: 30s", "wait: 10s"),
        ("interval: 5m", "interval: 5s"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "alertmanager.yml").write_text(text)
    return folder


def raw_records(topic: str) -> list[bytes]:
    """The values on a topic, from its beginning to its end now."""
    consumer = Consumer(
        {"bootstrap.servers": BOOTSTRAP, "group.id": "compose-test", "enable.auto.commit": False}
    )
    found: list[bytes] = []
    try:
        known = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        for number in known:
            where = TopicPartition(topic, number, 0)
            _, end = consumer.get_watermark_offsets(where, timeout=30)
            consumer.assign([where])
            at = 0
            while at < end:
                message = consumer.poll(30)
                assert message is not None, f"{topic} {number}: nothing at {at} of {end}"
                if message.error() is None:
                    at = (message.offset() or 0) + 1
                    found.append(message.value() or b"")
    finally:
        consumer.close()
    return found


def admin() -> AdminClient:
    """For topics of the broker in the container."""
    return AdminClient({"bootstrap.servers": BOOTSTRAP})


def shorter(text: str) -> str:
    """Rules that fire 30 times as soon, and look back no further than a minute; thresholds stay.

    None fires sooner than after SHORTEST_S: a worker that was stopped is a target that does not answer until
    its name is looked up again, which is half a minute for real, less than `for` of WorkerDown.
    """
    text = re.sub(
        r"((?:keep_firing_)?for: )(\d+)m", lambda m: f"{m[1]}{max(SHORTEST_S, 2 * int(m[2]))}s", text
    )
    return re.sub(r"\[\d+m\]", "[1m]", text)
