"""Whose risk a model states: that of the learnt layer, of the purchase process alone, or the same for all.

What is learnt is used only where it is not worse than knowing nothing, by the newest look at customers that
it was not learnt on. The measure is the Brier score, and a difference whose 90% interval holds zero is noise.
Where few customers leave it to noise whether layer or process is better, the risk is half-way between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import expit

from stream.core.model.features import NAMES
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Numbers
from stream.fit.risk.training_set import TrainingRows, newest_look

RiskSource = Literal["layer", "half", "process", "constant"]
NAMES_OF: dict[RiskSource, str] = {
    "layer": "the learnt layer",
    "half": "the learnt layer and the purchase process, half of each",
    "process": "the purchase process alone",
    "constant": "one risk for everybody",
}
TOO_SHORT = (
    "Churn risk is that of the purchase process alone: the history is too short to learn more from, "
    "or too few customers bought again or left."
)
NOISE = 1.645
"""Standard errors by which one may be worse than a simpler one without being given up: a 90% interval."""
FEW = 1_000
"""Of so many customers on a look a layer that is no better than noise is used in full: what it has learnt
from at the split is more than it had by the look."""


class Adopted(NamedTuple):
    """What the risk is of, and why, in words."""

    basis: RiskSource
    words: str


def adopted(parts: Sequence[TrainingRows], layer: Numbers | None) -> Adopted:
    """Who states the risk. `layer`: the risks of the newest look by a layer that did not learn from it, shape
    (customers,); None where too few lessons were over by then, so that nothing shows what a layer is worth.
    """
    look = newest_look(parts)
    silent = look.silent.astype(np.float64)
    errors: dict[RiskSource, Numbers] = {}
    if layer is not None:
        errors["layer"] = (layer - silent) ** 2
    errors["process"] = (expit(look.features[:, NAMES.index("churn_logit")]) - silent) ** 2
    rate = _rate_before(parts, look)
    if rate is not None:
        errors["constant"] = (rate - silent) ** 2
    order = list(errors)
    basis = next(who for place, who in enumerate(order) if _holds(errors, who, order[place + 1 :]))
    if basis == "layer" and len(silent) < FEW and not _is_better(errors["layer"] - errors["process"]):
        basis = "half"
    return Adopted(basis, _words(basis, look, errors))


def _is_better(more: Numbers) -> bool:
    """Whether these differences of errors, shape (customers,), are below 0 by more than noise."""
    return float(more.mean()) < -NOISE * float(more.std()) / float(np.sqrt(len(more)))


def _holds(errors: dict[RiskSource, Numbers], who: RiskSource, simpler: Sequence[RiskSource]) -> bool:
    """Whether none of the simpler ones is better by more than noise."""
    for other in simpler:
        worse = errors[who] - errors[other]
        if worse.mean() > NOISE * worse.std() / np.sqrt(len(worse)):
            return False
    return True


def _rate_before(parts: Sequence[TrainingRows], look: TrainingRows) -> float | None:
    """The share of silent customers of the newest lesson of the same length that was over by the look."""
    length_ms = look.span_ms[1] - look.span_ms[0]
    over = [
        one for one in parts
        if one.span_ms[1] <= look.span_ms[0] and abs(one.span_ms[1] - one.span_ms[0] - length_ms) <= DAY_MS
    ]  # fmt: skip
    return float(newest_look(over).silent.mean()) if over and len(newest_look(over).silent) else None


def _words(basis: RiskSource, look: TrainingRows, errors: dict[RiskSource, Numbers]) -> str:
    day = datetime.fromtimestamp(look.span_ms[0] / 1_000, UTC).date()
    weeks = (look.span_ms[1] - look.span_ms[0]) / WEEK_MS
    each = ", ".join(f"{error.mean():.4f} of {NAMES_OF[who]}" for who, error in errors.items())
    untried = "" if "layer" in errors else " (a learnt layer could not be tried: too few lessons before it)"
    if basis == "half":
        untried = ": too few customers to tell which of the two is better"
    return (
        f"Churn risk is that of {NAMES_OF[basis]}. On the newest look that was not learnt from "
        f"({len(look.silent):,} customers as of {day}, {weeks:.0f} weeks) the error (Brier) was "
        f"{each}{untried}."
    )
