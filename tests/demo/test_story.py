import json
from collections import Counter

import pytest
from click.testing import CliRunner

from stream.commands.demo import MODEL
from stream.commands.main import main
from stream.demo import story
from stream.demo.screen import Screen, line
from stream.importing.datasets import completejourney
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.model_file import load_model
from tests.support.demo_alerts import alert


def test_each_alert_counts_once_however_often_it_comes():
    alerts = story.Alerts()

    assert alerts.add(alert("a")) is True
    assert alerts.add(alert("a")) is False
    assert alerts.counts == {"churn_risk": Counter(raised=1)}


def test_the_best_at_risk_are_those_with_an_open_alert_and_the_most_at_stake():
    alerts = story.Alerts()
    for given in (
        alert("poor", worth=1),
        alert("rich", worth=900),
        alert("saved", worth=990),
        alert("saved", worth=990, state="cleared"),
        alert("mid", worth=50),
        alert("mid", worth=60, kind="at_risk_loyal"),
        alert("low", worth=5),
        alert("up", worth=999, kind="upgrade_opportunity"),
    ):
        alerts.add(given)

    assert [one.subject for one in alerts.best_at_risk()] == ["rich", "mid", "low"]


def test_the_summary_accounts_for_every_event():
    outcomes = {"applied": 7, "ignored": 1, "deduplicated": 2, "dead_lettered": 1}
    told = story.summary(outcomes=outcomes, sent=11, tiers=["gold", "gold"], alerts=story.Alerts(), seconds=1)

    assert story.accounted(told)
    assert not story.accounted({**told, "events_in": 12})
    assert (told["customers"], told["tiers"]) == (2, {"gold": 2})


def test_the_story_is_told_without_codes():
    alerts = story.Alerts()
    alerts.add(alert("rich", worth=90_000))
    told = story.summary(outcomes={}, sent=0, tiers=["gold"], alerts=alerts, seconds=1)
    text = "\n".join(story.lines(told, alerts))

    assert "usually buys every 3 days, silent for 10 days" in text
    assert "SILENT" not in text
    assert "churn_risk" not in text


def test_the_screen_shows_no_more_than_one_can_read_and_counts_the_rest(capsys):
    with Screen() as screen:
        screen.show([alert(f"c{number}") for number in range(10)])
    shown = capsys.readouterr().out.splitlines()

    assert shown == [line(alert(f"c{number}")) for number in range(3)]


def test_the_demos_own_model_can_be_used_and_knows_the_shop():
    model = load_model(MODEL)

    assert model.currency == "USD"
    assert model.population.customers > 2_000


@pytest.mark.data
def test_ten_days_of_the_real_year_through_the_real_worker():
    try:
        next(completejourney.events())
    except SourceUnavailableError as missing:
        pytest.skip(str(missing))
    answer = CliRunner().invoke(main, ["demo", "--days", "10", "--json", "--no-browser"])
    told = json.loads(answer.stdout.splitlines()[-1])

    assert answer.exit_code == 0, answer.output
    assert told["events_in"] == told["applied"] > 5_000
    assert told["dead_lettered"] == told["deduplicated"] == 0
    assert sum(told["tiers"].values()) == told["customers"] > 1_000
    assert "GENERATED" in answer.stdout
