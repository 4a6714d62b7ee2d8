"""Long work says how far it is: in plain lines where there is no terminal, and in every long command."""

import io
import re
import sys
import threading

import pytest
from click.testing import CliRunner

import stream.progress
from stream.commands.main import main
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from stream.progress import PlainLines, Task, progress
from tests.support.shop import write_events

WAIT_S = 30
SHOP = Shop(seed=3, customers=80, days=400)


class Lines(io.StringIO):
    """A standard error that is no terminal, and tells when something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


def test_a_plain_line_says_what_is_known():
    assert Task("replaying", 400_000, 120_000).line(20.0) == (
        "replaying: 120,000 of 400,000 (30%), 20 s, 6,000/s, 47 s left"
    )
    assert Task("reading", None, 1_500).line(10) == "reading: 1,500, 10 s, 150/s"
    assert Task("reading", 10, 4).line(0) == "reading: 4 of 10 (40%), 0 s"
    assert Task("fitting the model").line(10) == "fitting the model: 10 s"


def test_a_bar_shows_how_many_things_are_done_a_second(monkeypatch):
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")

    with progress("replaying", 100_000) as advance:
        advance(60_000)
        stream.progress._displays[0]._bars.refresh()  # type: ignore[union-attr]

    assert re.search(r"replaying .* 60%.* [\d,]+/s", screen.getvalue())
    assert Task("replaying", 10, 6_000, began_s=5.0).pace(7.0) == "3,000/s"


def test_without_a_terminal_long_work_prints_plain_lines_even_if_nothing_is_counted(monkeypatch):
    lines = Lines()
    monkeypatch.setattr(sys, "stderr", lines)
    monkeypatch.setattr(stream.progress, "PLAIN_EVERY_S", 0.001)

    with progress("fitting the model"):
        assert lines.written.wait(WAIT_S)

    assert lines.getvalue().startswith("fitting the model: 0 s\n")


def test_short_work_prints_nothing(monkeypatch):
    lines = Lines()
    monkeypatch.setattr(sys, "stderr", lines)

    with progress("reading", 3) as advance:
        advance(3)

    assert lines.getvalue() == ""


def test_work_within_work_is_shown_and_what_ends_in_another_order_harms_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Lines())
    outer, inner = progress("outer"), progress("inner", 2)
    outer.__enter__()
    advance = inner.__enter__()
    outer.__exit__(None, None, None)
    advance(2)
    inner.__exit__(None, None, None)

    assert stream.progress._displays == []
    assert "progress" not in [thread.name for thread in threading.enumerate()]


COMMANDS = {
    "replay": (["replay", "e.jsonl"], {"reading", "replaying"}),
    "fit": (["fit", "e.jsonl", "--out", "m.json"], {"reading", "learning", "fitting the model"}),
    "report": (
        ["report", "e.jsonl", "--out", "r.html"],
        {"reading", "looking at the dates", "counting", "fitting a model", "reporting"},
    ),
    "backtest": (
        ["backtest", "e.jsonl", "--split", "2024-09-01", "--horizon", "8w"],
        {"reading", "replaying", "judging the alerts"},
    ),
    "explain": (["explain", "customer-00001", "--events", "e.jsonl"], {"looking for the customer"}),
    "policy diff": (["policy", "diff", "default", "default", "e.jsonl"], {"reading", "replaying"}),
    "import": (["import", "generated", "--customers", "5", "--days", "60", "--out", "g.jsonl"], {"events"}),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_takes_long_shows_how_far_it_is(command, tmp_path, monkeypatch):
    shown = set()

    class Noted(PlainLines):
        def add(self, task):
            shown.add(task.what)
            return super().add(task)

    monkeypatch.setattr(stream.progress, "PlainLines", Noted)
    monkeypatch.chdir(tmp_path)
    write_events(shop_events(SHOP, planned_lives(SHOP)), tmp_path / "e.jsonl")
    words, expected = COMMANDS[command]

    answer = CliRunner().invoke(main, words)

    assert answer.exit_code == 0, answer.output
    assert expected <= shown
    assert stream.progress._displays == []
