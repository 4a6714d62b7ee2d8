"""A run without input proves nothing: it must not count as one without violations."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import chaos
from tests.faults.chaos import Run
from tests.faults.workload import Input, Shop
from tests.support.kafka_broker import MockBroker


class Broken(Shop):
    """Input that ends in an exception, as when the broker refuses it."""

    def inputs(self, count: int) -> Iterator[Input]:
        yield from super().inputs(10)
        raise AssertionError("60 records were not acknowledged")


class Dry(Shop):
    def inputs(self, count: int) -> Iterator[Input]:
        yield from ()


@pytest.fixture
def run(mock_broker: MockBroker, prefix: str, tmp_path: Path) -> Run:
    return Run(mock_broker, prefix, tmp_path, topics=False)


def test_a_feeder_that_dies_is_reported(run: Run) -> None:
    run.feed(Broken(run.prefix, 1), seconds=60)

    run.await_feeders()

    assert "the feeder died after 0 inputs: AssertionError('60 records" in run.wrong[0]


def test_a_feeder_that_hangs_is_reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr(chaos, "produce", lambda *_: free.wait(60) * 5)
    run.feed(Shop(run.prefix, 1), seconds=0.1)

    run.await_feeders(late_s=0.2)
    free.set()

    assert "the feeder hangs after 0 inputs" in run.wrong


def test_a_feeder_that_brings_nothing_is_reported(run: Run) -> None:
    run.feed(Dry(run.prefix, 1), seconds=0.1)

    run.await_feeders()

    assert run.wrong == ["the feeder brought nothing"]


def test_a_feeder_that_did_its_work_is_no_violation(run: Run) -> None:
    run.feed(Shop(run.prefix, 1), seconds=0.1)

    run.await_feeders()

    assert run.wrong == []
    assert run.count > 0
