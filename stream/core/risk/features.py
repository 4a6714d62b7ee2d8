"""What the risk model looks at, of one customer at one instant."""

from __future__ import annotations

import math

from msgspec import Struct

from stream.core.facts.decay import BASKET_HALF_LIFE_MS, WARMTH_HALF_LIFE_MS
from stream.core.model.feature_names import NAMES
from stream.core.model.record import Model
from stream.core.risk.inactivity import Silence, silence, tempered
from stream.core.units import DAY_MS


class Features(Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one customer at the last event; whatever is unknown keeps its neutral default."""

    frequency: int
    """x: distinct purchase days after the first."""
    first_ms: int
    last_ms: int
    monetary_minor: float = 0.0
    """Mean money of a repeat purchase day; 0 while there is none."""
    first_minor: float = 0.0
    """Money of the first purchase day."""
    last_gap_ms: int = 0
    """Between the last two purchase days; 0: unknown."""
    regularity: float = 0.0
    """Standard deviation of the gaps over their mean: 0 is a clock, or unknown."""
    recent: float = 0.0
    """Purchases, decayed to `last_ms` (half-life 90 days)."""
    engagement: float = 0.0
    """Engagement events decayed to `engagement_ms` (half-life 30 days)."""
    engagement_ms: int = 0
    sentiment: float = 0.0
    """Mean sentiment of feedback, -1 to 1; 0: none."""
    returns: float = 0.0
    """Share of spent money that was refunded."""
    tickets: float = 0.0
    """Open tickets and complaints."""


def own_silence(model: Model, features: Features) -> Silence:
    return silence(model, features.frequency, features.last_ms - features.first_ms)


def observe(model: Model, features: Features, as_of_ms: int) -> list[float]:
    """Every feature of one customer at one instant, in the order of NAMES."""
    observed = _moving(model, features, as_of_ms)
    process, population = model.process, model.population
    x = features.frequency
    span_days = (features.last_ms - features.first_ms) / DAY_MS
    gap_days = own_silence(model, features).gap * process.unit_ms / DAY_MS
    observed[8] = math.log1p(span_days)
    observed[9] = math.log1p(x)
    observed[10] = population.frequency.rank(x)
    observed[11] = math.log1p(max(0.0, features.monetary_minor) / model.spend.scale_minor)
    observed[12] = population.monetary_minor.rank(features.monetary_minor)
    observed[13] = math.log(gap_days)
    if features.last_gap_ms > 0:
        observed[14] = math.log(features.last_gap_ms / DAY_MS / gap_days)
    observed[15] = features.regularity
    observed[16] = math.log1p(max(0.0, features.first_minor) / model.spend.scale_minor)
    observed[17] = features.sentiment
    observed[18] = features.returns
    observed[19] = math.log1p(features.tickets)
    return observed


def _moving(model: Model, features: Features, as_of_ms: int) -> list[float]:
    """The features that silence moves; the others are left 0."""
    own, silent_ms = own_silence(model, features), max(0, as_of_ms - features.last_ms)
    silent_days = silent_ms / DAY_MS
    observed = [0.0] * len(NAMES)
    observed[0] = own.log_odds(silent_ms)
    observed[1] = own.left_log_odds(silent_ms)
    observed[20], observed[21] = tempered(observed[0]), tempered(observed[1])
    observed[2] = math.log1p(silent_days)
    observed[3] = math.log1p(silent_ms / model.process.unit_ms / own.gap)
    observed[4] = model.population.inactive_days.rank(silent_days)
    observed[5] = math.log1p(silent_days + (features.last_ms - features.first_ms) / DAY_MS)
    observed[6] = math.log1p(features.recent * 0.5 ** (silent_ms / BASKET_HALF_LIFE_MS))
    if features.engagement > 0.0:
        age_ms = max(0, as_of_ms - features.engagement_ms)
        observed[7] = math.log1p(features.engagement * 0.5 ** (age_ms / WARMTH_HALF_LIFE_MS))
    return observed
