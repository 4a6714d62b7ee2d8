"""`stream policy diff`: which customers one policy alerts about and the other does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream.commands.main import main
from stream.policy_file import default_policy, parse_policy
from stream.replay.policy_diff import ChangedKnob, knobs_changed
from stream.wire import encode_event
from tests.support.builders import bought


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Customers `rich` and `poor` buy every week and then stop; the event of `later` moves the clock on."""
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
    result = diff("default", "default", events)

    assert result.exit_code == 0
    assert result.stdout.startswith("The two policies are the same.\n")


def test_of_two_zones_only_their_names_differ():
    zoned = parse_policy('[business]\nzone = "Europe/Berlin"')

    assert knobs_changed(default_policy(), zoned) == [ChangedKnob("business.zone", "UTC", "Europe/Berlin")]


def test_customers_under_only_one_policy_are_listed_with_the_reason(events, tmp_path):
    strict = tmp_path / "strict.toml"
    strict.write_text('[churn_risk]\ntier_min = "platinum"\n[at_risk_loyal]\ntier_min = "platinum"\n')
    result = diff("default", strict, events)
    as_json = json.loads(diff("default", strict, events, "--json").stdout)

    assert result.exit_code == 1
    assert f'churn_risk.tier_min: "silver" in default, "platinum" in {strict}' in result.stdout
    assert "only under default: 1\n" in result.stdout
    assert "poor: usually buys every 7 days, has bought nothing for" in result.stdout
    kinds = as_json["kinds"]
    assert "poor" in kinds["churn_risk"]["only_a"] + kinds["at_risk_loyal"]["only_a"]
    assert kinds["at_risk_loyal"]["both"] == 1
    assert not any(each["only_b"] for each in kinds.values())


def test_a_lower_threshold_alerts_earlier(events, tmp_path):
    eager = tmp_path / "eager.toml"
    eager.write_text("[at_risk_loyal.hysteresis]\nraise_at = 0.45\nclear_at = 0.3\n")

    result = json.loads(diff("default", eager, events, "--json").stdout)

    assert result["kinds"]["at_risk_loyal"]["b_later_days"] < -1


def test_changed_settings_are_shown_as_they_are_written_in_the_file():
    changed = parse_policy('id = "x"\n[contact]\nwindow = "7d"\n[themes]\napp = []\n[lexicon]\nmeh = -1\n')

    assert knobs_changed(default_policy(), changed) == [
        ChangedKnob("contact.window", "30d", "7d"),
        ChangedKnob("lexicon.meh", None, -1.0),
        ChangedKnob("themes.app", default_policy().themes["app"], ()),
    ]


def test_bad_usage_and_a_bad_policy_exit_with_2_and_say_why(events, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("version = 0")

    assert diff("default", "nowhere.toml", events).exit_code == 2
    assert "name a policy file or `default`" in diff("default", "nowhere.toml", events).output
    assert diff("default", bad, events).exit_code == 2
    assert f"{bad}:1: version: 0 is not allowed" in diff("default", bad, events).output


def test_without_events_nothing_is_compared_and_that_is_said(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")

    result = diff("default", "default", tmp_path / "empty.jsonl")

    assert result.exit_code == 2
    assert "no events in these files: nothing was compared" in result.stderr
