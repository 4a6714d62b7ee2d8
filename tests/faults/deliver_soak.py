"""`make soak`, the part of `stream deliver`: it is killed at random, and checked by deliver_verifier.py.

Run: `python -m tests.faults.deliver_soak --crashes 500 --seed 100`. A line per round, a summary as the last
line; exit 1 when anything was violated. A crash is one kill -9, also of a process that only just starts.
Receivers are processes of their own; one fails now and then, one answers with 50 MB.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from tests.faults.deliver_verifier import Seen, Written, violations
from tests.support.alert_bodies import ENDS, alert_body
from tests.support.deliver_process import DeliverProcess
from tests.support.fat_receiver import FatReceiver
from tests.support.kafka_broker import Broker, create_topics, start_broker
from tests.support.receivers import ReceiverProcess, python_receiver

ROUND_S = 40.0
RATE = 40
CUSTOMERS = 60
PARTITIONS = 4
FAR_MS = 4_000_000_000_000
SETTLED_S, PATIENCE_S = 25.0, 180.0


class Feed:
    """Writes alerts of random episodes, a few at a time, until it is told to stop."""

    def __init__(self, deliverer: DeliverProcess, seed: int) -> None:
        self.written: list[Written] = []
        self._deliverer, self._draw = deliverer, random.Random(seed)
        self._episodes: dict[str, tuple[int, str]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(5 / RATE):
            for _ in range(5):
                self._write()

    def _write(self) -> None:
        draw = self._draw
        customer = f"c{draw.randrange(CUSTOMERS)}"
        number, state = self._episodes.get(customer, (0, "cleared"))
        if state in ENDS:
            number, state = number + 1, "raised"
        else:
            state = draw.choice([*ENDS, *(["escalated"] * 3 if state == "raised" else [])])
        self._episodes[customer] = number, state
        now_ms = time.time_ns() // 1_000_000
        tier = "gold" if draw.random() < 0.03 else "platinum"
        body = alert_body(customer, state, episode=number, at_ms=now_ms, expires_ms=FAR_MS, tier=tier)
        self.written.append(Written(json.loads(body)["id"], customer, state))
        self._deliverer.write(body, partition=int(customer[1:]) % PARTITIONS)


def one_round(
    broker: Broker, folder: Path, seed: int, *, seconds: float = ROUND_S, broken: str = ""
) -> tuple[int, list[str]]:
    """The number of crashes, and the violations. `broken`: a fault of broken_deliver.py."""
    draw = random.Random(seed)
    prefix = f"soak{seed}{broken.replace('_', '')}{time.time_ns() % 10**9}."
    with python_receiver(failing=9) as crm, python_receiver() as mail, FatReceiver() as fat:
        sections = crm.section("crm"), mail.section("mail"), fat.section("fat") + 'tiers = ["gold"]\n'
        (folder / "endpoints.toml").write_text("".join(sections))
        deliverer = DeliverProcess(folder, broker.bootstrap, prefix, broken=broken)
        if broker.kind != "mock":  # a mock cluster has made them, with as many partitions
            _make_topics(broker.bootstrap, prefix)
        deliverer.start("--start", "beginning", wait=False)
        feed, crashes, until = Feed(deliverer, seed), 0, time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(draw.choice([0.3, 1.0, 2.5, 4.0, 6.0]))
            deliverer.end(signal.SIGKILL)
            crashes += 1
            deliverer.start("--start", "beginning", wait=False)  # it may have died before its first offset
        feed.stop()
        wrong = _ended(deliverer, 3 * len(feed.written))
        if deliverer.end(signal.SIGTERM) != 0:
            wrong.append(f"it did not stop when told: {deliverer.log()[-300:]}")
        outcomes = [json.loads(msgspec.json.encode(each)) for each in deliverer.outcomes()]
        seen = {"crm": _seen(crm), "mail": _seen(mail), "fat": Seen(fat.messages, fat.longest_bytes)}
    return crashes, wrong + violations(feed.written, seen, outcomes, crashes)


def _seen(receiver: ReceiverProcess) -> Seen:
    return Seen(list(receiver.messages))


def _make_topics(bootstrap: str, prefix: str) -> None:
    names = [f"{prefix}customers.{role}.v1" for role in ("alerts", "control", "deliveries")]
    create_topics(bootstrap, names, PARTITIONS, {"message.timestamp.type": "LogAppendTime"})


def _ended(deliverer: DeliverProcess, wanted: int) -> list[str]:
    """Wait until every delivery has an outcome on the topic, or none has come for long."""
    before, changed, until = 0, time.monotonic(), time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if not deliverer.is_running():
            return [f"it ended by itself: {deliverer.log()[-500:]}"]
        count = len({(each.data.alert_id, each.data.endpoint) for each in deliverer.outcomes()})
        if count >= wanted:
            return []
        if count != before:
            before, changed = count, time.monotonic()
        if time.monotonic() - changed > SETTLED_S:
            break
        time.sleep(1.0)
    return []  # the verifier names what is missing


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--crashes", type=int, default=500, help="go on until so many were survived")
    parser.add_argument("--seed", type=int, default=100, help="of the first round; each round takes the next")
    parser.add_argument("--minutes", type=float, default=90.0, help="begin no round after this time")
    parser.add_argument("--mock", action="store_true", help="on a mock cluster instead of a real Kafka")
    arguments = parser.parse_args()
    started, crashes, wrong, seed = time.monotonic(), 0, 0, arguments.seed
    broker = start_broker("mock" if arguments.mock else "jar")
    try:
        while crashes < arguments.crashes and time.monotonic() - started < arguments.minutes * 60:
            with tempfile.TemporaryDirectory(prefix="deliver-soak-") as folder:
                survived, found = one_round(broker, Path(folder), seed)
            crashes, wrong = crashes + survived, wrong + len(found)
            minutes = (time.monotonic() - started) / 60
            print(f"{minutes:5.1f} min  seed {seed}: {survived} crashes, {len(found)} violations", flush=True)
            print("".join(f"    {each[:600]}\n" for each in found[:10]), end="", flush=True)
            seed += 1
    except KeyboardInterrupt:
        print("interrupted: the round that was running does not count")
    finally:
        broker.close()
    seeds = f"seeds {arguments.seed} to {seed - 1}"
    print(f"soak of deliver: {crashes} crashes, {seeds}: {wrong} violations of D1 to D7")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
