"""The structs of the model record: every fact about the population that a judgement may use.

A model is fitted offline, published as one JSON document and never changed; its version is the hash of its
content (document.py). Money is in minor units. Nothing here looks at one customer.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from stream.core.events.payload import Currency
from stream.core.model.pace import Further, Trend, Wander
from stream.core.model.part import ModelPart, Positive
from stream.core.units import WEEK_MS, YEAR_MS, Share


class PurchaseProcess(ModelPart, frozen=True):
    """BG/NBD or MBG/NBD (value/clv.py): when customers buy, and when they leave for good.

    A customer buys at a rate that is gamma(r, alpha) distributed over customers, per `unit_ms`, and leaves
    after a purchase with a probability that is beta(a, b) distributed.
    """

    kind: Literal["bgnbd", "mbgnbd"]
    r: Positive
    alpha: Positive
    a: Positive
    b: Positive
    unit_ms: Annotated[int, Meta(gt=0)] = WEEK_MS


class Spend(ModelPart, frozen=True):
    """Gamma-Gamma: the money of one purchase. Money here is in units of `scale_minor` (100: dollars)."""

    p: Positive
    q: Positive
    v: Positive
    scale_minor: Annotated[int, Meta(gt=0)] = 100


class Horizon(ModelPart, frozen=True):
    """Length of a customer's own horizon: `factor` of their mean gaps, within bounds; equal bounds fix it."""

    factor: Positive = 2.0
    min_ms: Annotated[int, Meta(gt=0)] = WEEK_MS
    max_ms: Annotated[int, Meta(gt=0)] = YEAR_MS


class MidRanks(ModelPart, frozen=True):
    """A distribution by mid-ranks: `ranks[i]` is the share below `values[i]` plus half the share equal to
    it."""

    values: tuple[float, ...]
    ranks: tuple[Share, ...]

    def rank(self, value: float) -> float:
        """The mid-rank of a value, 0 to 1, interpolated linearly between the known values."""
        values, ranks = self.values, self.ranks
        above = bisect_left(values, value)
        if above == len(values):
            return ranks[-1]
        if above == 0 or values[above] == value:
            return ranks[above]
        low = values[above - 1]
        share = (value - low) / (values[above] - low)
        return ranks[above - 1] + share * (ranks[above] - ranks[above - 1])

    def quintile(self, value: float) -> int:
        """The fifth of the population to which a value belongs, 1 (lowest) to 5 (highest)."""
        return min(5, 1 + int(5.0 * self.rank(value)))


class Population(ModelPart, frozen=True):
    """Distributions over all customers, for the scores of RFM and the cut-offs of the tiers."""

    customers: Annotated[int, Meta(ge=1)]
    inactive_days: MidRanks
    frequency: MidRanks
    monetary_minor: MidRanks
    value_quantiles: tuple[float, ...]
    """101 percentiles, 0 to 100, of the decayed value in minor units."""

    def value_percentile(self, decayed_value_minor: float) -> float:
        """Share of the population (0 to 1) whose decayed value is not above this one."""
        quantiles = self.value_quantiles
        return min(100, bisect_right(quantiles, decayed_value_minor)) / 100.0


class Prior(ModelPart, frozen=True):
    """What to expect of a new customer."""

    repeat_share: Share
    """Share of customers who ever came back."""
    gap_days: Positive
    """Median days between two purchases of one customer."""
    first_value_minor: Annotated[float, Meta(ge=0)]
    """Mean money of a first purchase."""


class Term(ModelPart, frozen=True):
    """One feature's part of the log-odds of churn: weight * (feature - centre) / scale."""

    feature: str
    weight: float
    centre: float = 0.0
    scale: Positive = 1.0
    low: float | UnsetType = UNSET
    """The least value of the feature that the lessons had: a lower one counts as this. Unset: without end."""
    high: float | UnsetType = UNSET
    """The greatest one: a greater one counts as this."""

    @property
    def held(self) -> tuple[float, float]:
        """Between which values the feature is held; infinite where it is not."""
        return (
            -math.inf if self.low is UNSET else self.low,
            math.inf if self.high is UNSET else self.high,
        )


class RiskSegment(ModelPart, frozen=True):
    """The logistic regression for customers with at least `frequency_min` repeat purchase days."""

    frequency_min: Annotated[int, Meta(ge=0)]
    intercept: float
    terms: tuple[Term, ...]


class RiskLayer(ModelPart, frozen=True):
    """The learnt layer of churn risk. Segments are in order of `frequency_min`, which begins at 0."""

    segments: Annotated[tuple[RiskSegment, ...], Meta(min_length=1)]
    learnt: str
    """Plain words: from which dates, horizon and how many customers this was learnt."""


class Thresholds(ModelPart, frozen=True):
    """Churn risks at which alerts are raised and cleared, learnt for a precision or an alert budget."""

    raise_at: Annotated[float, Meta(gt=0, lt=1)]
    clear_at: Annotated[float, Meta(gt=0, lt=1)]
    learnt: str
    promised: Share | UnsetType = UNSET
    """The share of alerts of churn_risk that will be right: by what became of those that would have been
    raised in past windows as long as a horizon."""
    promised_95: tuple[Share, Share] | UnsetType = UNSET
    """Its 95% interval."""
    promised_at_start: Share | UnsetType = UNSET
    """The share among customers who stand above the level when it comes into force."""
    promised_later: Share | UnsetType = UNSET
    """The share among those who reach it later."""
    promised_loyal: Share | UnsetType = UNSET
    """The share of alerts of at_risk_loyal, as far as customers drift away."""


class UpgradeLevel(ModelPart, frozen=True):
    """The score at which an upgrade opportunity is raised, learnt so that few customers a month have one."""

    raise_at: Annotated[float, Meta(gt=0, le=1)]
    learnt: str
    """Plain words: from what, and how many alerts a month that makes."""
    promised: Share | UnsetType = UNSET
    """The share of such alerts whose customer will reach the next tier, by what became of past ones."""
    promised_95: tuple[Share, Share] | UnsetType = UNSET
    """Its 95% interval."""
    within_ms: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    """Within which time of the alert."""


class Retention(ModelPart, frozen=True):
    """Retention by the shifted-beta-geometric model (Fader & Hardie 2007).

    The probability to leave in a period is beta(alpha, beta) distributed over customers.
    """

    alpha: Positive
    beta: Positive
    period_ms: Annotated[int, Meta(gt=0)] = YEAR_MS


class BuyerKind(ModelPart, frozen=True):
    """Customers whose purchases are spread over the year in one way: all year, or before Christmas only."""

    share: Positive
    """Of all customers, 0 to 1."""
    months: tuple[Positive, ...]
    """Share of a year's purchases in each month of the year, January first; their sum is 1."""


class Seasons(ModelPart, frozen=True, eq=False):
    """When in the year customers buy, by kinds; which kind a customer is, their own months tell."""

    kinds: Annotated[tuple[BuyerKind, ...], Meta(min_length=1)]
    learnt: str
    """Plain words: from how many customers and seasons this was learnt."""


class Evenness(ModelPart, frozen=True):
    """How even the gaps between a customer's purchases are: their shape k is gamma distributed over customers
    (model/evenness.py). 1 is chance, 225 is every 30 days give or take 2.
    """

    shape: Positive
    rate: Positive


class GridTable(ModelPart, frozen=True):
    """Discounted purchases of a customer who has not left, over frequency x and age T (value/lifetime.py).

    `rows`, one per frequency: the logarithm of the purchases over their naive number, which is the buying
    rate (r + x) / (alpha + T) times the discounted span, at equal steps of log(alpha + T).
    """

    horizon_ms: int | None
    """None: without a horizon."""
    annual_discount: Annotated[float, Meta(ge=0)]
    frequencies: tuple[int, ...]
    log_age_start: float
    log_age_step: Positive
    rows: tuple[tuple[float, ...], ...]


class Model(ModelPart, frozen=True, omit_defaults=True, eq=False):
    """One fitted population. The version is the hash of all other fields: equal versions judge alike."""

    name: str
    source: str
    """Plain words: the data it was fitted on."""
    fitted_at_ms: int
    """Midnight of the last day that was learnt from, as the clock of the business showed it."""
    currency: Currency
    process: PurchaseProcess
    spend: Spend
    population: Population
    prior: Prior
    horizon: Horizon = Horizon()
    risk: RiskLayer | None = None
    risk_of: str = ""
    """Plain words: whose risk this is (of a learnt layer, of the purchase process, one for all), and why."""
    thresholds: Thresholds | None = None
    retention: Retention | None = None
    tables: tuple[GridTable, ...] = ()
    evenness: Evenness | None = None
    """None: not known; every customer's gaps are taken for chance. Always None in a model with seasons."""
    notes: tuple[str, ...] = ()
    """Warnings of the fit, in plain words: fallbacks taken, small samples, unmet assumptions."""
    seasons: Seasons | None = None
    """None: every month is like any other."""
    upgrade: UpgradeLevel | None = None
    """None: upgrade opportunities are raised at the score of the policy."""
    trend: Trend | None = None
    """None: customers buy at the pace of their life so far."""
    wander: Wander | None = None
    """None: nobody's pace changes; ranges of value are those of the purchase process."""
    further: Further | None = None
    """None: purchases after the next one come as the process says. Only in a model with seasons."""
    version: str = ""
