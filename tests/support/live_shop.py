"""A shop on a real Kafka as its workers left it, profiles and alerts of a replay on the topics; and a
dashboard process that follows them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Producer, TopicPartition

from stream.core.alerts.alert import Alert
from stream.core.facts.profile import Profile
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.page.sources.source import last_instant_ms
from stream.page.store.tables import TABLES
from stream.replay.run import replay
from stream.wire import encode_alert
from stream.worker.rows.row import StoredRow
from tests.support.builders import basis
from tests.support.dashboard_pages import without_order
from tests.support.kafka_shop import KafkaShop
from tests.support.running_worker import WorkerKafka

TIMEOUT_S = 120.0


def wait_until(true: Callable[[], object], what: object) -> None:
    """Wait for a condition; an AssertionError names what did not come."""
    until = time.monotonic() + TIMEOUT_S
    while not true():
        assert time.monotonic() < until, f"in vain: {what() if callable(what) else what}"
        time.sleep(0.05)


def encoded_row(profile: Profile) -> bytes:
    """As a worker writes it to the profiles topic."""
    return msgspec.json.encode(StoredRow(profile=profile))


class LiveShop(WorkerKafka):
    """The topics, and what is on them."""

    def write_profiles(self, profiles: Iterable[Profile]) -> None:
        """Each as a row of the profiles topic, by murmur2."""
        self.write(
            self.names.profiles,
            ((each.customer, encoded_row(each)) for each in profiles),
        )

    def write_alerts(self, alerts: Iterable[Alert]) -> None:
        """Each on the alerts topic."""
        self.write(self.names.alerts, ((each.subject, encode_alert(each)) for each in alerts))

    def write(
        self,
        topic: str,
        records: Iterable[tuple[str | bytes, bytes | None]],
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        """Records of any kind, acknowledged."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random"})
        for key, value in records:
            producer.produce(topic, value, key, headers=headers)
            if len(producer) > 50_000:
                producer.flush()
        assert producer.flush(60) == 0

    def ends(self, topic: str) -> dict[int, int]:
        """Partition -> the offset of the next record."""
        return {number: self._end(TopicPartition(topic, number)) for number in range(self.partitions)}

    def controls(self) -> list[dict[str, Any]]:
        """Every event on the control topic, in order of time."""
        shop = KafkaShop.__new__(KafkaShop)
        shop.settings, shop.names = self.settings, self.names
        with ThreadPoolExecutor(1) as thread:  # a driven browser has the event loop of the test's own
            messages = thread.submit(shop.all_of, "control").result()
        events = [json.loads(message.value()) for message in messages]
        return sorted(events, key=lambda event: event["time"])


def replayed_shop(customers: int = 60, days: int = 400) -> tuple[list[Profile], list[Alert]]:
    """Profiles and alerts of a generated shop."""
    events = list(generated_events(Shop(customers=customers, days=days), Disorder(), None))
    run, alerts = replay(events, basis())
    return list(run.profiles.values()), list(alerts)


class LiveDashboard:
    """`stream dashboard` on the topics, as a process."""

    def __init__(self, shop: LiveShop, store: Path | str, **settings: str) -> None:
        """`settings`: further ones, without STREAM_ and in small letters."""
        self.store = store
        more = {f"STREAM_{name.upper()}": value for name, value in settings.items()}
        self._environ = {**os.environ, **shop.environment, **more}
        self.process: subprocess.Popen[str] | None = None
        self.address = ""

    def start(self, *, ready: bool = True, port: str = "0", largest: int = 0, many: int = 0) -> LiveDashboard:
        """Start it, and wait until it is caught up.

        `largest`: bytes that a file may have, as on a full disk; 0: any number. `many`: from so many rows on
        other processes help (`MANY_ROWS`); 0: from the usual number on.
        """
        program = ["-m", "stream"]
        if many:
            run = "from stream.commands.main import main; main()"
            program = ["-c", f"import stream.page.live.follower as f; f.MANY_ROWS = {many}; {run}"]
        limit = ["prlimit", f"--fsize={largest}"] if largest else []
        words = [*limit, sys.executable, *program, "dashboard", "--store", str(self.store), "--port", port]
        self.process = subprocess.Popen(
            words, env=self._environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("The dashboard is at http://"), (line, self.process.communicate())
        self.address = line.split()[4]
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self) -> None:
        wait_until(lambda: self.status("readyz") == 200, lambda: f"ready: {self.body('readyz')}")

    def status(self, path: str) -> int:
        return self._asked(path)[0]

    def body(self, path: str = "") -> str:
        return self._asked(path)[1]

    def _asked(self, path: str) -> tuple[int, str]:
        assert self.process is not None
        assert self.process.poll() is None, (self.process.returncode, self.process.communicate())
        try:
            with urllib.request.urlopen(self.address + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def live(self) -> str:
        """The bar at the top, as a script gets it."""
        html: str = json.loads(self.body("live"))["html"]
        return html

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and wait for the end; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(TIMEOUT_S)

    def close(self) -> None:
        """Kill it where it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def contents(path):
    """Everything in a store, table by table."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        found = {
            table.name: sorted(store.execute(f"SELECT * FROM {table.name}").fetchall()) for table in TABLES
        }
        found["open_cells"] = [*map(without_order, found["open_cells"])]
        found["offsets"] = sorted(store.execute("SELECT * FROM offsets").fetchall())
        found["as_of"] = store.execute("SELECT value FROM meta WHERE name = 'as_of_ms'").fetchall()
    return found


def settled(dashboard, last_ms):
    """Wait until all rows are as of the last instant."""

    def rows_are_of_now():
        with sqlite3.connect(f"file:{dashboard.store}?mode=ro", uri=True) as store:
            as_of = store.execute("SELECT value FROM meta WHERE name = 'as_of_ms'").fetchall()
            old = store.execute("SELECT COUNT(*) FROM customers WHERE as_of_ms <> ?", [last_ms]).fetchone()[0]
            return as_of == [(str(last_ms),)] and not old

    wait_until(rows_are_of_now, f"a round as of {last_ms}")


def last_ms_of(profiles):
    return max(map(last_instant_ms, profiles))


def fresh_contents(dashboard, last_ms):
    page = dashboard("fresh.db").start()
    settled(page, last_ms)
    assert page.end() == 0
    return contents(page.store)
