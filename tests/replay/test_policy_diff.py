"""`stream policy diff`: which customers one policy alerts about and the other does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream.commands.main import main
from stream.policy_file import default_policy, parse_policy
from stream.replay.policy_diff import Knob, knobs_changed
from stream.wire import encode_event
from tests.support.builders import bought


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Customer `rich` and customer `poor` buy every week and fall silent; `later` moves the clock on."""
    file = tmp_path / "events.jsonl"
    lives = [
        bought(number * 7.0, minor, event_id=f"{customer}{number}", customer=customer)
        for customer, minor in (("rich", 200_000), ("poor", 1_000))
        for number in range(15)
    ]
    lives.append(bought(400, 1, event_id="z", customer="later"))
    file.write_bytes(b"\n".join(encode_event(event) for event in lives))
    return file


def diff(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["policy", "diff", *map(str, words)])


def test_a_policy_does_not_differ_from_itself(events):
    told = diff("default", "default", events)

    assert told.exit_code == 0
    assert told.output.startswith("The two policies are the same.\n")


def test_whom_only_one_policy_alerts_about_is_named_with_the_reason(events, tmp_path):
    strict = tmp_path / "strict.toml"
    strict.write_text('[churn_risk]\ntier_min = "platinum"\n[at_risk_loyal]\ntier_min = "platinum"\n')
    told = diff("default", strict, events)
    as_json = json.loads(diff("default", strict, events, "--json").output)

    assert told.exit_code == 1
    assert f'churn_risk.tier_min: "silver" in default, "platinum" in {strict}' in told.output
    assert "only by default: 1\n" in told.output
    assert "poor: usually buys every 7 days, silent for" in told.output
    kinds = as_json["kinds"]
    assert "poor" in kinds["churn_risk"]["only_a"] + kinds["at_risk_loyal"]["only_a"]
    assert kinds["at_risk_loyal"]["both"] == 1
    assert not any(each["only_b"] for each in kinds.values())


def test_an_earlier_threshold_tells_earlier(events, tmp_path):
    eager = tmp_path / "eager.toml"
    eager.write_text("[at_risk_loyal.hysteresis]\nraise_at = 0.45\nclear_at = 0.3\n")

    told = json.loads(diff("default", eager, events, "--json").output)

    assert told["kinds"]["at_risk_loyal"]["b_later_days"] < -1


def test_knobs_are_told_as_they_are_written_in_the_file():
    changed = parse_policy('id = "x"\n[contact]\nwindow = "7d"\n[themes]\napp = []\n[lexicon]\nmeh = -1\n')

    assert knobs_changed(default_policy(), changed) == [
        Knob("contact.window", "30d", "7d"),
        Knob("lexicon.meh", None, -1.0),
        Knob("themes.app", default_policy().themes["app"], ()),
    ]


def test_bad_usage_and_a_bad_policy_are_told(events, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("version = 0")

    assert diff("default", "nowhere.toml", events).exit_code == 2
    assert "name a policy file or `default`" in diff("default", "nowhere.toml", events).output
    assert diff("default", bad, events).exit_code == 2
    assert f"{bad}:1: version: 0 is not allowed" in diff("default", bad, events).output
