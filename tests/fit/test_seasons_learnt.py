"""Seasons of a shop are learnt from customers whose purchases span a year, and only where they are there."""

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import pytest
from scipy.special import expit

from stream.core.alerts.amounts import months_words
from stream.core.model.document import encode_model
from stream.core.model.record import Horizon
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.fit.refit import refit
from stream.fit.risk.risk_layer import churn_risks, process_log_odds
from stream.fit.risk.season_lessons import season_days, year_before
from stream.fit.risk.training_set import feature_matrix
from stream.importing.generated.kinds.history import kind_history
from stream.model_file import default_model


def midnight(year, month, day):
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1_000)


@lru_cache(maxsize=4)
def learnt(kind, split_ms, weeks, customers):
    """The model of a generated shop, its history up to the split, and who then bought nothing."""
    _, events = kind_history(kind, 1, customers)
    horizon_ms = weeks * 7 * DAY_MS
    horizon = Horizon(min_ms=horizon_ms, max_ms=horizon_ms)
    days = snapshot_days(events[0].time_ms // DAY_MS * DAY_MS, split_ms, horizon)
    known_ms = split_ms + DAY_MS
    history = read_history([event for event in events if event.time_ms < known_ms], days, Policy())
    options = FitOptions(name="test", source="a generated shop", horizon=horizon)
    model = fit_model(history, split_ms, options, default_model())
    bought = {one.subject for one in events if known_ms <= one.time_ms < known_ms + horizon_ms}
    silent = np.array([one not in bought for one in history.snapshots[split_ms].customers])
    return model, history, silent, options


SEPTEMBER = midnight(2024, 9, 25)


@pytest.mark.slow
def test_christmas_buyers_are_due_in_september():
    model, history, silent, _ = learnt("christmas", SEPTEMBER, 13, 3_500)
    snapshot = history.snapshots[SEPTEMBER]

    months = np.array([one.by_month for one in snapshot.features])
    last_year = (SEPTEMBER - snapshot.column("last_ms")) < 360 * DAY_MS
    due = last_year & (months[:, 10:].sum(axis=1) == months.sum(axis=1)) & (snapshot.inactive_days > 200)
    risk = churn_risks(model, snapshot)
    assert model.seasons is not None
    assert model.evenness is None  # rhythms are of the calendar
    assert [months_words(kind.months) for kind in model.seasons.kinds] == [
        "all year",
        "mostly in November and December",
    ]
    assert any("mostly in November and December" in note for note in model.notes)
    assert abs(risk[due].mean() - silent[due].mean()) < 0.1
    process = expit(process_log_odds(feature_matrix(model, snapshot)))
    assert np.mean((risk - silent) ** 2) < np.mean((process - silent) ** 2) - 0.005


@pytest.mark.slow
def test_in_january_christmas_buyers_are_known_to_stay_away_until_autumn():
    """Without seasons the same customers are said to stay away with 62%."""
    january = midnight(2024, 1, 31)
    model, history, silent, _ = learnt("christmas", january, 26, 1_500)
    snapshot = history.snapshots[january]

    months = np.array([one.by_month for one in snapshot.features])
    at_christmas = (months[:, 10:].sum(axis=1) == months.sum(axis=1)) & (snapshot.inactive_days < 120)
    risk = churn_risks(model, snapshot)
    assert at_christmas.sum() > 200
    assert abs(risk[at_christmas].mean() - silent[at_christmas].mean()) < 0.1


@pytest.mark.slow
def test_the_same_events_give_the_same_seasons_and_a_refit_from_profiles_keeps_them():
    model, history, _, options = learnt("christmas", SEPTEMBER, 13, 3_500)

    again = fit_model(history, SEPTEMBER, options, default_model())
    refitted = refit(history.profiles, model, options)

    assert encode_model(again) == encode_model(model)
    assert refitted.seasons is not None
    assert model.seasons is not None
    assert refitted.seasons.kinds == model.seasons.kinds


def test_a_shop_without_seasons_has_none():
    model, _, _, _ = learnt("small", midnight(2024, 3, 1), 8, 300)

    assert model.seasons is None
    assert b"season" not in encode_model(model)


def test_a_history_of_less_than_two_years_looks_for_no_season():
    assert season_days(midnight(2022, 1, 10), midnight(2024, 1, 5)) == ()
    assert season_days(midnight(2022, 1, 1), midnight(2024, 1, 5)) == (midnight(2023, 1, 5),)


def test_the_year_before_has_the_same_date():
    assert year_before(midnight(2024, 9, 15)) == midnight(2023, 9, 15)
    assert year_before(midnight(2024, 2, 29)) == midnight(2023, 2, 28)
