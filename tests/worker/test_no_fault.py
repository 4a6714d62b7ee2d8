"""Lines of the libraries that are no fault are not logged; what resembles them is."""

import logging
from types import SimpleNamespace

import faust
import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError, GroupCoordinatorNotAvailableError, KafkaError

from stream.config.settings import Settings
from stream.worker.monitoring.logs import log_config
from stream.worker.monitoring.no_fault import COORDINATOR_S, QUIET_S, NoFault

FAUST, AIOKAFKA = "stream.engine.app", "aiokafka.consumer.group_coordinator"
COORDINATOR = "Group Coordinator Request failed: %s"
DEAD = "Marking the coordinator dead (node %s)for group %s."


class Clock:
    """Seconds that the test sets."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def line(logger: str, text: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord(logger, logging.ERROR, "", 0, text, values, None)


@pytest.mark.parametrize(
    ("logger", "text", "value", "logged"),
    [
        (FAUST, "[^-App]: Something else: %s", 1, True),
        (FAUST, "[^-App]: Crashed: Missing sensor state for rebalance #%s", 1, True),
        (AIOKAFKA, COORDINATOR, GroupCoordinatorNotAvailableError(), False),
        (AIOKAFKA, COORDINATOR, GroupAuthorizationFailedError("g"), True),
        (AIOKAFKA, COORDINATOR, KafkaError(), True),
        (AIOKAFKA, "Heartbeat failed: %r", GroupCoordinatorNotAvailableError(), True),
    ],
)
def test_only_what_is_no_fault_is_left_out(logger, text, value, logged):
    assert NoFault().filter(line(logger, text, value)) == logged


def test_faust_itself_writes_the_lines_that_are_left_out(caplog):
    app = faust.App("app")

    app.on_rebalance_return()
    app.on_rebalance_end()

    assert len(caplog.records) == 2
    assert [NoFault().filter(record) for record in caplog.records] == [False, False]


def test_aiokafka_itself_writes_the_line_of_a_coordinator_that_is_asked_for_again(caplog):
    ended = SimpleNamespace(set_result=lambda _: None)
    group = SimpleNamespace(coordinator_id=1, group_id="g", _coordinator_dead_fut=ended)

    GroupCoordinator.coordinator_dead(group)

    assert [(each.msg, NoFault().filter(each)) for each in caplog.records] == [(DEAD, False)]


@pytest.mark.parametrize(
    ("text", "values"), [(COORDINATOR, [GroupCoordinatorNotAvailableError()]), (DEAD, [1, "g"])]
)
def test_a_group_that_stays_without_a_coordinator_is_told(text, values):
    clock = Clock()
    no_fault, absent = NoFault(clock), line(AIOKAFKA, text, *values)
    logged = []
    for _ in range(3):
        logged.append(no_fault.filter(absent))
        clock.now_s += COORDINATOR_S * 0.75

    assert logged == [False, False, True]

    clock.now_s += QUIET_S
    assert not no_fault.filter(absent)


def test_the_log_of_a_worker_has_the_filter():
    config = log_config(Settings())

    assert config["handlers"]["stderr"]["filters"] == ["no_fault"]
    assert isinstance(config["filters"]["no_fault"]["()"](), NoFault)
