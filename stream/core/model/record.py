"""The versioned model record: every fact about the population that a judgement may use.

A model is fitted offline, published as one JSON document and never changed: its version is the hash of its
content. Rates are per `unit_ms`; money is in minor units; nothing here looks at one customer.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from stream.core.events.payload import Currency
from stream.core.model.feature_names import SILENCE, STANDS
from stream.core.units import WEEK_MS, YEAR_MS, Share

Positive = Annotated[float, Meta(gt=0)]


class ModelError(ValueError):
    """The document is not a usable model; the message names the field."""


class _ModelPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of a part of the model: a misspelt field is an error, not a default."""


class PurchaseProcess(_ModelPart, frozen=True):
    """BG/NBD or MBG/NBD: buying at a gamma(r, alpha) rate, leaving after a purchase by chance beta(a, b)."""

    kind: Literal["bgnbd", "mbgnbd"]
    r: Positive
    alpha: Positive
    a: Positive
    b: Positive
    unit_ms: Annotated[int, Meta(gt=0)] = WEEK_MS


class Spend(_ModelPart, frozen=True):
    """Gamma-Gamma: the money of one purchase; `v` counts units of `scale_minor` (100: dollars)."""

    p: Positive
    q: Positive
    v: Positive
    scale_minor: Annotated[int, Meta(gt=0)] = 100


class Horizon(_ModelPart, frozen=True):
    """How far a customer's own horizon reaches: `factor` mean gaps, within bounds; equal bounds fix it."""

    factor: Positive = 2.0
    min_ms: Annotated[int, Meta(gt=0)] = WEEK_MS
    max_ms: Annotated[int, Meta(gt=0)] = YEAR_MS


class MidRanks(_ModelPart, frozen=True):
    """A distribution as knots: `ranks[i]` is the share below `values[i]` plus half the share equal to it."""

    values: tuple[float, ...]
    ranks: tuple[Share, ...]

    def rank(self, value: float) -> float:
        """The mid-rank of a value, 0 to 1, linear between the knots; ties share one rank."""
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
        """1 (lowest) to 5 (highest) fifth of the population."""
        return min(5, 1 + int(5.0 * self.rank(value)))


class Population(_ModelPart, frozen=True):
    """Where one customer stands among all: the cut-offs of RFM and of the tiers."""

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


class Prior(_ModelPart, frozen=True):
    """What is expected of a customer about whom nothing is known yet."""

    repeat_share: Share
    """Share of customers who ever came back."""
    gap_days: Positive
    """Median days between two purchases of one customer."""
    first_value_minor: Annotated[float, Meta(ge=0)]
    """Mean money of a first purchase."""


class Term(_ModelPart, frozen=True):
    """One feature of the risk layer: its weight is per `scale` of the feature, measured from `centre`."""

    feature: str
    weight: float
    centre: float = 0.0
    scale: Positive = 1.0


class RiskSegment(_ModelPart, frozen=True):
    """The logistic layer for customers with at least `frequency_min` repeat purchases."""

    frequency_min: Annotated[int, Meta(ge=0)]
    intercept: float
    terms: tuple[Term, ...]


class RiskLayer(_ModelPart, frozen=True):
    """Calibrated churn risk learnt on an inner split; segments rise by `frequency_min`, the first is 0."""

    segments: Annotated[tuple[RiskSegment, ...], Meta(min_length=1)]
    learnt: str
    """Plain words: from which dates, horizon and how many customers this was learnt."""


class Thresholds(_ModelPart, frozen=True):
    """Scores at which churn risk is raised and cleared, learnt for a wanted precision or alert budget."""

    raise_at: Annotated[float, Meta(gt=0, lt=1)]
    clear_at: Annotated[float, Meta(gt=0, lt=1)]
    learnt: str


class Retention(_ModelPart, frozen=True):
    """Shifted-beta-geometric yearly retention: the chance to leave in a period is beta(alpha, beta)."""

    alpha: Positive
    beta: Positive
    period_ms: Annotated[int, Meta(gt=0)] = YEAR_MS


class Table(_ModelPart, frozen=True):
    """log(g / naive) of one hard function g(x, T) on a grid of x and log(alpha + T) (value/clv.py)."""

    horizon_ms: int | None
    """None: without end."""
    annual_discount: Annotated[float, Meta(ge=0)]
    frequencies: tuple[int, ...]
    log_age_start: float
    log_age_step: Positive
    rows: tuple[tuple[float, ...], ...]


class Model(_ModelPart, frozen=True, omit_defaults=True, eq=False):
    """One fitted population. Its version is the hash of everything else: equal versions judge alike."""

    name: str
    source: str
    """Plain words: the data it was fitted on."""
    fitted_at_ms: int
    currency: Currency
    process: PurchaseProcess
    spend: Spend
    population: Population
    prior: Prior
    horizon: Horizon = Horizon()
    risk: RiskLayer | None = None
    thresholds: Thresholds | None = None
    retention: Retention | None = None
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    """Warnings of the fit, in plain words: fallbacks taken, small samples, unmet assumptions."""
    version: str = ""


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Model)


def content_version(model: Model) -> str:
    """The first 16 hex digits of the SHA-256 of the model without its version."""
    return hashlib.sha256(_ENCODER.encode(msgspec.structs.replace(model, version=""))).hexdigest()[:16]


def sealed(model: Model) -> Model:
    """The model with its version filled in; an unusable model raises ModelError."""
    check(model)
    as_read = _DECODER.decode(_ENCODER.encode(model))  # an int in a float's place hashes differently
    return msgspec.structs.replace(as_read, version=content_version(as_read))


def encode_model(model: Model) -> bytes:
    """The model as compact JSON: the bytes that are published."""
    return _ENCODER.encode(model)


def decode_model(content: bytes | msgspec.Raw) -> Model:
    """The model in these bytes, checked; ModelError says what is wrong and where."""
    try:
        model = _DECODER.decode(content)
    except msgspec.MsgspecError as error:
        raise ModelError(f"not a model: {error}") from None
    check(model)
    version = content_version(model)
    if model.version not in ("", version):
        raise ModelError(
            f"version is {model.version!r}, but the content hashes to {version!r}: it was edited"
        )
    return model if model.version else msgspec.structs.replace(model, version=version)


SENSIBLE = {
    "process": {**dict.fromkeys(("r", "alpha", "a", "b"), (1e-6, 1e9)), "unit_ms": (60_000, YEAR_MS)},
    "spend": {**dict.fromkeys(("p", "q", "v"), (1e-6, 1e9)), "scale_minor": (1, 1e6)},
    "prior": {"gap_days": (1e-3, 1e5), "first_value_minor": (0.0, 2.0**53)},
    "horizon": {"factor": (1e-3, 1e3), "min_ms": (1, 100 * YEAR_MS), "max_ms": (1, 100 * YEAR_MS)},
    "retention": dict.fromkeys(("alpha", "beta"), (1e-6, 1e9)),
}
"""What a fit may come to, and far beyond: more extreme numbers overflow in a judgement, or take minutes."""
LOG_ODDS_MAX = 1e6


def check(model: Model) -> None:
    """Raise ModelError on what the types alone cannot hold."""
    _check_finite(msgspec.to_builtins(model), "model")
    for part, bounds in SENSIBLE.items():
        for name, (low, high) in bounds.items() if getattr(model, part) is not None else ():
            value = getattr(getattr(model, part), name)
            _require(low <= value <= high, f"{part}.{name}: {value:g} is not from {low:g} to {high:g}")
    population = model.population
    for name in ("inactive_days", "frequency", "monetary_minor"):
        ranks: MidRanks = getattr(population, name)
        _require(
            len(ranks.values) == len(ranks.ranks) > 0, f"population.{name}: values and ranks must pair up"
        )
        rising = all(a < b for a, b in zip(ranks.values, ranks.values[1:], strict=False))
        _require(rising and _sorted(ranks.ranks), f"population.{name}: values and ranks must rise")
    quantiles = population.value_quantiles
    _require(len(quantiles) == 101, f"population.value_quantiles: 101 percentiles, not {len(quantiles)}")
    _require(_sorted(quantiles), "population.value_quantiles: must not fall")
    _require(model.spend.q > 1.0, "spend.q: must be above 1, or the mean spend of a new customer is infinite")
    _require(model.horizon.min_ms <= model.horizon.max_ms, "horizon: min_ms is above max_ms")
    if model.thresholds is not None:
        _require(
            model.thresholds.clear_at <= model.thresholds.raise_at,
            "thresholds: clear_at must not be above raise_at",
        )
    if model.risk is not None:
        lows = [segment.frequency_min for segment in model.risk.segments]
        _require(lows[0] == 0 and lows == sorted(set(lows)), "risk.segments: frequency_min must rise from 0")
        for term in (term for segment in model.risk.segments for term in segment.terms):
            _require(term.feature in SILENCE, f"risk.segments: {term.feature!r} is no feature")
            most = max(abs(term.weight / term.scale), abs(term.centre))
            _require(most <= LOG_ODDS_MAX, f"risk.segments: {term.feature} weighs too much, or too far away")
            _require(
                term.weight * SILENCE[term.feature] >= 0.0 or SILENCE[term.feature] == STANDS,
                f"risk.segments: with this weight on {term.feature} silence would lower the risk",
            )
    for table in model.tables:
        width = len(table.rows[0]) if table.rows else 0
        even = width >= 4 and all(len(row) == width for row in table.rows)
        _require(even and len(table.rows) == len(table.frequencies), "tables: rows must match frequencies")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ModelError(message)


def _sorted(values: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in pairwise(values))


def _check_finite(value: Any, path: str) -> None:
    if isinstance(value, float):
        _require(math.isfinite(value), f"{path}: {value} is not a finite number")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_finite(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            _check_finite(inner, f"{path}[{place}]")
