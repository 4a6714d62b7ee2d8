"""`docker compose up`: every service is well, an event becomes an alert that people and programs see."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from stream.core.events.event import Event
from tests.support.complaining_shop import all_complain, histories
from tests.support.composed import PAGE, got, wait_until
from tests.support.replayed_ids import replayed_alert_ids

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]
KILLED = ("worker", "deliver", "dashboard", "receiver", "prometheus", "alertmanager", "kafka", "notified")


SHOPS, CUSTOMERS = 2 + 2 * len(KILLED), 20


def names(shop: int) -> list[str]:
    return [f"shop{shop}-{number}" for number in range(CUSTOMERS)]


@pytest.fixture(scope="module")
def story(composed) -> list[Event]:
    """What was sent so far: at first the orders of all customers, which the worker has read."""
    customers = [name for shop in range(SHOPS) for name in names(shop)]
    events = histories(customers, datetime.now(UTC).replace(microsecond=0))
    composed.send(events)
    applied = 'sum(customer_stream_events_total{outcome="applied"})'
    wait_until(
        lambda: any(float(each["value"][1]) >= len(events) for each in composed.asked(applied)),
        "the orders are read",
    )
    return events


@pytest.fixture(scope="module")
def shops() -> Iterator[int]:
    """The numbers of the shops that have not complained yet."""
    return iter(range(SHOPS))


@pytest.fixture
def complain(composed, story, shops):
    """All customers of another shop complain; the ids of all alerts so far, by a replay of all events."""

    def sent() -> set[str]:
        events = all_complain(names(next(shops)), datetime.now(UTC).replace(microsecond=0))
        composed.send(events)
        story.extend(events)
        return replayed_alert_ids(story)

    return sent


def alert_ids(composed) -> set[str]:
    return {each["id"] for each in composed.records("customers.alerts.v1")}


def received_ids(composed) -> set[str]:
    return {each["id"] for each in composed.received() if each["path"] == "/alerts"}


def test_an_event_from_outside_becomes_an_alert_on_the_topic_the_page_and_at_a_receiver(composed, complain):
    expected = complain()

    assert len(expected) == CUSTOMERS
    wait_until(lambda: alert_ids(composed) == expected, "the alerts of the replay are on the topic")
    wait_until(lambda: received_ids(composed) == expected, "they have reached the receiver")
    wait_until(lambda: "shop0-" in got(f"{PAGE}/"), "the page shows customers of theirs")


def test_prometheus_asks_every_process_and_each_answers(composed):
    wanted = {"customer-stream", "customer-stream-deliver", "customer-stream-dashboard"}

    wait_until(lambda: composed.targets() == dict.fromkeys(wanted, "up"), "every target is up")


def test_a_command_in_a_container_sees_the_stores_and_leaves_numbers_for_the_page(composed, complain):
    expected = complain()
    wait_until(lambda: received_ids(composed) == expected, "the alerts have reached the receiver")
    tools = ("run", "--rm", "-T", "stream")
    wait_until(lambda: got(f"{PAGE}/customer?id=shop1-0"), "the page knows the customer")

    report = json.loads(composed.run(*tools, "erase", "shop1-0", "--dry-run", "--json"))
    left = {each["store"].split(" /")[0]: each["left"] for each in report["stores"] if each.get("left")}
    assert {"read store", "delivery queue"} <= set(left)
    assert "example: enabled" in composed.run(*tools, "deliver", "list")
    composed.run("run", "--rm", "-T", "--entrypoint", "touch", "stream", "/dashboard/uplift.json")
    assert "uplift.json" in composed.run("exec", "-T", "dashboard", "ls", "/var/lib/stream")


@pytest.mark.parametrize("service", KILLED)
def test_a_container_that_is_killed_comes_back_and_nothing_is_lost(composed, complain, service):
    """The alerts are those of a replay, by number and id: on the topic, and at the receiver."""
    complain()
    composed.kill(service)
    expected = complain()

    composed.wait_until_well()
    wait_until(lambda: alert_ids(composed) == expected, "the alerts of the replay are on the topic")
    wait_until(lambda: received_ids(composed) == expected, "they have reached the receiver", 420)
