"""A history on a real Kafka in which nearly every event shares its instant with others of its customer.

Records are large, so that instants lie across fetches; within an instant each topic has them in random order.
"""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from stream.core.events.event import Event
from stream.core.events.payload import Product
from stream.wire import kind_of
from tests.support.builders import bought, cancelled, complained, refunded, resolved, reviewed, visited
from tests.support.laws import ENCODE
from tests.support.running_worker import WorkerProcess, first_difference, replayed, tick
from tests.support.strategies import of_customer

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]
LONG_TEXT = "The parcel came late and the box was torn. " * 220
MANY_PRODUCTS = tuple(
    Product(product_id=f"p{number}", quantity=1, price_minor=100, category=f"category-{number % 7}")
    for number in range(110)
)


def one_day(random: Random, day: int) -> list[Event]:
    """What one customer does in one instant."""
    large = bought(day, random.randint(1_000, 30_000), f"o{day}", event_id=f"b{day}")
    life: list[Event] = [
        msgspec.structs.replace(large, data=msgspec.structs.replace(large.data, products=MANY_PRODUCTS)),
        bought(day, 2_000, f"second{day}", event_id=f"s{day}"),
        visited(day, event_id=f"v{day}"),
        reviewed(day, random.choice((1, 4, 5)), LONG_TEXT, event_id=f"r{day}"),
        complained(day, f"t{day}", event_id=f"c{day}"),
        resolved(day, f"t{day - random.choice((0, 3))}", event_id=f"d{day}"),
        cancelled(day, f"second{day}", event_id=f"x{day}"),
        refunded(day, f"o{day - 3}", 500, event_id=f"m{day}"),
        reviewed(day, 3, event_id=f"b{day}"),  # the id of the first order: one of the two counts
    ]
    return random.sample(life, random.randint(2, len(life)))


def tied_history(random: Random) -> list[Event]:
    """A year, in order of time; then a purchase, and a tick that moves every partition's clock there."""
    events: list[Event] = []
    for day in range(0, 360, 3):
        today = []
        for number in range(12):
            if random.random() < (0.9 if day < 60 + 25 * number else 0.05):
                today += [of_customer(event, f"customer-{number}") for event in one_day(random, day)]
        events += random.sample(today, len(today))
    end = bought(400, event_id="end", customer="customer-0")
    return [*events, end, tick(end.time)]


def sizes(events: list[Event]) -> dict[str, int]:
    """Bytes by topic."""
    return {
        topic: sum(len(ENCODE(event)) for event in events if kind_of(event) == topic)
        for topic in ("purchases", "feedback")
    }


@pytest.mark.parametrize(("partitions", "guarantee"), [(1, "at_least_once"), (4, "exactly_once")])
def test_tied_instants_across_fetches_give_the_bytes_of_a_replay(new_kafka, tmp_path, partitions, guarantee):
    kafka, random = new_kafka(partitions), Random(partitions)
    history = tied_history(random)
    assert min(sizes(history).values()) > 4_000_000, "several fetches of each topic"
    kafka.send(*history)

    with WorkerProcess(kafka, tmp_path / "log", guarantee=guarantee) as worker:
        kafka.wait_for_commits(worker)
        assert sum(worker.metrics("late_events_total").values()) == 0
        assert worker.stop() == 0

    another_order = sorted(random.sample(history, len(history)), key=lambda event: event.time_ms)
    profiles, alerts = replayed(another_order)
    assert len(alerts) > 50
    assert first_difference(kafka.alerts(), alerts) == ""
    assert {name: ENCODE(each) for name, each in kafka.profiles().items()} == {
        name: ENCODE(each) for name, each in profiles.items()
    }
