"""The model as a JSON document: checked, encoded, and versioned by the hash of its content."""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise
from typing import Any

import msgspec

from stream.core.model.features import BY_NAME, OVERDUE
from stream.core.model.pace import Further
from stream.core.model.record import (
    GridTable,
    MidRanks,
    Model,
    Population,
    RiskLayer,
    Seasons,
    Term,
)
from stream.core.units import MONTHS_OF_YEAR, YEAR_MS


class ModelError(ValueError):
    """The document is not a usable model; the message names the field."""


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Model)


def content_version(model: Model) -> str:
    """The first 16 hex digits of the SHA-256 of the model without its version."""
    return hashlib.sha256(_ENCODER.encode(msgspec.structs.replace(model, version=""))).hexdigest()[:16]


def sealed(model: Model) -> Model:
    """The model with its version filled in; an unusable model raises ModelError."""
    check_model(model)
    as_read = _DECODER.decode(_ENCODER.encode(model))  # an int in a float's place hashes differently
    return msgspec.structs.replace(as_read, version=content_version(as_read))


def encode_model(model: Model) -> bytes:
    """The model as compact JSON: the bytes that are published."""
    return _ENCODER.encode(model)


def decode_model(content: bytes | msgspec.Raw) -> Model:
    """The model in these bytes, checked; ModelError says what is wrong and where."""
    try:
        model = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"not a model: {error}") from None
    check_model(model)
    version = content_version(model)
    if model.version not in ("", version):
        raise ModelError(
            f"version is {model.version!r}, but the content hashes to {version!r}: it was edited"
        )
    return model if model.version else msgspec.structs.replace(model, version=version)


BOUNDS: dict[str, dict[str, tuple[float, float]]] = {
    "process": {
        **dict.fromkeys(("r", "alpha"), (1e-6, 1e9)),
        **dict.fromkeys(("a", "b"), (1e-4, 1e9)),
        "unit_ms": (60_000, YEAR_MS),
    },
    "spend": {**dict.fromkeys(("p", "q"), (1e-6, 1e9)), "v": (1e-6, 1e13), "scale_minor": (1, 1e6)},
    "prior": {"gap_days": (1e-3, 1e5), "first_value_minor": (0.0, 2.0**53)},
    "horizon": {"factor": (1e-3, 1e3), "min_ms": (1, 100 * YEAR_MS), "max_ms": (1, 100 * YEAR_MS)},
    "evenness": dict.fromkeys(("shape", "rate"), (1e-6, 1e6)),
    "trend": {"level": (-2.0, 2.0), "slope": (-3.0, 3.0), "ahead_max_ms": (1, 100 * YEAR_MS)},
    "further": {"ahead_max_ms": (1, 100 * YEAR_MS)},
    "wander": {"per_year": (1e-6, 10.0)},
    "retention": dict.fromkeys(("alpha", "beta"), (1e-6, 1e9)),
}
"""Far wider than any fit has come to; a fit itself keeps a and b from 1e-4 to 1e4. Beyond, a judgement would
overflow, or the tables of a model that brings none would take hours."""
KINDS_MAX = 16
"""Kinds of buyers: a judgement looks at each of them."""
SUM_SLACK = 1e-6
"""So far may shares that make up a whole be from 1."""
LOG_MAX = 100.0
"""Of a logarithm in a table: e ** 100 purchases are more than any."""
LOG_ODDS_MAX = 1e6
"""Of a weight per unit of its feature, and of a centre: with 25 features no sum of them overflows."""


def check_model(model: Model) -> None:
    """Raise ModelError for what the types alone cannot rule out; the message names the field."""
    _check_finite(msgspec.to_builtins(model), "model")
    for part, bounds in BOUNDS.items():
        for name, (low, high) in bounds.items() if getattr(model, part) is not None else ():
            value = getattr(getattr(model, part), name)
            _require(low <= value <= high, f"{part}.{name}: {value:g} is not from {low:g} to {high:g}")
    _check_population(model.population)
    _require(model.spend.q > 1.0, "spend.q: must be above 1, or the mean spend of a new customer is infinite")
    _require(model.horizon.min_ms <= model.horizon.max_ms, "horizon: min_ms is above max_ms")
    if model.thresholds is not None:
        _require(
            model.thresholds.clear_at <= model.thresholds.raise_at,
            "thresholds: clear_at must not be above raise_at",
        )
    if model.risk is not None:
        _check_risk(model.risk)
    if model.seasons is not None:
        _check_seasons(model.seasons)
        _check_no_rhythm(model)
    if model.further is not None:
        _check_further(model.further, model.seasons)
    for table in model.tables:
        _check_table(table)


def _check_table(table: GridTable) -> None:
    """The interpolation takes four rows and four columns, and exponents of what they hold."""
    width = len(table.rows[0]) if table.rows else 0
    even = width >= 4 and all(len(row) == width for row in table.rows)
    _require(even and len(table.rows) == len(table.frequencies), "tables: rows must match frequencies")
    rising = all(a < b for a, b in pairwise(table.frequencies))
    _require(
        len(table.rows) >= 4 and rising and table.frequencies[0] == 0,
        "tables: frequencies must rise from 0, four at least",
    )
    numbers = (table.log_age_start, *(value for row in table.rows for value in row))
    _require(max(map(abs, numbers)) <= LOG_MAX, f"tables: a logarithm is beyond {LOG_MAX:g}")
    _require(1e-6 <= table.log_age_step <= LOG_MAX, "tables.log_age_step: must be from 1e-06 to 100")


def _check_population(population: Population) -> None:
    for name in ("inactive_days", "frequency", "monetary_minor"):
        ranks: MidRanks = getattr(population, name)
        _require(
            len(ranks.values) == len(ranks.ranks) > 0, f"population.{name}: values and ranks must pair up"
        )
        rising = all(a < b for a, b in pairwise(ranks.values))
        _require(rising and _sorted(ranks.ranks), f"population.{name}: values and ranks must rise")
    quantiles = population.value_quantiles
    _require(len(quantiles) == 101, f"population.value_quantiles: 101 percentiles, not {len(quantiles)}")
    _require(_sorted(quantiles), "population.value_quantiles: must not fall")


def _check_risk(layer: RiskLayer) -> None:
    """Every term weighs a known feature, and none lets silence lower the risk."""
    lows = [segment.frequency_min for segment in layer.segments]
    _require(lows[0] == 0 and lows == sorted(set(lows)), "risk.segments: frequency_min must rise from 0")
    most = max(abs(segment.intercept) for segment in layer.segments)
    _require(most <= LOG_ODDS_MAX, "risk.segments: an intercept is too large")
    for segment in layer.segments:
        for term in segment.terms:
            others = {one.held for one in segment.terms if one.feature == term.feature}
            _check_term(term, others)


def _check_term(term: Term, ranges: set[tuple[float, float]]) -> None:
    """`ranges`: to which values all terms of this feature in the same segment are held."""
    _require(term.feature in BY_NAME, f"risk.segments: {term.feature!r} is no feature")
    most = max(abs(term.weight / term.scale), abs(term.centre))
    _require(most <= LOG_ODDS_MAX, f"risk.segments: {term.feature} weighs too much, or too far away")
    _require(ranges == {term.held}, f"risk.segments: {term.feature} is held to two ranges")
    _require(term.held[0] <= term.held[1], f"risk.segments: {term.feature} is held to no value")
    _require(
        term.weight * BY_NAME[term.feature].silence >= 0.0,
        f"risk.segments: with this weight on {term.feature} silence would lower the risk",
    )


def _check_seasons(seasons: Seasons) -> None:
    """Every kind has twelve months, and shares make up wholes."""
    kinds = seasons.kinds
    _require(
        len(kinds) <= KINDS_MAX, f"seasons.kinds: {len(kinds)}, and at most {KINDS_MAX} can be told apart"
    )
    _require(
        abs(math.fsum(kind.share for kind in kinds) - 1.0) <= SUM_SLACK,
        "seasons.kinds: shares must add up to 1",
    )
    for kind in kinds:
        twelve = len(kind.months) == MONTHS_OF_YEAR
        _require(twelve, f"seasons.kinds: {MONTHS_OF_YEAR} months are needed, not {len(kind.months)}")
        whole = abs(math.fsum(kind.months) - 1.0) <= SUM_SLACK
        _require(
            whole and min(kind.months) >= 1e-9, "seasons.kinds: months must add up to 1, each above 1e-09"
        )


def _check_further(further: Further, seasons: Seasons | None) -> None:
    """A line for each kind of buyers."""
    kinds = 0 if seasons is None else len(seasons.kinds)
    for name in ("levels", "slopes"):
        numbers = getattr(further, name)
        _require(len(numbers) == kinds, f"further.{name}: {len(numbers)} for {kinds} kinds of buyers")
        _require(max(map(abs, numbers)) <= 10.0, f"further.{name}: one is not from -10 to 10")


def _check_no_rhythm(model: Model) -> None:
    """A rhythm is of gaps by the calendar, and seasons measure silence by another clock."""
    terms = [term for segment in (model.risk.segments if model.risk else ()) for term in segment.terms]
    weighed = any(term.feature == OVERDUE.name for term in terms)
    _require(model.evenness is None, "evenness: must be missing in a model with seasons")
    _require(not weighed, f"risk.segments: {OVERDUE.name} cannot be weighed in a model with seasons")


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
