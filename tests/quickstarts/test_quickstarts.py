"""The quick starts as a newcomer would run them, on a real broker: every alert is printed once."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue
from time import monotonic

import pytest
from confluent_kafka import Producer

from stream.wire import STRUCTURED_HEADERS
from tests.support.kafka_broker import Broker, create_topics

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
QUICKSTARTS = ROOT / "docs" / "quickstarts"
ALERTS = [
    json.loads(path.read_text())
    for path in sorted((ROOT / "schemas/examples/alert/2").glob("good-*.json"))
    if path.name != "good-held-out.json"  # another one in the other arm, under its id
]
assert len({alert["id"] for alert in ALERTS}) == len(ALERTS)
PATIENCE_S = 300


def printed_line(alert: dict) -> str:
    data = alert["data"]
    reason = data["evidence"][0]["code"] if data["evidence"] else "-"
    return (
        f"{alert['type']} {alert['subject']} {reason} {data.get('recommended_action', {}).get('code', '-')}"
    )


@pytest.fixture
def environment(broker: Broker, prefix: str) -> dict[str, str]:
    """A topic that holds every example alert twice, and where it is."""
    topic = f"{prefix}.customers.alerts.v1"
    create_topics(broker.bootstrap, [topic])
    client = Producer(
        {"bootstrap.servers": broker.bootstrap, "partitioner": "murmur2_random", "compression.type": "gzip"}
    )
    for alert in [*ALERTS, *ALERTS]:
        client.produce(
            topic, json.dumps(alert).encode(), alert["subject"].encode(), headers=STRUCTURED_HEADERS
        )
    assert client.flush(10) == 0
    return {**os.environ, "BROKERS": broker.bootstrap, "TOPIC": topic, "GROUP": prefix}


def lines_of(command: list[str], folder: Path, environment: dict[str, str]) -> list[str]:
    """What a command prints until there are as many lines as alerts, and for a moment longer."""
    running = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert running.stdout is not None
    queue: Queue[str] = Queue()
    source = running.stdout

    def read() -> None:
        for line in source:
            queue.put(line.rstrip())

    threading.Thread(target=read, daemon=True).start()
    lines: list[str] = []
    until = monotonic() + PATIENCE_S
    try:
        while monotonic() < until and (running.poll() is None or not queue.empty()):
            try:
                lines.append(queue.get(timeout=3.0 if len(lines) >= len(ALERTS) else 0.5))
            except Empty:
                if len(lines) >= len(ALERTS):
                    break
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
    return lines


def ready(tool: str, tmp_path: Path, name: str, *fetch: str) -> Path:
    """A copy of the quick start with its packages; skipped where tool or packages cannot be had."""
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")
    folder = tmp_path / name
    shutil.copytree(QUICKSTARTS / name, folder)
    if fetch:
        done = run(folder, *fetch)
        if done.returncode != 0:
            pytest.skip(
                f"{' '.join(fetch)} could not fetch the packages: {done.stdout[-300:]}{done.stderr[-300:]}"
            )
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S * 2
    )


def test_python(environment, tmp_path):
    folder = ready(sys.executable, tmp_path, "python")

    assert sorted(lines_of([sys.executable, "alerts.py"], folder, environment)) == sorted(
        map(printed_line, ALERTS)
    )


def test_node(environment, tmp_path):
    folder = ready("npm", tmp_path, "node", "npm", "install", "--silent", "--no-audit", "--no-fund")

    assert sorted(lines_of(["node", "alerts.js"], folder, environment)) == sorted(map(printed_line, ALERTS))


def test_java(environment, tmp_path):
    classpath_file = "-Dmdep.outputFile=classpath.txt"
    folder = ready("mvn", tmp_path, "java", "mvn", "-q", "-B", "dependency:build-classpath", classpath_file)
    compiled = run(folder, "mvn", "-q", "-B", "compile")
    assert compiled.returncode == 0, compiled.stdout
    classpath = f"target/classes:{(folder / 'classpath.txt').read_text().strip()}"

    lines = lines_of(["java", "-Xmx256m", "-cp", classpath, "quickstart.Alerts"], folder, environment)

    assert sorted(lines) == sorted(map(printed_line, ALERTS))
