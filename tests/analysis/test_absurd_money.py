"""One customer with absurd, valid money is left out of every study and named; it does not end or spoil it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from stream.analysis.fit_recording import NoPurchasesError, coverage_of
from stream.commands.main import main
from stream.core.calendar import UTC_CALENDAR
from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.model.record import Horizon
from stream.core.policy.policy import Finance
from stream.core.step import on_event
from stream.fit.absurd_money import MONEY_MAX_MINOR, is_absurd, set_aside_words
from stream.fit.model_fit import FitOptions
from stream.fit.refit import refit
from stream.model_file import default_model
from stream.recording.jobs import jobs_over
from stream.recording.recording import Recording
from stream.wire import encode_event
from tests.support.builders import basis, bought, visited
from tests.support.narrow import not_none

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

MOST = 2**53 - 1
SOUND: list[Event] = [
    bought(
        number + turn * (9 + number), 1_000 + 50 * number, customer=f"c{number}", event_id=f"b{number}-{turn}"
    )
    for number in range(20)
    for turn in range(5)
]
ABSURD: list[Event] = [
    bought(turn * 8 + part / 9, MOST, customer="\x1b[31mvery rich", event_id=f"a{turn}-{part}")
    for turn in range(5)
    for part in range(4)
]


def written(events: list[Event], path: Path) -> str:
    ordered = sorted(events, key=lambda event: event.time_ms)
    path.write_bytes(b"".join(encode_event(event) + b"\n" for event in ordered))
    return str(path)


STUDIES = {
    "fit": ("--out", "model.json"),
    "report": ("--out", "report.html"),
    "backtest": ("--split", "2024-02-01", "--horizon", "2w", "--report", "backtest.html"),
}


@pytest.mark.parametrize(("command", "options"), STUDIES.items())
def test_a_study_goes_on_without_an_absurd_customer_and_names_them(command, options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    both = CliRunner().invoke(main, [command, written(SOUND + ABSURD, tmp_path / "both.jsonl"), *options])

    assert both.exit_code == 0, both.output
    output = " ".join(both.output.split())
    assert "1 customer is left out, with an order of more than 10,000,000,000,000 minor units" in output
    assert "'\\x1b[31mvery rich'" in output


def test_the_report_is_that_of_the_other_customers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    numbers = []
    for name, events in (("sound", SOUND), ("both", SOUND + ABSURD)):
        path = written(events, tmp_path / f"{name}.jsonl")
        result = CliRunner().invoke(
            main, ["report", path, "--out", f"{name}.html", "--json", "--now", "2026-06-01"]
        )
        numbers.append(json.loads(result.stdout))

    sound, both = numbers
    assert len(both.pop("notes")) == len(sound.pop("notes")) + 1
    assert both == sound


def test_a_history_of_nothing_else_says_so(tmp_path):
    recording = Recording([Path(written(ABSURD, tmp_path / "absurd.jsonl"))])

    with (
        jobs_over(recording) as jobs,
        pytest.raises(NoPurchasesError, match="nothing to learn from; 1 customer is left out"),
    ):
        coverage_of(jobs, UTC_CALENDAR)


def test_a_refit_from_profiles_leaves_them_out():
    profiles: dict[str, Profile] = {}
    for event in SOUND + ABSURD:
        profiles[event.subject] = not_none(on_event(profiles.get(event.subject), event, basis()).profile)
    options = FitOptions("n", "s", Horizon(), finance=Finance())

    model = refit(profiles, default_model(), options)

    assert model.population.customers == 20
    assert any("1 customer is left out" in note for note in model.notes)


def test_what_counts_as_absurd():
    assert not is_absurd(bought(1, MONEY_MAX_MINOR))
    assert is_absurd(bought(1, MONEY_MAX_MINOR + 1))
    assert not is_absurd(visited(1))
    cheap = bought(1, 5)
    line = msgspec.structs.replace(cheap.data.products[0], price_minor=MOST, quantity=1_000_000)
    assert is_absurd(
        msgspec.structs.replace(cheap, data=msgspec.structs.replace(cheap.data, products=(line,)))
    )


def test_only_the_first_are_named():
    words = set_aside_words(f"c{number}" for number in range(1_009))

    assert words.startswith("1,009 customers are left out")
    assert words.endswith("'c0', 'c1', 'c10', 'c100', 'c1000' and 1,004 more")
