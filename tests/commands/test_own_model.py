"""A digest or page of recorded events is of a model of these events, and one line says so or why not."""

import pytest
from click.testing import CliRunner

from stream.commands import own_model
from stream.commands.main import main
from tests.support.builders import identified
from tests.support.shop import write_events

FITTED = "Note: judged by a model fitted to these events in"
SHIPPED = "Note: judged by the shipped model, which was fitted to another shop, as"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "shop.jsonl"
    words = ["import", "generated", "--customers", "120", "--days", "300", "--out", str(path)]
    assert CliRunner().invoke(main, words).exit_code == 0
    return path


def digest(*words):
    answer = CliRunner().invoke(main, ["digest", *map(str, words)])
    assert answer.exit_code == 0, answer.output
    return answer


def test_recorded_events_are_judged_by_a_model_that_is_fitted_to_them(shop):
    answer = digest("--events", shop)

    assert answer.stderr.count(FITTED) == 1
    assert SHIPPED not in answer.stderr


def test_the_shipped_model_is_taken_where_it_is_asked_for(shop):
    answer = digest("--events", shop, "--model", "shipped")

    assert FITTED not in answer.stderr
    assert SHIPPED not in answer.stderr


def test_the_model_is_the_one_that_fit_writes(shop, tmp_path):
    model = tmp_path / "model.json"
    assert CliRunner().invoke(main, ["fit", str(shop), "--out", str(model)]).exit_code == 0

    assert digest("--events", shop, "--model", model).stdout == digest("--events", shop).stdout


def test_a_history_without_purchases_is_judged_by_the_shipped_model_and_says_why(tmp_path):
    path = tmp_path / "no-purchase.jsonl"
    write_events([identified(3, "spring")], path)

    (line,) = [one for one in digest("--events", path).stderr.splitlines() if one.startswith("Note: judged")]
    assert line.startswith(SHIPPED)
    assert "no model can be fitted to these events: " in line


def test_very_many_events_are_not_fitted_on_the_way(shop, monkeypatch):
    monkeypatch.setattr(own_model, "EVENTS_MAX", 100)

    line = digest("--events", shop).stderr
    assert "events are too many to fit a model on the way (at most 100)" in line
    assert "`stream fit` does it once, then name it by --model" in line


def test_a_model_that_is_no_file_is_refused(shop):
    answer = CliRunner().invoke(main, ["digest", "--events", str(shop), "--model", "mine"])

    assert answer.exit_code == 2
    assert "mine" in answer.output
