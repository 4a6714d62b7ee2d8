"""A history that is sent into running workers on a real Kafka, and the live events after it.

The alerts are those of a replay, byte for byte, at the default settings but for the time that a history must
be quiet; tests/engine/test_histories.py has the paces, pauses and crashes that take longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest

from stream.core.alerts.alert import Alert
from stream.core.events.event import Event, PurchaseCompleted
from stream.core.events.payload import Purchase
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from stream.wire import encode_event, is_broadcast, kind_of, partition_of
from tests.support.running_worker import WorkerKafka, WorkerProcess, first_difference, replayed

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]
TOPICS = ("purchases", "engagement", "feedback", "control")
PORTION = 100
"""Events that are sent at once."""


def shop(customers: int, days: int) -> list[Event]:
    """A history that ended long ago, in order of time; its last event is a purchase, or later ones would wait
    for the next."""
    made = Shop(seed=11, customers=customers, days=days)
    events = shop_events(made, planned_lives(made))
    while kind_of(events[-1]) != "purchases":
        del events[-1]
    return events


def send_slowly(here: WorkerKafka, events: Sequence[Event], seconds: float) -> None:
    """In order, by one sender, in portions that are spread over some seconds."""
    pause_s = seconds * PORTION / len(events)
    for start in range(0, len(events), PORTION):
        for event in events[start : start + PORTION]:
            topic, key = getattr(here.names, kind_of(event)), event.subject.encode()
            home = partition_of(key, here.partitions)
            for partition in range(here.partitions) if is_broadcast(event) else (home,):
                here.put(topic, key, encode_event(event), partition)
        here.poll()
        time.sleep(pause_s)


def buyers_of_now(partitions: int, count: int) -> list[Event]:
    """Live purchases, all in one partition."""
    names = (f"live-{number}" for number in range(1_000))
    chosen = [name for name in names if partition_of(name.encode(), partitions) == partitions - 1][:count]
    now = datetime.now(UTC).replace(microsecond=0)
    return [
        PurchaseCompleted(
            id=f"{name}-{number}",
            source="/test",
            subject=name,
            time=now + timedelta(milliseconds=number),
            data=Purchase(order_id=f"{name}-{number}", total_minor=5_000, currency="EUR", products=()),
        )
        for number, name in enumerate(chosen)
    ]


def until(bodies: list[bytes], last: datetime) -> list[bytes]:
    """The alerts of these times."""
    return [
        body for body in bodies if datetime.fromisoformat(msgspec.json.decode(body, type=Alert).time) <= last
    ]


def _has(worker: WorkerProcess, share: dict[str, float]) -> bool:
    return worker.metrics("partitions_assigned") == share


class Group:
    """Some workers on the same topics."""

    def __init__(self, here: WorkerKafka, folder: Path, workers: int, **settings: str) -> None:
        self.here = here
        self._stack = ExitStack()
        how = {"clock": "wall", **settings}
        logs = [folder / f"worker-{number}" for number in range(workers)]
        self.workers = [self._stack.enter_context(WorkerProcess(here, log, **how)) for log in logs]

    def __enter__(self) -> Group:
        share = {"": self.here.partitions / len(self.workers)}
        for worker in self.workers:
            worker.wait_until(partial(_has, worker, share), "its share of the partitions")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def wait_for_alerts(self, wanted: list[bytes]) -> None:
        """They may come a while after the last record."""
        self.here.wait_for_commits(self.workers[0])
        self.workers[0].wait_until(lambda: set(wanted) <= set(self.here.alerts()), "the alerts of a replay")

    def stop(self) -> None:
        assert [worker.stop() for worker in self.workers] == [0] * len(self.workers)


def run(group: Group, send: Callable[[], None], history: list[Event]) -> None:
    """A history, and then purchases of now in one partition: what both lead to is what a replay says."""
    here, ended = group.here, history[-1].time
    _, wanted = replayed(history)
    send()
    here.flush()
    group.wait_for_alerts(wanted)
    assert first_difference(here.alerts(), wanted) == ""

    live = buyers_of_now(here.partitions, 3)
    here.send(*live)
    _, wanted = replayed([*history, *live])
    group.wait_for_alerts(wanted)
    group.stop()
    assert first_difference(until(here.alerts(), live[0].time), until(wanted, live[0].time)) == ""
    assert until(wanted, ended) != until(wanted, live[0].time), "silence after the history is judged as well"


@pytest.mark.parametrize(
    ("partitions", "workers", "guarantee"),
    [(1, 1, "at_least_once"), (4, 1, "exactly_once"), (12, 2, "at_least_once")],
)
def test_purchases_sent_into_running_workers_raise_what_a_replay_raises(
    new_kafka, tmp_path, partitions, workers, guarantee
):
    here = new_kafka(partitions)
    history = [event for event in shop(400, 365) if kind_of(event) == "purchases"]

    with Group(here, tmp_path, workers, history_quiet_s="4", guarantee=guarantee) as group:
        run(group, lambda: send_slowly(here, history, 3.0), history)


def test_topics_sent_by_senders_of_their_own_pace_are_merged_by_the_merge_wait(new_kafka, tmp_path):
    here = new_kafka(4)
    history = shop(80, 200)

    def send() -> None:
        with ThreadPoolExecutor() as threads:
            for kind, seconds in zip(TOPICS, (1.0, 9.0, 4.0, 0.5), strict=True):
                events = [event for event in history if kind_of(event) == kind]
                threads.submit(send_slowly, here, events, seconds)

    with Group(here, tmp_path, 2, history_quiet_s="4", merge_wait_ms="2000") as group:
        run(group, send, history)
