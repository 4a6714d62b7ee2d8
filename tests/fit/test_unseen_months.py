"""A fit warns where what it predicts lies in months of the year that its history never had, or had once."""

from datetime import UTC, datetime

import pytest

from stream.core.model.record import Horizon
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.fit.risk.unseen_months import unseen_notes
from stream.model_file import default_model
from stream.policy_file import default_policy
from tests.support.builders import bought


def midnight(year, month, day):
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("first", "split", "weeks", "months"),
    [
        ((1997, 1, 1), (1997, 9, 30), 13, "no October to December"),
        ((1997, 1, 1), (1997, 9, 30), 39, "no October to December, and January to June only once"),
        ((1997, 1, 1), (1997, 12, 30), 26, "January to June only once"),
        ((2024, 3, 1), (2024, 10, 31), 8, "no November and December"),
        ((2024, 3, 1), (2024, 11, 30), 4, "no December"),
        ((2024, 3, 1), (2024, 12, 10), 2, "no December"),
        ((2024, 3, 1), (2024, 10, 31), 17, "no November to February"),
        ((2023, 1, 1), (2024, 9, 30), 13, "October to December only once"),
        ((2022, 12, 1), (2023, 1, 31), 260, "no February to November, and December and January only once"),
    ],
)
def test_the_months_of_the_horizon_that_the_history_lacks_are_named(first, split, weeks, months):
    (note,) = unseen_notes(midnight(*first), midnight(*split), weeks * WEEK_MS)

    assert note.startswith(f"Seasons are not known: the history has {months}")


@pytest.mark.parametrize(
    ("first", "split", "weeks"),
    [
        ((2022, 1, 1), (2024, 9, 30), 13),
        ((2023, 1, 1), (2024, 12, 31), 52),
        ((2023, 12, 1), (2024, 12, 16), 2),
        ((2022, 12, 20), (2024, 12, 15), 52),
    ],
)
def test_nothing_is_noted_where_the_history_has_had_every_month_of_the_horizon_twice(first, split, weeks):
    assert unseen_notes(midnight(*first), midnight(*split), weeks * WEEK_MS) == []


def test_a_model_of_ten_weeks_notes_the_months_that_it_lacks():
    events = [
        bought(day, customer=f"c{number}", order=f"{number}-{day}")
        for number in range(20)
        for day in range(number % 7, 70, 7 + number % 5)
    ]
    events.sort(key=lambda event: event.time)
    split_ms = events[-1].time_ms // DAY_MS * DAY_MS
    horizon = Horizon(min_ms=4 * WEEK_MS, max_ms=4 * WEEK_MS)
    days = snapshot_days(events[0].time_ms // DAY_MS * DAY_MS, split_ms, horizon)
    history = read_history(events, days, default_policy())
    model = fit_model(history, split_ms, FitOptions("test", "a test", horizon), default_model())

    assert "Seasons are not known: the history has no March; such months count as any other." in model.notes
