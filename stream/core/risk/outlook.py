"""By which clock a customer's future is counted in money: calendar, or own purchasing time.

Value counts purchases from an instant on. By a model that knows seasons (season.py) they come by the
customer's own purchasing time: for who buys before Christmas only, the quarter from January on is hardly any
time, and that from October on nearly a year. Silence and horizons of a value are measured in it, as those of
the risk are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from stream.core.model.features import Features
from stream.core.model.pace import Trend
from stream.core.model.record import Model
from stream.core.risk.curve import own_in
from stream.core.risk.inactivity import inactivity
from stream.core.risk.season import Season, further_of, season_of
from stream.core.units import DAY_MS, MONTHS_OF_YEAR
from stream.core.value.lifetime import Valuation, kept_of
from stream.core.value.reach import Reach


class Outlook(NamedTuple):
    """One customer's history at an instant, as value takes it; times in units of the purchase process."""

    x: int
    """Repeat purchase days."""
    t_x: float
    """From the first purchase day to the last."""
    T: float
    """The same, and the silence since then by the clock of the customer's purchases."""
    reach: Reach | None
    """How far the value goes by that clock; None: it is the calendar's."""


def outlook(
    model: Model, rules: Valuation, features: Features, as_of_ms: int, season: Season | None = None
) -> Outlook:
    """What value needs to know of a customer at an instant; one before the last purchase counts as that.

    `season` is theirs where it is known already. `features` need months where the model knows seasons.
    """
    unit_ms = model.process.unit_ms
    x, span_ms = features.frequency, features.last_ms - features.first_ms
    as_of_ms = max(as_of_ms, features.last_ms)
    t_x = span_ms / unit_ms
    own = inactivity(model, x, span_ms)
    if model.seasons is None:
        age = (as_of_ms - features.first_ms) / unit_ms
        if model.trend is None:
            return Outlook(x, t_x, age, None)
        reach = Reach(own.horizon, rules.horizon, kept_of(rules))
    else:
        season = season or season_of(model.seasons, features)
        age = t_x + season.silent_ms(as_of_ms) / unit_ms
        in_month = own_in(own, season, season.month(as_of_ms) % MONTHS_OF_YEAR)
        reach = Reach(in_month.horizon, *_ahead(season, rules, as_of_ms))
    if model.trend is not None:
        reach = _at_pace(model.trend, rules, own.horizon, reach)
    if model.further is not None and model.seasons is not None:
        ahead_ms = round(rules.horizon * unit_ms)
        further = further_of(model.seasons, model.further, features.by_month, ahead_ms)
        reach = reach._replace(further=further)
    return Outlook(x, t_x, age, reach)


def _at_pace(trend: Trend, rules: Valuation, within: float, reach: Reach) -> Reach:
    """The reach where customers buy faster or slower than they did; `within`: their own horizon by the
    calendar."""
    unit_ms = rules.process.unit_ms
    return Reach(
        reach.within * trend.factor(within * unit_ms),
        reach.span * trend.factor(rules.horizon * unit_ms),
        reach.kept,
    )


def _ahead(season: Season, rules: Valuation, as_of_ms: int) -> tuple[float, float]:
    """The value's horizon in purchasing time, and what money that comes evenly by it is worth today."""
    unit_ms = rules.process.unit_ms
    until_ms = as_of_ms + round(rules.horizon * unit_ms)
    begins_ms, passed, worth = as_of_ms, 0.0, 0.0
    month = season.month(as_of_ms)
    while begins_ms < until_ms:
        time = season.time_in(month)
        ends_ms = min(time.begins_ms + time.length_ms, until_ms)
        days = time.passed(ends_ms) - time.passed(begins_ms)
        delay = (0.5 * (begins_ms + ends_ms) - as_of_ms) / unit_ms
        passed, worth = passed + days, worth + days * math.exp(-rules.discount * delay)
        begins_ms, month = ends_ms, month + 1
    return passed * (DAY_MS / unit_ms), worth / passed
