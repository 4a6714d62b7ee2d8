"""The features of churn risk in one table: name, what silence does to it, reason in an explanation, formula.

A feature is one number about one customer at one instant which the learnt risk layer may weigh. The model's
check takes names and signs from this table, the risk curve and the explanation take the formulas, and the fit
takes its columns: to add a feature, add a row here.

Silence may only raise the risk (the time of a crossing is solved for, see risk/churn.py). So a feature that
rises during silence needs a weight of at least 0, one that falls a weight of at most 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from math import log1p
from typing import Protocol

from msgspec import Struct

from stream.core.calendar import UTC_CALENDAR, Calendar
from stream.core.facts.decay import BASKET_HALF_LIFE_MS, WARMTH_HALF_LIFE_MS
from stream.core.model.evenness import OwnRhythm, own_rhythm
from stream.core.model.record import Model
from stream.core.units import DAY_MS, YEAR_MS

RISES, FALLS, STANDS = 1, -1, 0
"""What silence does to a feature."""
SURELY_LEFT = 30.0
"""Log-odds of having left for good beyond which nothing changes: as good as certain."""


class Features(Struct, frozen=True, kw_only=True, gc=False):
    """What the risk model knows of one customer at the last event; what is unknown keeps its neutral default.

    The first and the last purchase are given as the midnight of their day, by the clock of the business, as
    the purchase models count.
    """

    frequency: int
    """x: purchase days after the first."""
    first_ms: int
    last_ms: int
    monetary_minor: float = 0.0
    """Mean money of a repeat purchase day; 0 while there is none."""
    first_minor: float = 0.0
    """Money of the first purchase day."""
    last_gap_ms: int = 0
    """Between the last two purchase days; 0: unknown."""
    regularity: float = 0.0
    """Standard deviation of the gaps over their mean (coefficient of variation); 0: even gaps, or unknown."""
    recent: float = 0.0
    """Purchase days, decayed to `last_ms` (half-life 90 days)."""
    engagement: float = 0.0
    """Weighted engagement events, decayed to `engagement_ms` (half-life 30 days)."""
    engagement_ms: int = 0
    """The last engagement; 0: none."""
    sentiment: float = 0.0
    """Mean sentiment of all feedback, -1 to 1; 0: none."""
    returns: float = 0.0
    """Refunded share of the money spent, 0 to 1."""
    tickets: float = 0.0
    """Open tickets and complaints."""
    by_month: tuple[int, ...] = ()
    """Purchase days by month of the year, January first, of all years; empty: unknown. Only a model that
    knows seasons looks at them."""
    calendar: Calendar = UTC_CALENDAR
    """By which instants fall into months; UTC where times are what a clock shows."""


class OwnProcess(Protocol):
    """What the purchase process says of one customer; risk/inactivity.py works it out."""

    @property
    def gap(self) -> float:
        """The customer's mean gap between purchases, in units of the purchase process."""

    @property
    def horizon(self) -> float:
        """The customer's own horizon, in units of the purchase process."""

    def log_odds(self, silent_ms: int) -> float:
        """Log-odds of no purchase within the customer's own horizon, after a silence."""

    def left_log_odds(self, silent_ms: int) -> float:
        """Log-odds of having left for good, after a silence."""


class OwnSeason(Protocol):
    """What is known of the months in which one customer buys; risk/season.py works it out."""

    @property
    def focus(self) -> float:
        """How much the purchases of a year are of few months: 0 for all year, 0.83 for two months."""


class Observation(Struct, frozen=True, gc=False):
    """All that a feature may be computed from: one customer at one instant."""

    model: Model
    features: Features
    own: OwnProcess
    as_of_ms: int
    silent_ms: int
    """Since the last purchase day; never negative. By a model that knows seasons it is measured in the
    customer's own purchasing time (risk/season.py)."""
    season: OwnSeason | None = None
    """None: the model knows no seasons."""


Formula = Callable[[Observation], float]


class Feature(Struct, frozen=True):
    """One row of the table."""

    name: str
    column: int
    """Its place in `COLUMNS`; never changes, because the last digits of a fit depend on it."""
    silence: int
    """RISES, FALLS or STANDS."""
    reason: str
    """The reason of an explanation to which its contribution is added."""
    formula: Formula
    joined: bool = False
    """Added to its joined neighbours first, and then their sum to the log-odds."""
    ahead: bool = False
    """Whether it depends on how far ahead is looked: on the customer's own horizon."""


def tempered(log_odds: float) -> float:
    """Log-odds, with those above 0 replaced by log(1 + log-odds).

    The purchase process is overconfident there: of the ten customers whom it was surest to have lost (270 to
    one; Complete Journey, 26 weeks) eight came back.
    """
    return log_odds if log_odds <= 0.0 else log1p(log_odds)


def _span_days(at: Observation) -> float:
    return (at.features.last_ms - at.features.first_ms) / DAY_MS


def _gap_days(at: Observation) -> float:
    return at.own.gap * at.model.process.unit_ms / DAY_MS


def _frequency_rank(at: Observation) -> float:
    return at.model.population.frequency.rank(at.features.frequency)


def _monetary_rank(at: Observation) -> float:
    return at.model.population.monetary_minor.rank(at.features.monetary_minor)


def _silence_rank(at: Observation) -> float:
    return at.model.population.inactive_days.rank(at.silent_ms / DAY_MS)


def _lateness(at: Observation) -> float:
    return log1p(at.silent_ms / at.model.process.unit_ms / at.own.gap)


def overdue(rhythm: OwnRhythm, silent_ms: int) -> float:
    """Log-odds of having left for good, by the customer's own rhythm, tempered."""
    return tempered(min(rhythm.left_log_odds(silent_ms), SURELY_LEFT))


def rhythm_of(model: Model, features: Features, own: OwnProcess) -> OwnRhythm:
    """The customer's own rhythm."""
    span_ms = features.last_ms - features.first_ms
    return own_rhythm(model, features.frequency, span_ms, features.regularity, own.left_log_odds(0))


def _recent(at: Observation) -> float:
    return log1p(at.features.recent * 0.5 ** (at.silent_ms / BASKET_HALF_LIFE_MS))


def _engagement(at: Observation) -> float:
    features = at.features
    if features.engagement <= 0.0:
        return 0.0
    cold_ms = at.as_of_ms - features.engagement_ms if at.as_of_ms > features.engagement_ms else 0
    return log1p(features.engagement * 0.5 ** (cold_ms / WARMTH_HALF_LIFE_MS))


def _money(at: Observation, minor: float) -> float:
    return log1p(minor / at.model.spend.scale_minor) if minor > 0.0 else 0.0


def _momentum(at: Observation) -> float:
    gap_ms = at.features.last_gap_ms
    return math.log(gap_ms / DAY_MS / _gap_days(at)) if gap_ms > 0 else 0.0


def _season_due(at: Observation) -> float:
    if at.season is None:
        return 0.0
    years = max(0, at.as_of_ms - at.features.last_ms) / YEAR_MS
    return at.season.focus * _year_ahead(at) / (1.0 + years**MISSED)


def _season_away(at: Observation) -> float:
    return 0.0 if at.season is None else at.season.focus * (1.0 - _year_ahead(at))


def _year_ahead(at: Observation) -> float:
    """The share of the customer's purchasing time of a year that lies within the horizon, at most 1."""
    return min(1.0, at.own.horizon * at.model.process.unit_ms / YEAR_MS)


MISSED = 8
"""How sharply a season counts as missed a year after the last purchase: a quarter of a year earlier it counts
for nine tenths, a quarter later for one tenth."""
SILENCE, HISTORY = "SILENCE", "HISTORY"
"""Reasons: that nothing was bought, and who the customer is. The others are reason codes of the alert."""

OF_HABIT = (
    # log of days from the first to the last purchase
    Feature("span", 8, STANDS, HISTORY, lambda at: log1p(_span_days(at))),
    # log of repeat purchase days, and the mid-rank of their number in the population
    Feature("frequency", 9, STANDS, HISTORY, lambda at: log1p(at.features.frequency)),
    Feature("frequency_rank", 10, STANDS, HISTORY, _frequency_rank),
    # log of the mean gap in days
    Feature("pace", 13, STANDS, HISTORY, lambda at: math.log(_gap_days(at))),
)
"""The same for all customers with one number of purchase days and one span."""

OF_CUSTOMER = (
    # log of the mean money of a repeat purchase day, and its mid-rank
    Feature("monetary", 11, STANDS, HISTORY, lambda at: _money(at, at.features.monetary_minor)),
    Feature("monetary_rank", 12, STANDS, HISTORY, _monetary_rank),
    # log of the money of the first purchase day
    Feature("first_value", 16, STANDS, SILENCE, lambda at: _money(at, at.features.first_minor)),
    # log of the last gap over the mean gap
    Feature("momentum", 14, STANDS, SILENCE, _momentum),
    Feature("regularity", 15, STANDS, HISTORY, lambda at: at.features.regularity, joined=True),
    Feature("sentiment", 17, STANDS, "SENTIMENT_LOW", lambda at: at.features.sentiment, joined=True),
    Feature("returns", 18, STANDS, "RETURNS", lambda at: at.features.returns, joined=True),
    Feature("tickets", 19, STANDS, "TICKET_UNRESOLVED", lambda at: log1p(at.features.tickets)),
)
"""Fixed until the customer's next event."""

OF_SILENCE = (
    # log-odds of no purchase within the own horizon, by the purchase process; the same, tempered
    Feature("churn_logit", 0, RISES, SILENCE, lambda at: at.own.log_odds(at.silent_ms), ahead=True),
    Feature(
        "churn_tempered", 20, RISES, SILENCE, lambda at: tempered(at.own.log_odds(at.silent_ms)), ahead=True
    ),
    # log-odds of having left for good (MBG/NBD: after one purchase, too), tempered; as they are
    Feature("dead_tempered", 21, RISES, SILENCE, lambda at: tempered(at.own.left_log_odds(at.silent_ms))),
    Feature("dead_logit", 1, RISES, SILENCE, lambda at: at.own.left_log_odds(at.silent_ms)),
    # mid-rank of the days since the last purchase in the population; log of these days
    Feature("silence_rank", 4, RISES, SILENCE, _silence_rank),
    Feature("silence", 2, RISES, SILENCE, lambda at: log1p(at.silent_ms / DAY_MS)),
    # log of the silence over the mean gap
    Feature("lateness", 3, RISES, SILENCE, _lateness),
    # log of days since the first purchase
    Feature("age", 5, RISES, HISTORY, lambda at: log1p(at.silent_ms / DAY_MS + _span_days(at))),
)
"""Moved by silence, and the same for all customers of one habit."""

OF_SEASON = (
    # for customers who buy in few months: the share of their year that lies ahead, until a season was missed
    Feature("season_due", 22, FALLS, SILENCE, _season_due, ahead=True),
    # and the share that does not. Silence does not move it; as it does with a shorter horizon, the risk may
    # only rise with it
    Feature("season_away", 23, RISES, SILENCE, _season_away, ahead=True),
)
"""Changed by silence, and at borders of months; 0 by a model that knows no seasons."""

OF_FADING = (
    # log of decayed purchase days; log of decayed engagement
    Feature("recent", 6, FALLS, SILENCE, _recent),
    Feature("engagement", 7, FALLS, "FADING_ENGAGEMENT", _engagement),
)
"""The customer's own, forgotten with time."""

OVERDUE = Feature(
    # log-odds of having left for good, by the customer's own rhythm: even gaps make a silence tell sooner
    "overdue", 24, RISES, SILENCE,
    lambda at: overdue(rhythm_of(at.model, at.features, at.own), at.silent_ms),
)  # fmt: skip
"""Moved by silence, and the customer's own."""

FEATURES = (*OF_HABIT, *OF_CUSTOMER, *OF_SILENCE, *OF_SEASON, *OF_FADING, OVERDUE)
"""Every feature, in the order in which contributions are summed; it decides the last digits of every risk."""
COLUMNS = tuple(sorted(FEATURES, key=lambda feature: feature.column))
OF_HORIZON = tuple(feature for feature in COLUMNS if feature.ahead)
"""All that changes where a model looks less far ahead."""
NAMES = tuple(feature.name for feature in COLUMNS)
BY_NAME = {feature.name: feature for feature in FEATURES}
