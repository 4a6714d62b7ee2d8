"""The backtest: nothing leaks from the future, its counts are right, its texts complete."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from stream.analysis.backtest.backtest import BacktestOptions
from stream.analysis.backtest.judged import jeffreys_interval
from stream.analysis.backtest.stall import released
from stream.commands.main import main
from stream.core.events.event import Event
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.model_file import default_model, load_model
from tests.support.builders import START_MS, at, bought, visited
from tests.support.narrow import not_none
from tests.support.shop import day_ms, purchases, write_events
from tests.support.studies import backtest_of

EVENTS = purchases(customers=300)
SPLIT_MS, HORIZON_MS = day_ms(36), 12 * WEEK_MS
OPTIONS = BacktestOptions(
    first_purchase_ms=EVENTS[0].time_ms // DAY_MS * DAY_MS,
    split_ms=SPLIT_MS,
    horizon_ms=HORIZON_MS,
    policy=Policy(),
)


@pytest.fixture(scope="module")
def result():
    return backtest_of(EVENTS, OPTIONS)


def test_nothing_after_the_split_reaches_the_model(result):
    before = [event for event in EVENTS if event.time_ms < SPLIT_MS + DAY_MS]
    other = purchases(seed=77)
    after = [event for event in other if event.time_ms >= SPLIT_MS + DAY_MS]

    shuffled = backtest_of(before + after, OPTIONS)

    assert shuffled.model.version == result.model.version
    assert shuffled.numbers["churn_rate"] != result.numbers["churn_rate"]


def test_the_churn_rate_is_that_of_counting_by_hand(result):
    known = {event.subject for event in EVENTS if event.time_ms < SPLIT_MS + DAY_MS}
    end_ms = SPLIT_MS + DAY_MS + HORIZON_MS
    back = {event.subject for event in EVENTS if SPLIT_MS + DAY_MS <= event.time_ms < end_ms}

    assert result.numbers["n"] == len(known)
    assert result.numbers["churn_rate"] == pytest.approx(1 - len(known & back) / len(known))


def test_the_risk_ranks_well_and_is_calibrated(result):
    risk, rivals = result.numbers["risk"], result.numbers["baselines"]

    assert risk["auc"] > 0.75
    assert risk["auc"] > min(one["auc"] for one in rivals.values())
    assert risk["ece"] < 0.12
    assert risk["brier"] < result.numbers["churn_rate"] * (1 - result.numbers["churn_rate"])


def test_a_history_shorter_than_the_horizon_predicts_about_the_right_share():
    events, split_ms, horizon_ms = purchases(customers=1_500, seed=8), day_ms(22), 26 * WEEK_MS
    options = BacktestOptions(
        first_purchase_ms=events[0].time_ms // DAY_MS * DAY_MS,
        split_ms=split_ms,
        horizon_ms=horizon_ms,
        policy=Policy(),
    )

    numbers: dict[str, Any] = backtest_of(events, options).numbers

    assert numbers["mean_risk"] == pytest.approx(numbers["churn_rate"], abs=0.1)
    assert "extrapolated" in numbers["model"]["risk"]["learnt"]


def test_the_alerts_are_judged_by_what_followed(result):
    alerts = result.numbers["alerts"]

    assert set(alerts) == {"at_risk_loyal", "churn_risk", "upgrade_opportunity"}
    churn = alerts["churn_risk"]
    assert churn["n"] > 0
    assert 0 < churn["recall"] <= 1
    assert churn["precision"] >= churn["churn_rate_of_eligible"]


def test_while_all_purchases_stop_nobody_is_judged_although_other_events_arrive():
    gap_ms = (SPLIT_MS + 14 * DAY_MS, SPLIT_MS + 60 * DAY_MS)
    bought_on = [event for event in EVENTS if not gap_ms[0] <= event.time_ms < gap_ms[1]]
    start = (gap_ms[0] - START_MS) / DAY_MS
    visits = [visited(start + day, event_id=f"v{day}") for day in range(1, 46)]
    together = sorted([*bought_on, *visits], key=lambda event: event.time_ms)

    quiet: dict[str, Any] = backtest_of(bought_on, OPTIONS).numbers
    busy: dict[str, Any] = backtest_of(together, OPTIONS).numbers

    assert busy["alerts"] == quiet["alerts"]


def test_days_at_the_end_without_any_purchase_are_not_judged_and_counted():
    end_ms = SPLIT_MS + DAY_MS + HORIZON_MS
    known = [event for event in EVENTS if event.time_ms < end_ms - DAY_MS]
    visit = visited((end_ms - START_MS) / DAY_MS - 0.1, event_id="v")

    numbers: dict[str, Any] = backtest_of([*known, visit], OPTIONS).numbers

    last_days = (end_ms - known[-1].time_ms) / DAY_MS
    assert numbers["held_days"] == pytest.approx(last_days - 0.25, abs=0.01)


def test_events_far_after_the_last_purchase_wait_for_the_next_one_and_keep_their_order():
    ahead = [visited(5), visited(6)]
    life = [bought(0), visited(0.2), *ahead, bought(7), visited(7.1)]

    assert list(released(life, at(7))) == life
    assert list(released(life[:4], at(0))) == life[:2]


def test_a_policy_against_itself_differs_in_nobody():
    same = backtest_of(
        EVENTS,
        BacktestOptions(
            first_purchase_ms=OPTIONS.first_purchase_ms,
            split_ms=SPLIT_MS,
            horizon_ms=HORIZON_MS,
            policy=Policy(),
            against=Policy(),
        ),
    )

    numbers: dict[str, Any] = same.numbers
    for one in numbers["against"]["customers"].values():
        assert one["both"] > 0
        assert one["only_policy"] == one["only_against"] == []


def test_the_command_prints_the_promised_keys_and_writes_a_report(tmp_path):
    path, report = write_events(EVENTS, tmp_path / "events.jsonl"), tmp_path / "report.html"

    result = CliRunner().invoke(
        main,
        [
            "backtest",
            str(path),
            "--split",
            "2024-09-09",
            "--horizon",
            "12w",
            "--json",
            "--report",
            str(report),
        ],
    )

    numbers = json.loads(result.output)
    assert result.exit_code == 0
    assert set(numbers) >= {
        "n",
        "churn_rate",
        "risk",
        "baselines",
        "repeat_buyers",
        "alerts",
        "model",
        "seconds",
        "policy",
    }
    assert set(numbers["risk"]) == {"auc", "brier", "log_loss", "ece", "lift10"}
    assert set(numbers["repeat_buyers"]) == {"n", "churn_rate", "risk", "baselines"}
    page = report.read_text()
    assert page.count("<svg") == 12, "two charts, and bars in the table of features"
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_precision_that_was_not_reached_is_reported_with_the_one_that_was(tmp_path):
    path = write_events(EVENTS, tmp_path / "events.jsonl")
    arguments = ["--split", "2024-09-09", "--horizon", "12w", "--precision", "0.99"]

    text = " ".join(CliRunner().invoke(main, ["backtest", str(path), *arguments]).output.split())

    assert "which no level reached: reachable are about" in text
    assert "raised at a risk of 99%" in text or "raised at a risk of 98%" in text
    assert "no purchase in the 12 weeks after that day" in text


def test_the_interval_of_a_share_is_wide_for_few_cases_and_contains_the_share():
    few, many = not_none(jeffreys_interval(3, 11)), not_none(jeffreys_interval(300, 1_100))

    assert few[0] < 3 / 11 < few[1]
    assert few[1] - few[0] > 5 * (many[1] - many[0])
    assert (not_none(jeffreys_interval(0, 5))[0], not_none(jeffreys_interval(5, 5))[1]) == (0.0, 1.0)
    assert jeffreys_interval(0, 0) is None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--split", "2030-01-01", "--horizon", "8w"], 2, "the purchases end on 2024-01-"),
        (["--split", "yesterday", "--horizon", "8w"], 2, "is not a day like"),
        (["--split", "2100-01-01", "--horizon", "8w"], 2, "years go from 1990 to 2099"),
        (["--split", "2024-06-01", "--horizon", "soon"], 2, "is not a duration like 26w"),
    ],
)
def test_bad_arguments_exit_with_a_reason(tmp_path, arguments, code, words):
    path = write_events(EVENTS[:50], tmp_path / "events.jsonl")

    result = CliRunner().invoke(main, ["backtest", str(path), *arguments])

    assert result.exit_code == code
    assert words in result.output


def test_a_fit_writes_a_model_that_loads(tmp_path):
    path, out = write_events(EVENTS, tmp_path / "events.jsonl"), tmp_path / "model.json"

    result = CliRunner().invoke(
        main, ["fit", str(path), "--out", str(out), "--until", "2024-09-09", "--horizon", "12w", "--json"]
    )

    assert result.exit_code == 0, result.output
    model = load_model(out)
    assert json.loads(result.output)["version"] == model.version
    assert model.currency == "EUR"
    assert model.risk_of.startswith("Churn risk is that of ")
    assert model.thresholds is not None
    assert [one.horizon_ms for one in model.tables] == [365 * DAY_MS, 3 * 365 * DAY_MS, None]


def test_a_fit_of_eight_customers_falls_back_and_says_so(tmp_path):
    first: dict[str, Event] = {}
    for event in EVENTS:
        first.setdefault(event.subject, event)
    path, out = write_events(list(first.values())[:8], tmp_path / "events.jsonl"), tmp_path / "model.json"

    result = CliRunner().invoke(main, ["fit", str(path), "--out", str(out)])

    assert result.exit_code == 0, result.output
    model = load_model(out)
    assert model.process == default_model().process
    assert any("The purchase process is that of" in note for note in model.notes)
    assert "purchase process alone" in model.risk_of
    assert model.risk_of in " ".join(result.output.split())


def test_a_history_without_purchases_is_refused(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("")

    result = CliRunner().invoke(main, ["fit", str(path), "--out", str(tmp_path / "model.json")])

    assert result.exit_code == 1
    assert "no purchase in these events" in result.output
    assert not (tmp_path / "model.json").exists()
