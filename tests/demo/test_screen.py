"""The picture on the terminal while the year is played."""

import re

import pytest

from stream.demo.screen import ALERTS_KEPT, Screen, alert_line, picture
from tests.support.demo_alerts import alert

LINES = 4 + ALERTS_KEPT


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr("stream.demo.screen.DRAWN_EVERY_S", 0.0)


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize("known", [0, 1, ALERTS_KEPT])
def test_the_picture_keeps_its_height_and_fits_the_terminal(columns, known):
    lines = picture(("2017-07-02", 1_234, 1_200, 7), "2017-12-31", ["an alert " * 20] * known, columns)

    assert len(lines) == LINES
    assert max(map(len, lines)) < columns


def test_the_picture_says_how_far_the_year_is_and_the_last_five_alerts():
    alerts = [alert_line(alert(f"c{number}")) for number in range(ALERTS_KEPT)]

    begin, middle, end = (
        picture((day, 1_234, 1_200, 7), "2017-12-31", alerts, 200)
        for day in ("2017-01-01", "2017-07-02", "2017-12-31")
    )

    assert [line[0].split()[-2] for line in (begin, middle, end)] == ["0%", "50%", "100%"]
    assert middle[1] == "1,234 events sent, 1,200 done, 7 alerts"
    assert [line.strip() for line in middle[4:]] == alerts


def test_a_part_of_the_year_is_whole_at_its_own_end():
    assert "100%" in picture(("2017-01-20", 1, 1, 0), "2017-01-20", [], 80)[0]
    assert picture(("2017-01-01", 1, 1, 0), "2017-01-01", [], 80)


def test_what_came_last_replaces_what_was_drawn_before(terminal, capsys):
    with Screen(is_terminal=True) as screen:
        screen.show([alert("c1")])
        screen.status("2017-03-01", 10, 5, 1)
        screen.status("2017-03-02", 20, 15, 2)
    shown = capsys.readouterr().out

    assert shown.count(f"\x1b[{LINES}A") == 2  # drawn again, and taken away at the end
    assert shown.endswith("\r\x1b[J")
    assert shown.count(alert_line(alert("c1"))[:40]) == 2


def test_what_is_said_stands_above_the_picture(terminal, capsys):
    with Screen(is_terminal=True) as screen:
        screen.status("2017-03-01", 10, 5, 1)
        screen.say("The broker dropped 3 records.")

    assert re.search(r"\x1b\[J.*The broker dropped 3 records\.\n$", capsys.readouterr().out, re.DOTALL)


def test_hostile_names_cannot_move_the_cursor():
    lines = picture(("2017-03-01", 1, 1, 1), "2017-12-31", ["\x1b[2J\x1b[H\u202egone"], 80)

    assert not any("\x1b" in line or "\u202e" in line for line in lines)
