"""A study in several processes ends as a whole: interrupted, killed, or when nobody reads its output."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.hard_history import NOW, write_hard_history

pytestmark = [
    pytest.mark.slow,  # each starts and ends three processes
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere one process does the work"),
]

WAIT_S = 60
BEGUN_TICKS = 3
"""A process that has used so many hundredths of a second has begun its work."""


def _ticks(process: int) -> int:
    """CPU time that a process has used."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11])


class Study:
    """`stream replay` in two processes, in a process group and a folder for temporary files of its own."""

    def __init__(self, folder: Path, *outputs: str) -> None:
        self.folder = folder
        (folder / "tmp").mkdir()
        words = ["replay", "e.jsonl", "--now", NOW, "--jobs", "2", *outputs]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stream", *words],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder / "tmp")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def stopped_children(self) -> list[int]:
        """Its two processes, stopped in the midst of their work."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        until = time.monotonic() + WAIT_S
        while len(found := listed.read_text().split()) < 2:
            assert time.monotonic() < until
            time.sleep(0.002)
        children = list(map(int, found))
        for child in children:
            while _ticks(child) < BEGUN_TICKS:
                assert time.monotonic() < until
                time.sleep(0.002)
            os.kill(child, signal.SIGSTOP)
        return children

    def signal_all(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def end(self) -> tuple[int, str]:
        """Exit code and standard error; nothing is left of it."""
        _, errors = self.process.communicate(timeout=WAIT_S)
        until = time.monotonic() + WAIT_S
        while self.is_there():
            assert time.monotonic() < until, "a process is left"
            time.sleep(0.01)
        return self.process.returncode, errors

    def is_there(self) -> bool:
        with suppress(ProcessLookupError):
            self.signal_all(0)
            return True
        return False

    def files(self) -> set[str]:
        """What is in its folder, and in that of temporary files."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_hard_history(tmp_path / "e.jsonl", customers=80).parent


UNTOUCHED = {"e.jsonl", "tmp"}


def test_an_interrupt_ends_all_processes_and_leaves_no_file(folder):
    study = Study(folder, "--alerts", "alerts", "--profiles", "profiles")
    study.stopped_children()

    study.signal_all(signal.SIGINT)

    assert study.end() == (1, "\nAborted!\n")
    assert study.files() == UNTOUCHED


INTERRUPTED_IN_A_FORK = """
import _thread, os, sys
from stream.commands.main import main
told = []
def tell():
    if not told:
        told.append(True)
        _thread.interrupt_main({number})
        [None for _ in range(3)]
os.register_at_fork(before=tell)
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [["replay"], ["policy", "diff", "default", "default"]])
def test_a_signal_that_comes_in_the_instant_of_a_fork_ends_the_command(folder, number, command):
    """As when a thread of BLAS takes the signal: Python runs its handler in a hook of the fork, and drops
    what that raises."""
    program = INTERRUPTED_IN_A_FORK.format(number=int(number))
    words = [sys.executable, "-c", program, *command, "e.jsonl", "--now", NOW, "--jobs", "2"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=WAIT_S, check=False)

    assert done.returncode == (1 if number == signal.SIGINT else -number), done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_whose_exception_python_drops_is_raised_again(number):
    program = f"""
import _thread, time
from stream.commands.ended import ended_by_signals
class Held:
    def __del__(self):
        _thread.interrupt_main({int(number)})
        [None for _ in range(3)]
with ended_by_signals():
    held = Held()
    del held
    time.sleep({WAIT_S})
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=WAIT_S / 2, check=False
    )

    assert done.returncode == -number


def test_an_interrupt_while_the_output_is_written_ends_all_too(folder):
    os.mkfifo(folder / "pipe")
    reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    study = Study(folder, "--profiles", "pipe", "--alerts", "alerts")
    try:
        assert select.select([reader], [], [], WAIT_S)[0]  # it writes, and nobody reads

        study.signal_all(signal.SIGINT)

        assert study.end()[0] == 1
    finally:
        os.close(reader)
    assert study.files() == UNTOUCHED | {"pipe"}


def test_a_killed_process_ends_the_command_with_one_line(folder):
    study = Study(folder, "--alerts", "alerts")
    child, _ = study.stopped_children()

    os.kill(child, signal.SIGKILL)
    code, errors = study.end()

    assert code == 1
    assert errors.splitlines() == [
        "Error: one of the 2 processes was ended by signal 9 (out of memory?); "
        "--jobs 1 takes one, and least memory"
    ]
    assert study.files() == UNTOUCHED


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_when_the_command_itself_is_ended_its_processes_are_too(folder, number):
    study = Study(folder)
    study.stopped_children()

    os.kill(study.process.pid, number)

    assert study.end()[0] == -number
    assert study.files() == UNTOUCHED


def test_an_output_that_nobody_reads_any_more_ends_all_in_silence(folder):
    study = Study(folder, "--profiles", "-")
    assert study.process.stdout is not None
    study.process.stdout.readline()
    study.process.stdout.close()

    code, errors = study.end()

    assert code == 1
    assert "Traceback" not in errors
    assert study.files() == UNTOUCHED
