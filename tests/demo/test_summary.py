import json
from collections import Counter

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.demo.run import MODEL, last_day, welcome
from stream.demo.screen import Screen, alert_line
from stream.demo.summary import AlertHistory, demo_summary, is_complete, summary_lines
from stream.importing.datasets.completejourney import completejourney_events
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.model_file import load_model
from tests.support.demo_alerts import alert


def test_an_alert_counts_once_however_often_it_is_delivered():
    alerts = AlertHistory()

    assert alerts.add(alert("a")) is True
    assert alerts.add(alert("a")) is False
    assert alerts.counts == {"churn_risk": Counter(raised=1)}


def test_the_customers_shown_have_an_open_alert_and_the_most_money_at_stake():
    alerts = AlertHistory()
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

    assert [one.subject for one in alerts.most_valuable_at_risk()] == ["rich", "mid", "low"]


def test_money_at_stake_is_compared_within_one_currency_only():
    alerts = AlertHistory()
    for given in (
        alert("yen", worth=900_000, currency="JPY"),
        alert("poor", worth=1),
        alert("rich", worth=900),
        alert("dinars", worth=5_000, currency="KWD"),
    ):
        alerts.add(given)

    assert [one.subject for one in alerts.most_valuable_at_risk()][:2] == ["rich", "poor"]


def test_the_summary_summary_for_every_event():
    outcomes = {"applied": 7, "ignored": 1, "deduplicated": 2, "dead_lettered": 1}
    summary = demo_summary(
        outcomes=outcomes,
        sent=11,
        tiers=["gold", "gold"],
        alerts=AlertHistory(),
        last_day="2017-01-20",
        seconds=1,
    )

    assert is_complete(summary)
    assert not is_complete({**summary, "events_in": 12})
    assert (summary["customers"], summary["tiers"]) == (2, {"gold": 2})


def test_the_summary_in_words_has_no_codes():
    alerts = AlertHistory()
    alerts.add(alert("rich", worth=90_000))
    summary = demo_summary(
        outcomes={}, sent=0, tiers=["gold"], alerts=alerts, last_day="2017-01-20", seconds=1
    )
    text = "\n".join(summary_lines(summary, alerts))

    assert "usually buys every 3 days, has bought nothing for 10 days" in text
    assert "SILENT" not in text
    assert "churn_risk" not in text


def test_the_summary_names_the_last_day_that_was_played_and_what_to_do_next():
    alerts = AlertHistory()
    alerts.add(alert("rich", worth=90_000))
    summary = demo_summary(
        outcomes={}, sent=0, tiers=["gold"], alerts=alerts, last_day=last_day(20), seconds=1
    )
    lines = summary_lines(summary, alerts)

    assert "The customer at risk with the most money at stake at the end of 20 January 2017:" in lines
    after = lines[lines.index("Next:") :]
    assert any("stream explain rich --events year.jsonl.gz" in line for line in after)
    assert max(map(len, after)) <= 80


def test_what_is_played_is_said_at_the_start():
    assert "Of that year the first 20 days are played." in welcome(20)
    assert "Of that year the first 1 day is played." in welcome(1)
    assert not any("Of that year" in line for line in welcome(366))
    assert last_day(366) == last_day(365) == "2017-12-31"


@pytest.mark.parametrize(
    ("words", "is_terminal"), [(["--json"], True), (["--no-browser"], True), ([], False)]
)
def test_without_a_reader_at_a_terminal_no_page_opens(monkeypatch, words, is_terminal):
    played = []
    monkeypatch.setattr("stream.commands.demo.is_terminal", lambda err: is_terminal)
    monkeypatch.setattr("stream.commands.demo._page", lambda stack: pytest.fail("a page was opened"))
    monkeypatch.setattr("stream.commands.demo._play", lambda *given: played.append(given[-1]))

    assert CliRunner().invoke(main, ["demo", *words]).exit_code == 0
    assert played == [None]


def test_on_a_terminal_the_page_is_told_and_stays_until_it_is_stopped(monkeypatch):
    stayed, page = [], object()
    monkeypatch.setattr("stream.commands.demo.is_terminal", lambda err: True)
    monkeypatch.setattr("stream.commands.demo._page", lambda stack: page)
    monkeypatch.setattr("stream.commands.demo._play", lambda *given: stayed.append(given[-1]))
    monkeypatch.setattr("stream.commands.demo._stay", stayed.append)

    assert CliRunner().invoke(main, ["demo"]).exit_code == 0
    assert stayed == [page, page]


def test_the_screen_shows_no_more_alerts_than_one_can_read(capsys):
    with Screen() as screen:
        screen.show([alert(f"c{number}") for number in range(10)])
    shown = capsys.readouterr().out.splitlines()

    assert shown == [alert_line(alert(f"c{number}")) for number in range(3)]


def test_the_model_of_the_demo_loads_and_is_of_this_shop():
    model = load_model(MODEL)

    assert model.currency == "USD"
    assert model.population.customers > 2_000


@pytest.mark.data
def test_ten_days_of_the_real_year_through_the_real_worker(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    try:
        next(completejourney_events())
    except SourceUnavailableError as missing:
        pytest.skip(str(missing))
    answer = CliRunner().invoke(main, ["demo", "--days", "10", "--json"])
    summary = json.loads(answer.stdout.splitlines()[-1])

    assert answer.exit_code == 0, answer.output
    assert summary["events_in"] == summary["applied"] > 5_000
    assert summary["dead_lettered"] == summary["deduplicated"] == 0
    assert sum(summary["tiers"].values()) == summary["customers"] > 1_000
    assert "GENERATED" in answer.stdout
    assert list(tmp_path.iterdir()) == [], "the demo leaves something behind"
