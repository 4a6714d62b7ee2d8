"""A command that is ended from outside (`timeout`, systemd, a closed terminal) leaves nothing half done."""

import os
import select
import signal
import subprocess
import sys

import pytest

from tests.support.deliver_process import wait_until
from tests.support.hard_history import NOW, write_hard_history

WAIT_S = 60
PARTS = ".[0-9]*"
"""Names of outputs that are not whole yet."""


@pytest.fixture
def folder(tmp_path):
    """A folder with events, a pipe, and a folder for temporary files."""
    write_hard_history(tmp_path / "e.jsonl", customers=20)
    (tmp_path / "tmp").mkdir()
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def started(folder, *words, ignored=()):
    def ignore():
        for number in (signal.SIGTERM, signal.SIGHUP):  # whoever runs the tests may ignore them
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, "-m", "stream", *words],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=ignore,  # noqa: PLW1509 - this process has one thread
    )


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} - {"e.jsonl", "pipe", "tmp"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_parts_of_outputs_are_gone(folder, number):
    reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    words = ["replay", "e.jsonl", "--now", NOW, "--profiles", "pipe", "--alerts", "alerts"]
    process = started(folder, *words)
    assert select.select([reader], [], [], WAIT_S)[0]  # it writes, and nobody reads
    assert files(folder)

    process.send_signal(number)
    printed = process.communicate(timeout=WAIT_S)
    os.close(reader)

    assert process.returncode == -number
    assert printed == ("", "")
    assert files(folder) == set()


def test_the_copy_of_all_customers_that_a_digest_is_made_from_is_gone(folder):
    process = started(folder, "digest", "--events", "e.jsonl", "--now", NOW, "--html", "pipe")
    wait_until(lambda: any((folder / "tmp").iterdir()), "the copy is begun")

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=WAIT_S)

    assert process.returncode == -signal.SIGTERM
    assert files(folder) == set()


def test_a_step_of_a_try_ends_the_try(folder):
    process = started(folder, "try", "e.jsonl", "--now", NOW, "--out", "out.try")
    wait_until(lambda: any((folder / "out.try").glob(PARTS)), "a step writes")

    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=WAIT_S)

    assert process.returncode == -signal.SIGTERM
    assert printed.count("$ stream") <= 2
    assert not any((folder / "out.try").glob(PARTS))


def test_a_signal_that_is_ignored_stays_ignored(folder):
    process = started(folder, "replay", "e.jsonl", "--now", NOW, "--alerts", "pipe", ignored=[signal.SIGHUP])
    wait_until(lambda: _is_running(process.pid), "the program runs")
    process.send_signal(signal.SIGHUP)
    with (folder / "pipe").open("rb") as reader:
        assert reader.read()

    process.communicate(timeout=WAIT_S)

    assert process.returncode >= 0  # it was not ended by the signal


def _is_running(process):
    """Whether its own program has begun, not only Python."""
    with open(f"/proc/{process}/maps") as maps:
        return "msgspec" in maps.read()
