"""`--now`: every command that reads recorded events sets aside what lies after it, and says where it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream.commands.main import main
from stream.model_file import load_model
from stream.wire import encode_event
from tests.support.builders import bought
from tests.support.shop import purchases, write_events

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

EVENTS = purchases(customers=120, weeks=40.0)
NOW = "2025-06-01T12:00:00Z"
TYPO = encode_event(bought(1, event_id="typo", customer="c1")).replace(b"2024-01-02", b"2087-01-02")
COMMANDS: dict[str, tuple[str, ...]] = {
    "replay": ("replay", "EVENTS", "--alerts", "OUT"),
    "fit": ("fit", "EVENTS", "--out", "OUT"),
    "backtest": ("backtest", "EVENTS", "--split", "2024-06-30", "--horizon", "8w", "--report", "OUT"),
    "report": ("report", "EVENTS", "--out", "OUT"),
    "explain": ("explain", "c1", "--events", "EVENTS"),
    "policy diff": ("policy", "diff", "default", "default", "EVENTS"),
}
TYPO_NAMED = f"time_in_future: 2087-01-02T00:00:00.000Z is more than 5 minutes after --now {NOW[:-1]}.000Z"


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, Path]:
    """The same events twice, once with one of 2087 among them."""
    clean = tmp_path / "clean" / "events.jsonl"
    spoilt = tmp_path / "spoilt" / "events.jsonl"
    for path in (clean, spoilt):
        path.parent.mkdir()
        write_events(EVENTS, path)
    lines = spoilt.read_bytes().splitlines()
    lines.insert(16, TYPO)
    spoilt.write_bytes(b"\n".join(lines) + b"\n")
    return {"clean": clean, "spoilt": spoilt}


def run(command: str, events: Path, *more: str) -> tuple[Result, bytes]:
    """What the command does, and the file that it wrote."""
    out = events.with_name(f"{command.replace(' ', '-')}.out")
    places = {"EVENTS": str(events), "OUT": str(out)}
    words = [places.get(word, word) for word in COMMANDS[command]]
    result = CliRunner().invoke(main, [*words, *more])
    return result, out.read_bytes() if out.exists() else b""


@pytest.mark.parametrize("command", COMMANDS)
def test_an_event_of_2087_changes_nothing_and_is_named_with_file_and_line(shop, command):
    clean, out_clean = run(command, shop["clean"], "--now", NOW)
    spoilt, out_spoilt = run(command, shop["spoilt"], "--now", NOW)

    assert clean.exit_code == 0, clean.output
    assert spoilt.exit_code == (1 if command == "replay" else 0), spoilt.output
    assert f"{shop['spoilt']}:17: {TYPO_NAMED}" in spoilt.stderr
    assert "1 line was set aside: 1 time_in_future" in spoilt.stderr
    assert "time_in_future" not in clean.output
    if command == "replay":
        assert out_spoilt == out_clean
    if command == "fit":
        model = shop["spoilt"].with_name("fit.out")
        assert load_model(model).process == load_model(shop["clean"].with_name("fit.out")).process
        assert any("1 event after 2025-06-01T12:00:00.000Z" in note for note in load_model(model).notes)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_as_of_time_is_printed_and_is_a_field_of_the_json(shop, command):
    in_words, _ = run(command, shop["clean"], "--now", NOW)
    as_json, _ = run(command, shop["clean"], "--now", NOW, "--json")

    assert "2025-06-01T12:00:00.000Z" in in_words.output
    assert json.loads(as_json.stdout)["now"] == "2025-06-01T12:00:00.000Z"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_files_and_the_same_now_give_the_same_bytes(shop, command):
    results = [run(command, shop["spoilt"], "--now", NOW) for _ in range(2)]

    if command not in ("fit", "backtest"):  # these print how long they took
        assert results[0][0].output == results[1][0].output
    assert results[0][1] == results[1][1]


@pytest.mark.parametrize("command", COMMANDS)
def test_by_default_what_lies_after_the_clock_at_the_start_is_set_aside(shop, command):
    result, _ = run(command, shop["spoilt"])

    assert f"{shop['spoilt']}:17: time_in_future: 2087-01-02T00:00:00.000Z is more than" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_an_event_far_from_the_rest_is_named_even_where_the_as_of_time_allows_it(shop, command):
    result, _ = run(command, shop["spoilt"], "--now", "2090-01-01")
    clean, _ = run(command, shop["clean"], "--now", "2090-01-01")

    assert "1 event is far from the rest" in result.stderr
    assert f"{shop['spoilt']}:17 (2087-01-02)" in result.stderr
    assert "far from the rest" not in clean.stderr


def test_an_as_of_time_that_is_none_is_refused_with_what_is_allowed(shop):
    result, _ = run("replay", shop["clean"], "--now", "soon")

    assert result.exit_code == 2
    assert "'soon' is no time; allowed: 2017-09-01, 2017-09-01T12:00Z, now" in result.output
