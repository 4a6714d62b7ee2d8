"""Faults caused on purpose: which alerts fire, and which are heard after inhibition (docs/runbook.md)."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stream.core.events import event as ev
from stream.core.events import payload as pl
from tests.support.complaining_shop import complaining_shop, loyal_customer
from tests.support.composed import Composed, wait_until

RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()
ROW = re.compile(r"^\| ([A-Za-z][^|`]+?) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
WITHIN_S = 60.0 + 60.0 + 30.0
"""A minute after the longest `for` of these alerts (a minute here), and what the fault itself takes."""
SETTLED_S = 15.0
"""Longer than Alertmanager waits for more of a group, twice."""


def table() -> dict[str, tuple[set[str], set[str]]]:
    """Fault -> the alerts that fire, and those that are heard."""
    part = RUNBOOK.split("## Faults that were caused")[1].split("\n## ")[0]
    return {
        name: (set(re.findall(r"[A-Z]\w+", fires)), set(re.findall(r"[A-Z]\w+", heard)))
        for name, _, fires, heard in ROW.findall(part)
        if name != "fault"
    }


TABLE = table()


@contextmanager
def frozen(composed: Composed, service: str) -> Iterator[None]:
    composed.run("pause", service)
    try:
        yield
    finally:
        composed.run("unpause", service)


@contextmanager
def stopped(composed: Composed, service: str) -> Iterator[None]:
    composed.run("stop", service)
    try:
        yield
    finally:
        composed.run("start", service)


@contextmanager
def silent_purchases(composed: Composed) -> Iterator[None]:
    now = datetime.now(UTC)
    for number in range(40):
        composed.send(loyal_customer(f"silent-{number}", now - timedelta(days=3)))
    visits = [
        ev.SessionStarted(
            data=pl.Session(session_id=f"s{number}"),
            id=f"visit-{number}",
            source="/shop",
            subject=f"silent-{number % 40}",
            time=now - timedelta(minutes=90 - number),
        )
        for number in range(80)
    ]
    composed.send(visits)
    yield
    composed.send(loyal_customer("loud", datetime.now(UTC) + timedelta(days=2)))


@contextmanager
def poison(composed: Composed) -> Iterator[None]:
    """Records that are no events, for longer than Prometheus needs to see a counter grow."""
    for _ in range(6):
        composed.put("customers.purchases.v1", [(b"poison", b"{")] * 20)
        time.sleep(4)
    yield


@contextmanager
def without_receiver(composed: Composed, name: str) -> Iterator[None]:
    """Alerts of many customers are tried in vain; afterwards more of them, so that it is seen to be back."""
    with stopped(composed, "receiver"):
        composed.send(complaining_shop(name, 14, datetime.now(UTC).replace(microsecond=0)))
        open_breakers = "customer_stream_endpoint_breaker_open == 1"
        wait_until(lambda: composed.asked(open_breakers), "the receiver is left alone")
        yield
    later = datetime.now(UTC).replace(microsecond=0)
    composed.send(complaining_shop(f"{name}-later", 3, later))


@contextmanager
def disabled_meanwhile(composed: Composed) -> Iterator[None]:
    """An operator disables the endpoint at once."""
    command = ("exec", "deliver", "python", "-m", "stream", "deliver")
    with without_receiver(composed, "disabled"):
        composed.run(*command, "disable", "example")
        try:
            yield
        finally:
            composed.run(*command, "enable", "example")


FAULTS: dict[str, Callable[[Composed], AbstractContextManager[None]]] = {
    "purchases stop": silent_purchases,  # the first, while no purchase is new
    "a worker is frozen": lambda composed: frozen(composed, "worker"),
    "no worker is left": lambda composed: stopped(composed, "worker"),
    "deliver is frozen": lambda composed: frozen(composed, "deliver"),
    "deliver has ended": lambda composed: stopped(composed, "deliver"),
    "the dashboard is frozen": lambda composed: frozen(composed, "dashboard"),
    "a receiver is down": lambda composed: without_receiver(composed, "down"),
    "a receiver is down and disabled": disabled_meanwhile,
    "poison arrives": poison,
}


def test_every_fault_of_the_table_is_caused():
    assert set(FAULTS) == set(TABLE)


@pytest.mark.compose
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_fires_the_alerts_of_the_table_and_those_are_heard_that_it_names(composed, name):
    fires, heard = TABLE[name]
    wait_until(lambda: not composed.firing(), f"all is well before (not: {composed.firing()})", 300)
    before = len(composed.notified())
    with FAULTS[name](composed):
        wait_until(lambda: fires <= composed.firing(), lambda: f"{fires}, not {composed.firing()}", WITHIN_S)
        wait_until(lambda: heard <= set(composed.notified()[before:]), "the notifications", 60)
        time.sleep(SETTLED_S)  # what follows must not come either
        assert composed.firing() == fires
        assert set(composed.notified()[before:]) == heard
