"""An alert on its way through the whole system: worker, Kafka and dashboard, at a steady rate of events.

An alert is timed from when it was read from its topic until it is on the customer's page, which is asked for
as an open page does: once a second, from a random moment on. Meanwhile a tab with the first page is open, so
that the dashboard reads, writes and makes pages at once. An alert that ends before it was seen is left out.
"""

from __future__ import annotations

import queue
import random
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from bench.alone import ours
from bench.backlog import fill, topic
from bench.latency import produce_at
from bench.processes import Program, usage
from bench.stage import LOGS, Stage, say
from bench.watch import Group, RunError
from bench.workload import Workload, messages

HISTORY, CUSTOMERS = 100_000, 50_000
WARM_S, TIMED_S, LATE_S = 15.0, 30.0, 30.0
SAMPLE_EVERY_S = 0.25
READY_LIMIT_S = 120.0


class _Data(msgspec.Struct):
    kind: str
    state: str


class _Alert(msgspec.Struct):
    id: str
    subject: str
    data: _Data


class OpenPage(threading.Thread):
    """Reads the alerts topic, and times some of the alerts until they are on the page."""

    def __init__(self, bootstrap: str, address: str) -> None:
        super().__init__(daemon=True)
        self._address, self._timed = address, ThreadPoolExecutor(32)
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-page-listener"})
        partitions = self._consumer.list_topics(topic("alerts"), 30).topics[topic("alerts")].partitions
        self._consumer.assign([TopicPartition(topic("alerts"), each, OFFSET_END) for each in partitions])
        self._decode = msgspec.json.Decoder(_Alert).decode
        self._over: set[tuple[str, str]] = set()
        self.found_ms: queue.SimpleQueue[float] = queue.SimpleQueue()
        self.missing = 0
        self._all_timed = threading.Event()
        self.done = False

    def run(self) -> None:
        due_s = time.monotonic()
        while not (self.done and self._all_timed.is_set()):
            for message in self._consumer.consume(1_000, 0.005):
                if message.error() is not None or not message.value():
                    continue
                alert, now_s = self._decode(message.value()), time.monotonic()
                if alert.data.state == "escalated":
                    continue  # it is on the page already, under the id of its beginning
                if alert.data.state != "raised":
                    self._over.add((alert.subject, alert.data.kind))
                elif now_s >= due_s and not self.done:
                    due_s = now_s + SAMPLE_EVERY_S
                    self._over.discard((alert.subject, alert.data.kind))
                    self._timed.submit(self._time, alert, now_s)
        self._consumer.close()

    def finish(self) -> None:
        """Wait for the alerts that are not seen yet."""
        self.done = True
        self._timed.shutdown()
        self._all_timed.set()
        self.join()

    def _time(self, alert: _Alert, read_s: float) -> None:
        time.sleep(random.random())
        url, mark = f"{self._address}customer?id={quote(alert.subject)}", alert.id.encode()
        while (alert.subject, alert.data.kind) not in self._over:
            asked_s = time.monotonic()
            if mark in body(url):
                self.found_ms.put(1_000 * (time.monotonic() - read_s))
                return
            if time.monotonic() - read_s > LATE_S:
                self.missing += 1
                say(f"not seen: {alert.data.state} {alert.data.kind} {alert.id} of {alert.subject}")
                return
            time.sleep(max(0.0, 1.0 - (time.monotonic() - asked_s)))


def alert_to_page_ms(here: Stage, rate: float) -> tuple[list[float], dict[str, Any]]:
    """How long each sampled alert took at `rate` events/s, and what the processes used. RunError."""
    count = HISTORY + int(rate * (WARM_S + TIMED_S))
    whole = list(messages(Workload(count, CUSTOMERS, span_days=max(1, 365 * count // 1_000_000))))
    here.empty()
    here.ends = fill(here.bootstrap, whole[:HISTORY])
    run = here.prepare("whole_system")
    worker = here.start(ours(), run)
    store = str(here.scratch / run / "page.db")
    command = [sys.executable, "-m", "stream", "dashboard", "--store", store, "--port", "0"]
    page = Program(command, here.environment(run, {}), LOGS / f"{run}-page.log")
    try:
        here.finish(run, worker, ours().limit_s)
        address = _ready_address(page)
        watched = OpenPage(here.bootstrap, address)
        began_s, before = time.monotonic(), [usage(each.pid).cpu_s for each in (worker, page)]
        tab = threading.Thread(target=_keep_open, args=(address, watched), daemon=True)
        warm = HISTORY + int(rate * WARM_S)
        produce_at(here.bootstrap, whole[HISTORY:warm], rate)
        watched.start()
        tab.start()
        produce_at(here.bootstrap, whole[warm:], rate)
        seconds, behind = time.monotonic() - began_s, count - _committed(here, run)
        used = [usage(each.pid).cpu_s - cpu_s for each, cpu_s in zip((worker, page), before, strict=True)]
        watched.finish()
    finally:
        page.stop()
        worker.stop()
    found = [watched.found_ms.get() for _ in range(watched.found_ms.qsize())]
    say(f"{len(found)} alerts timed at {rate:,.0f} events/s, {watched.missing} not seen in {LATE_S:.0f} s")
    if watched.missing or len(found) < 20:
        raise RunError(f"{len(found)} alerts timed, {watched.missing} not seen in {LATE_S:.0f} s")
    names = ("worker_cores", "dashboard_cores")
    cores = {name: round(cpu_s / seconds, 2) for name, cpu_s in zip(names, used, strict=True)}
    return found, {"events_s": rate, "events_behind_at_the_end": behind, **cores}


def _committed(here: Stage, run: str) -> int:
    group = Group(here.bootstrap, run, here.ends)
    try:
        return group.committed()
    finally:
        group.close()


def _ready_address(page: Program) -> str:
    until_s = time.monotonic() + READY_LIMIT_S
    while time.monotonic() < until_s and page.exit_code() is None:
        words = Path(page.log).read_text(errors="replace").split()
        if "http://" in " ".join(words):
            address = next(word for word in words if word.startswith("http://"))
            if b'"ok": true' in body(address + "readyz"):
                return address
        time.sleep(0.2)
    raise RunError(f"the dashboard is not ready: {page.tail()}")


def _keep_open(address: str, watched: OpenPage) -> None:
    """What a tab with the first page does."""
    while not watched.done:
        body(address + "live")
        body(address)
        time.sleep(1.0)


def body(url: str) -> bytes:
    """What is answered; empty where nothing good is."""
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            text: bytes = answer.read()
    except (urllib.error.URLError, OSError):
        return b""
    return text
