"""What the data cover: no study counts time after their end as "bought nothing"."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.analysis.backtest.alert_truth import alert_scores
from stream.analysis.backtest.backtest import BacktestOptions
from stream.analysis.backtest.judged import Truth
from stream.analysis.backtest.policy_run import RaisedAlert, RunResult
from stream.commands.main import main
from stream.core.events.event import Event
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.coverage import Coverage, NotCoveredError
from stream.fit.history import read_history
from tests.support.builders import at, bought, visited
from tests.support.shop import day_ms, purchases, write_events
from tests.support.studies import backtest_of

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

EVENTS = purchases(customers=120, weeks=40.0)
"""Purchases from 2024-01-01; the last one is on 2024-10-06."""


def coverage_of(events: Sequence[Event]) -> Coverage:
    coverage = Coverage()
    for event in events:
        coverage.note(event, event.time_ms)
    return coverage


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def events(tmp_path: Path) -> Path:
    write_events(EVENTS, tmp_path / "events.jsonl")
    return tmp_path / "events.jsonl"


def test_a_horizon_that_the_data_do_not_cover_is_refused_with_what_would_fit(events):
    result = run("backtest", events, "--split", "2024-10-05", "--horizon", "26w", "--json")

    assert result.exit_code == 2
    assert result.stderr == (
        "Error: the purchases end on 2024-10-06, but --split 2024-10-05 with --horizon 26w needs them up to "
        "2025-04-05; what would fit: --split 2024-04-07 or earlier, or --horizon 1d\n"
    )


def test_what_the_refusal_says_would_fit_does_fit_and_a_day_more_does_not(events):
    for split, horizon, code in (
        ("2024-04-07", "26w", 0),
        ("2024-04-08", "26w", 2),
        ("2024-09-01", "35d", 0),
        ("2024-09-01", "36d", 2),
    ):
        result = run("backtest", events, "--split", split, "--horizon", horizon, "--json")
        assert result.exit_code == code, result.output


def test_where_no_split_is_early_enough_the_refusal_names_the_longest_horizon_only(events):
    result = run("backtest", events, "--split", "2024-06-30", "--horizon", "3y")

    assert result.exit_code == 2
    assert result.output.endswith("what would fit: --horizon 98d\n")


def test_a_split_at_the_end_of_the_data_leaves_only_an_earlier_split(events):
    result = run("backtest", events, "--split", "2024-10-06", "--horizon", "4w")

    assert result.exit_code == 2
    assert result.output.endswith("what would fit: --split 2024-09-08 or earlier\n")


def test_the_study_itself_refuses_what_its_events_do_not_cover():
    options = BacktestOptions(
        first_purchase_ms=EVENTS[0].time_ms // DAY_MS * DAY_MS,
        split_ms=day_ms(30),
        horizon_ms=26 * WEEK_MS,
        policy=Policy(),
    )

    with pytest.raises(NotCoveredError, match="the purchases end on 2024-10-06"):
        backtest_of(EVENTS, options)


def test_purchases_that_end_before_other_events_end_the_data_there(tmp_path):
    visits = [visited(days, event_id=f"v{days}") for days in range(280, 370)]
    path = write_events([*EVENTS, *visits], tmp_path / "events.jsonl")

    result = run("backtest", path, "--split", "2024-09-01", "--horizon", "8w")

    assert result.exit_code == 2
    assert "the purchases end on 2024-10-06 (other events on 2025-01-04), but" in result.output


def test_in_a_shop_of_seldom_purchases_the_days_since_the_last_one_are_covered():
    seldom = [bought(days, event_id=f"o{days}") for days in range(0, 100, 20)]

    assert coverage_of([*seldom, visited(110)]).end_ms == at(111) - 1
    assert coverage_of([*seldom, visited(121)]).end_ms == at(81) - 1


@pytest.mark.parametrize("command", ["fit", "report"])
def test_a_day_after_the_end_of_the_data_is_refused_by_fit_and_report(events, tmp_path, command):
    out = tmp_path / "out"

    result = run(command, events, "--until", "2025-03-31", "--out", out)

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "Error: --until 2025-03-31: the purchases end on 2024-10-06, and later days would count as days on "
        "which nobody bought; name a day up to then, or leave --until out"
    )
    assert not out.exists()


def test_fit_and_report_end_where_the_purchases_end_and_say_so(tmp_path):
    visits = [visited(days, event_id=f"v{days}") for days in range(280, 370)]
    with_visits = write_events([*EVENTS, *visits], tmp_path / "with-visits.jsonl")
    words = "the purchases end on 2024-10-06, other events on 2025-01-04: later days are left out"

    fit = run("fit", with_visits, "--out", tmp_path / "model.json")
    report = run("report", with_visits, "--json")

    assert f"note: {words}" in fit.stdout
    assert json.loads((tmp_path / "model.json").read_bytes())["fitted_at_ms"] == at(279)
    assert json.loads(report.stdout)["as_of_ms"] == at(279)
    assert f"note: {words}" in report.stderr


def test_a_source_whose_purchases_end_long_before_the_others_is_named(tmp_path):
    web = [bought(days / 4, event_id=f"w{days}", customer=f"w{days % 9}") for days in range(400)]
    closed = [
        msgspec.structs.replace(
            bought(days / 2, event_id=f"t{days}", customer=f"t{days % 9}"), source="/shops/till-4"
        )
        for days in range(80)
    ]
    path = write_events(sorted([*web, *closed], key=lambda one: one.time_ms), tmp_path / "events.jsonl")
    words = "the purchases of source '/shops/till-4' end on 2024-02-09, others go on: who bought"

    backtest = run("backtest", path, "--split", "2024-01-31", "--horizon", "4w")
    as_json = run("backtest", path, "--split", "2024-01-31", "--horizon", "4w", "--json")
    early = run("backtest", path, "--split", "2024-01-10", "--horizon", "2w", "--json")

    assert backtest.exit_code == 0, backtest.output
    assert words in " ".join(backtest.output.split())
    assert any(words in note for note in json.loads(as_json.stdout)["coverage_notes"])
    assert not json.loads(early.stdout)["coverage_notes"]
    assert words in run("fit", path, "--out", tmp_path / "model.json").stdout


def test_a_group_of_customers_that_is_empty_is_named_and_not_scored(events):
    result = run("backtest", events, "--split", "2024-04-07", "--horizon", "8w", "--first-by", "2023-01-01")

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "stream backtest: nobody had bought by 2023-01-01 (--first-by): nobody to score"
    )


def truth_of(events: Sequence[Event], split: int, horizon: int) -> Truth:
    history = read_history(events, (at(split),), Policy())
    return Truth(history, history.snapshots[at(split)], horizon * DAY_MS)


@settings(max_examples=60, deadline=None)
@given(
    days=st.lists(st.integers(48, 400).map(lambda quarter: quarter / 4), min_size=3, max_size=30),
    horizon=st.integers(1, 60),
    wait=st.integers(0, 60),
)
def test_an_alert_is_right_or_wrong_only_where_the_data_cover_its_whole_horizon(days, horizon, wait):
    """What was judged stays as it was judged when later data are added; what was not is judged then."""
    known = [bought(5), *(bought(day, event_id=f"o{place}") for place, day in enumerate(sorted(days)))]
    later = [*known, bought(max(days) + 1, event_id="later"), bought(300, event_id="end", customer="d")]
    alert = 11 + min(wait, horizon - 1)
    run = RunResult(
        (RaisedAlert("churn_risk", "c", at(alert)),),
        {"churn_risk": frozenset("c"), "at_risk_loyal": frozenset()},
        {},
    )

    def row(events: Sequence[Event]) -> dict[str, Any]:
        return alert_scores(run, truth_of(events, 10, horizon))["churn_risk"]

    covered = alert + horizon <= int(max(days))
    assert row(known)["undecided"] == (not covered)
    assert row(later)["undecided"] == 0
    assert not covered or row(known)["right"] == row(later)["right"]


def test_an_upgrade_after_the_backtests_horizon_but_within_that_of_its_alert_counts():
    shop: list[Event] = [bought(day, event_id=f"s{day}", customer="s") for day in range(100)]
    truth = truth_of(shop, 10, 30)
    raised = (RaisedAlert("upgrade_opportunity", "s", at(30)),)
    moved_up = RunResult(raised, {"churn_risk": frozenset(), "at_risk_loyal": frozenset()}, {"s": (at(50),)})
    moved_too_late = RunResult(
        raised, {"churn_risk": frozenset(), "at_risk_loyal": frozenset()}, {"s": (at(61),)}
    )

    def precision(run: RunResult) -> Any:
        return alert_scores(run, truth)["upgrade_opportunity"]["precision"]

    assert (precision(moved_up), precision(moved_too_late)) == (1.0, 0.0)


def test_a_run_sees_the_upgrades_within_the_horizon_of_every_judged_alert(monkeypatch):
    """Alerts late in the time after the split are judged by what follows it, as far as the data go."""
    from stream.analysis.backtest import backtest as study

    seen: list[RunResult] = []

    def noticed(run: RunResult, *more: Any) -> dict[str, dict[str, object]]:
        seen.append(run)
        return alert_scores(run, *more)

    monkeypatch.setattr(study, "alert_scores", noticed)
    split_ms, horizon_ms = day_ms(20), 6 * WEEK_MS
    options = BacktestOptions(EVENTS[0].time_ms // DAY_MS * DAY_MS, split_ms, horizon_ms, Policy())

    backtest_of(EVENTS, options)

    end_ms = split_ms + DAY_MS - 1 + horizon_ms
    moves = [at_ms for times in seen[0].moved_up_ms.values() for at_ms in times]
    assert max(moves) > end_ms
    assert max(one.at_ms for one in seen[0].raised) <= end_ms
