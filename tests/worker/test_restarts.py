"""When a worker of several is started again, and when all are stopped."""

import signal
import subprocess

import pytest

from stream.config.settings import Settings
from stream.worker.processes import WorkerGroup, differing, refusal
from stream.worker.restarts import ENDS_MAX, FINAL, LASTED_S, LONGEST_PAUSE_S, Restarts, status_of


def test_pauses_double_up_to_a_minute_and_a_worker_that_lasted_begins_anew():
    restarts = Restarts()

    pauses = [restarts.pause_s(-signal.SIGKILL, 5) for _ in range(8)]

    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert restarts.pause_s(75, LASTED_S) == 1


def test_after_many_ends_in_a_row_it_is_given_up():
    restarts = Restarts()

    for _ in range(ENDS_MAX):
        assert restarts.pause_s(70, 1.0) is not None
    assert restarts.pause_s(70, 1.0) is None


@pytest.mark.parametrize("code", sorted(FINAL))
def test_a_code_that_no_start_cures_stops_all_at_once(code):
    assert Restarts().pause_s(code, 3_600) is None


@pytest.mark.parametrize("code", [0, 70, 71, 75, -9, -15])
def test_other_ends_are_followed_by_a_start(code):
    assert Restarts().pause_s(code, 3_600) == 1


def test_the_status_of_a_signal_is_that_of_a_shell():
    assert (status_of(0), status_of(76), status_of(-9)) == (0, 76, 137)


def test_each_worker_has_its_own_port_folder_and_name():
    settings = Settings(http_port=7000, data_dir="data", instance_id="machine")

    assert differing(settings, 2) == {
        "STREAM_HTTP_PORT": "7002",
        "STREAM_DATA_DIR": "data/worker-2",
        "STREAM_INSTANCE_ID": "machine-2",
    }


def test_any_free_port_stays_any_free_port_and_no_name_no_name():
    assert differing(Settings(http_port=0), 1) == {
        "STREAM_HTTP_PORT": "0",
        "STREAM_DATA_DIR": ".stream/worker-1",
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(brokers="embedded"), "STREAM_BROKERS = embedded"),
        (
            Settings(http_port=65_535),
            "STREAM_HTTP_PORT = 65535: 2 workers need a port each, up to 65534 or 0",
        ),
        (Settings(instance_id="x" * 199), "STREAM_INSTANCE_ID"),
        (Settings(), ""),
        (Settings(http_port=65_534), ""),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(settings, words):
    line = refusal(settings, 2)

    assert line.startswith(words)
    assert bool(line) == bool(words)
    assert "\n" not in line


def test_a_worker_that_is_being_started_when_the_signal_comes_is_stopped_too(monkeypatch):
    group = WorkerGroup(Settings(), 1)
    (child,) = group._children

    def start(now: float) -> None:
        group._on_signal(signal.SIGTERM, None)
        child.process = subprocess.Popen(["sleep", "60"])

    monkeypatch.setattr(child, "start", start)
    group._look_at(child, child.due_at)

    assert child.process is not None
    assert child.process.wait(10) == -signal.SIGTERM
