"""The dashboard on a real Kafka: how fast it is filled, how long pages take, how soon an alert is on them.

The rows are those of a generated shop, replayed, and written again under other names. Pages are asked for
while rows arrive; an alert is timed from its writing until a page that is asked for once a second, as an open
page does, has it.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import msgspec
from confluent_kafka import Producer

from bench.processes import usage
from bench.stage import say, stage
from bench.whole_system import alert_to_page_ms, body
from stream.config.environment import load_settings
from stream.core.facts.profile import Profile
from stream.worker.kafka.topics import topic_names, topic_plans
from stream.worker.kafka.topics_admin import admin_client, create_topics
from tests.support.kafka_broker import start_broker
from tests.support.live_shop import encoded_row, replayed_shop
from tests.support.postgres import postgres

TEMPLATES = 1_000
NAME = "the-name-of-a-customer"
"""In place of the name in an encoded row."""
UPDATES_PER_S = 50
ASKED, ALERTS = 100, 30
LOAD_LIMIT_S = 3_600
PATHS = {
    "today": "", "churn risk": "?kind=churn_risk", "customers": "customers", "by risk": "customers?sort=risk",
    "one customer": "customer?id=page-7", "map": "map", "map of gold": "map?tier=gold", "policy": "policy",
}  # fmt: skip


def measured(profiles: int, *, on_postgres: bool, rate: float) -> dict[str, Any]:
    """The figures of one run, with a broker of its own. `rate`: events a second while an alert is followed
    through worker, Kafka and dashboard; 0: it is not."""
    broker = start_broker()
    folder = Path(tempfile.mkdtemp(prefix="bench-page-"))
    try:
        environment = {
            "STREAM_BROKERS": broker.bootstrap, "STREAM_PARTITIONS": "4", "STREAM_REPLICATION": "1",
            "STREAM_CLOCK": "event", "STREAM_LOG_LEVEL": "warning",
        }  # fmt: skip
        shop = _Shop(environment, profiles)
        found = {"profiles": profiles, **_measured_on(shop, str(folder / "store.db"), ALERTS)}
        if on_postgres:
            with postgres() as url:
                second = _measured_on(shop, url, 2)
            for name in ("load_rows_s", "load_cpu_s", "pages_ms"):
                found[f"{name}_postgres"] = second[name]
    finally:
        broker.close()
        shutil.rmtree(folder, ignore_errors=True)
    if rate:
        with stage() as here:
            times, load = alert_to_page_ms(here, rate)
        found["alert_to_page_ms"], found["whole_system"] = _percentiles(times), load
    return found


class _Shop:
    """Topics with so many profiles."""

    def __init__(self, environment: dict[str, str], profiles: int) -> None:
        self.environment, self.profiles = environment, profiles
        settings = load_settings(environment)
        create_topics(admin_client(settings), topic_plans(settings))
        self._topic = topic_names(settings).profiles
        self._producer = Producer(
            {
                "bootstrap.servers": settings.brokers,
                "partitioner": "murmur2_random",
                "compression.type": "lz4",
                "linger.ms": 5,
                "log_level": 0,
            }
        )
        self.templates = replayed_shop(TEMPLATES)[0]
        named = [encoded_row(msgspec.structs.replace(each, customer=NAME)) for each in self.templates]
        say(f"writing {profiles:,} profiles of {sum(map(len, named)) / len(named):,.0f} bytes")
        for number, row in zip(range(profiles), itertools.cycle(named), strict=False):
            self._produce(row.replace(NAME.encode(), f"page-{number}".encode(), 1), f"page-{number}")
        self.flush()

    def write(self, template: Profile, customer: str) -> None:
        """The profile under another name."""
        self._produce(encoded_row(msgspec.structs.replace(template, customer=customer)), customer)

    def _produce(self, value: bytes, customer: str) -> None:
        while True:
            try:
                self._producer.produce(self._topic, value, customer.encode())
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def flush(self) -> None:
        """Everything is acknowledged."""
        assert self._producer.flush(600) == 0

    @property
    def at_risk(self) -> Profile:
        """A customer with an open alert of the first list."""
        return next(
            each
            for each in self.templates
            if (episode := each.judgement.episodes.get("at_risk_loyal"))
            and episode.state in {"raised", "escalated"}
        )


@contextmanager
def _dashboard(shop: _Shop, store: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "stream", "dashboard", "--store", store, "--port", "0"]
    environment = {**os.environ, **shop.environment}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().split()[4]
        finally:
            process.terminate()


def _measured_on(shop: _Shop, store: str, alert_count: int) -> dict[str, Any]:
    began_s, peak = time.monotonic(), 0
    with _dashboard(shop, store) as (process, address):
        while not _is_ready(address):
            assert time.monotonic() - began_s < LOAD_LIMIT_S, "not filled in time"
            peak = max(peak, usage(process.pid).rss_bytes)
            time.sleep(0.2)
        filled_s, load = time.monotonic() - began_s, usage(process.pid)
        say(f"filled in {filled_s:.1f} s: {shop.profiles / filled_s:,.0f} rows/s, {load.cpu_s:.0f} s of CPU")
        with _updates(shop):
            _settle(address)
            pages = {name: _times_ms(address + path, ASKED) for name, path in PATHS.items()}
            alerts = [_alert_ms(shop, address, number) for number in range(alert_count)]
            say(f"pages: {json.dumps({name: _percentiles(times) for name, times in pages.items()})}")
        sizes = {name: len(gzip.compress(body(address + path))) / 1_000 for name, path in PATHS.items()}
        return {
            "load_rows_s": round(shop.profiles / filled_s),
            "load_cpu_s": round(load.cpu_s, 1),
            "rss_bytes": max(peak, usage(process.pid).rss_bytes),
            "pages_ms": {name: _percentiles(times) for name, times in pages.items()},
            "alert_to_page_ms": _percentiles(alerts),
            "page_kb": {name: round(size, 1) for name, size in sizes.items()},
            **_export(process.pid, address, store),
        }


def _export(pid: int, address: str, store: str) -> dict[str, Any]:
    """All customers as CSV: how long it takes, and how much more memory."""
    before, peak, size, began_s = usage(pid).rss_bytes, 0, 0, time.monotonic()
    with urllib.request.urlopen(address + "customers.csv", timeout=120) as answer:
        while part := answer.read(1 << 20):
            size, peak = size + len(part), max(peak, usage(pid).rss_bytes)
    log = Path(f"{store}-wal")
    return {
        "csv_s": round(time.monotonic() - began_s, 1),
        "csv_bytes": size,
        "csv_more_rss_bytes": max(0, peak - before),
        "log_bytes": log.stat().st_size if log.exists() else 0,
    }


@contextmanager
def _updates(shop: _Shop) -> Iterator[None]:
    """Rows that arrive meanwhile."""
    ended = threading.Event()

    def write() -> None:
        for number, template in enumerate(itertools.cycle(shop.templates)):
            if ended.wait(1 / UPDATES_PER_S):
                return
            shop.write(template, f"page-{number % shop.profiles}")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _settle(address: str) -> None:
    """Each page once: the first reader after a start waits for the disk."""
    for path in PATHS.values():
        body(address + path)


def _alert_ms(shop: _Shop, address: str, number: int) -> float:
    """From the writing of a row with an open alert until the customer is found with it."""
    customer = f"alert-{number}"
    began_s = time.monotonic()
    shop.write(shop.at_risk, customer)
    while True:
        asked_s = time.monotonic()
        if b"open since" in body(f"{address}customer?id={customer}"):
            return 1_000 * (time.monotonic() - began_s)
        time.sleep(max(0.0, 1.0 - (time.monotonic() - asked_s)))


def _times_ms(url: str, count: int) -> list[float]:
    found = []
    for _ in range(count):
        began_s = time.monotonic()
        body(url)
        found.append(1_000 * (time.monotonic() - began_s))
    return found


def _percentiles(times: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(times, n=100, method="inclusive")
    return {"p50": round(cuts[49], 1), "p99": round(cuts[98], 1)}


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(address + "readyz", timeout=60) as answer:
            return bool(json.load(answer)["ok"])
    except (urllib.error.URLError, OSError):
        return False
