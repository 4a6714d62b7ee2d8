"""Accepted alerts per second of `stream deliver`, and the time from the topic to the endpoint's answer.

A backlog gives the rate: from the first accepted alert to the last one. Then alerts are written at half of
that rate, and each is timed from the moment before it is given to the producer until the receiver, a process
of its own, has read it whole and is about to answer.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.stage import say
from tests.support.alert_bodies import fresh_alert, ids_of
from tests.support.deliver_process import DeliverProcess
from tests.support.kafka_broker import create_topics, start_broker
from tests.support.postgres import postgres

CUSTOMERS = 5_000
PARTITIONS = 4
LIVE_S = 20.0
WARM_S = 3.0
PATIENCE_S = 300.0
SLICE_S = 0.002


class FastReceiver:
    """bench/fast_receiver.py: answers 204 at once; tells when each message came."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "received"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.fast_receiver", str(self.log)], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def sections(self, endpoints: int, budget: bool) -> str:
        """The endpoints file; with `budget` each customer has one, which is never used up."""
        return ('[budget]\ncontacts_max = 1000\nwindow = "7d"\n' if budget else "") + "".join(
            f'[endpoints.e{number}]\nurl = "http://127.0.0.1:{self.port}/{number}"\n'
            'secret_env = "RECEIVER_SECRET"\nallow_http = true\nallow_networks = ["127.0.0.0/8"]\n'
            for number in range(endpoints)
        )

    def arrivals(self) -> list[tuple[str, float]]:
        """Path and id with the monotonic time of each message so far."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [(name, float(at)) for name, at in (line.rsplit(" ", 1) for line in lines)]

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)


def measured(
    alerts: int,
    endpoints: int,
    *,
    on_postgres: bool,
    kind: str = "jar",
    live_rate: float = 0.0,
    budget: bool = False,
) -> dict[str, Any]:
    """One run; `live_rate`: alerts a second while latency is measured; 0: half of what was accepted."""
    with tempfile.TemporaryDirectory(prefix="bench-deliver-") as name, _queue(on_postgres) as queue:
        folder, broker = Path(name), start_broker(kind)
        receiver = FastReceiver(folder)
        try:
            (folder / "endpoints.toml").write_text(receiver.sections(endpoints, budget))
            prefix = f"bench{time.time_ns() % 10**9}."
            deliverer = DeliverProcess(folder, broker.bootstrap, prefix)
            if queue:
                deliverer.environ["STREAM_DELIVER_QUEUE"] = queue
            if kind != "mock":
                _make_topics(broker.bootstrap, prefix)
            for number, body in enumerate(_bodies(alerts, 0)):
                deliverer.send(body, number % PARTITIONS)
            deliverer.flush()
            deliverer.start("--start", "beginning")
            rate, cpu_s = _rate(deliverer, receiver, alerts * endpoints)
            live = live_rate or 0.5 * rate / endpoints
            latency = _latency(deliverer, receiver, live, endpoints, alerts)
            deliverer.end(signal.SIGTERM)
        finally:
            receiver.close()
            broker.close()
    return {
        "endpoints": endpoints, "queue": "postgresql" if on_postgres else "sqlite", "alerts": alerts,
        "budget": budget,
        "accepted_s": round(rate), "cpu_s_per_1000": round(cpu_s * 1_000 / (alerts * endpoints), 3),
        "live_alerts_s": round(live), **latency,
    }  # fmt: skip


def _make_topics(bootstrap: str, prefix: str) -> None:
    names = [f"{prefix}customers.{role}.v1" for role in ("alerts", "control", "deliveries")]
    create_topics(bootstrap, names, PARTITIONS, {"message.timestamp.type": "LogAppendTime"})


@contextmanager
def _queue(on_postgres: bool) -> Iterator[str]:
    if not on_postgres:
        yield ""
        return
    with postgres() as url:
        yield url


def _bodies(count: int, first: int) -> list[bytes]:
    """Alerts of episodes of their own, of CUSTOMERS customers in turn."""
    return [fresh_alert(f"c{each % CUSTOMERS}", episode=first + each) for each in range(count)]


def _rate(deliverer: DeliverProcess, receiver: FastReceiver, wanted: int) -> tuple[float, float]:
    """Accepted a second from the first to the last, and CPU seconds of the process meanwhile."""
    until = time.monotonic() + PATIENCE_S
    while len(receiver.arrivals()) < wanted:
        assert time.monotonic() < until, f"only {len(receiver.arrivals())} of {wanted} arrived"
        time.sleep(0.5)
    times = [at for _, at in receiver.arrivals()]
    assert deliverer.process is not None
    fields = Path(f"/proc/{deliverer.process.pid}/stat").read_text().rpartition(")")[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return (wanted - 1) / (max(times) - min(times)), cpu_s


def _latency(
    deliverer: DeliverProcess, receiver: FastReceiver, rate: float, endpoints: int, known: int
) -> dict[str, float]:
    bodies = _bodies(int(rate * LIVE_S), known)
    sent: dict[str, float] = {}
    began, done = time.monotonic(), 0
    while done < len(bodies):
        due = min(len(bodies), int((time.monotonic() - began) * rate))
        for body, alert_id in zip(bodies[done:due], ids_of(bodies[done:due]), strict=True):
            sent[alert_id] = time.monotonic()
            deliverer.send(body, len(sent) % PARTITIONS)
        done = due
        time.sleep(SLICE_S)
    deliverer.flush()
    until = time.monotonic() + PATIENCE_S
    wanted = (len(bodies) + known) * endpoints
    while len(receiver.arrivals()) < wanted and time.monotonic() < until:
        time.sleep(0.5)
    found = [
        (at - sent[name.rpartition("/")[2]]) * 1_000
        for name, at in receiver.arrivals()
        if sent.get(name.rpartition("/")[2], 0.0) >= began + WARM_S
    ]
    missing = wanted - len(receiver.arrivals())
    cuts = quantiles(found, n=100)
    return {"p50_ms": round(cuts[49], 1), "p99_ms": round(cuts[98], 1), "missing": missing}


def table(results: list[dict[str, Any]]) -> str:
    """For people."""
    lines = []
    for each in results:
        say(json.dumps(each))
        lines.append(
            f"{each['queue']:>10} {each['endpoints']:>3} endpoints: {each['accepted_s']:>6,} accepted/s; "
            f"at {each['live_alerts_s']:,} alerts/s p50 {each['p50_ms']} ms, p99 {each['p99_ms']} ms"
        )
    return "\n".join(lines)
