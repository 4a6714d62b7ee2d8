"""One split of one log: the product beside who knows nothing, with the loss told from chance or not.

A rival of the error (Brier score) knows only what was known at the split: the purchase process alone, the
constant (the share of customers who bought nothing after the newest complete look), and bins (that share by
tenths of the simple rule that fitted that look best). A rival of the ranking (AUC) is the best of the simple
rules on the outcome itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from bench.right.logs import Folded, Split, complete_look_ms
from stream.analysis.fit_recording import horizon_of
from stream.analysis.statistics.scoring import BINS, auc, baselines
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Flags, Numbers
from stream.fit.coverage import day
from stream.fit.history import History, Snapshot
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.fit.risk.risk_layer import churn_risks, process_log_odds
from stream.fit.risk.training_set import feature_matrix
from stream.model_file import default_model

MARGIN = 0.002
"""A loss of no more than this is none."""
RATE_MAX = 0.99
"""Where a larger share, or less than the rest of it, churned, the ranking is not judged."""
HISTORY_MIN = 1.0 / 3.0
"""Share of the history before a split that lies before its newest complete look, at least."""
RESAMPLES = 400
SEED = 2_026


class Loss(NamedTuple):
    """Product less rival where less is better: the Brier scores' difference, or the AUCs' turned round."""

    rival: str
    difference: float
    low: float
    high: float
    """90% interval by a paired bootstrap over customers."""

    @property
    def is_one(self) -> bool:
        """Whether the product is worse than the margin allows, and not by chance."""
        return self.difference > MARGIN and self.low > 0.0


class Row(NamedTuple):
    """One split; an error is None where there was no complete look to learn it from."""

    log: str
    split: str
    weeks: float
    customers: int
    rate: float
    brier: dict[str, float | None]
    auc: dict[str, float | None]
    lost_brier: Loss
    lost_auc: Loss | None
    mean_risk: float
    basis: str
    """What the model says its risk is of."""


def row_of(name: str, log: Folded, split: Split) -> Row:
    """The row of a split; UnfitError where nothing can be fitted."""
    known = known_at(log.history, split)
    options = FitOptions("right", name, horizon_of(split.horizon_ms), finance=Policy().finance)
    model = fit_model(known, split.day_ms, options, default_model())
    snapshot = known.snapshots[split.day_ms].ranked_in(model.currency)
    if split.first_by_ms is not None:
        snapshot = snapshot.only(snapshot.column("first_ms") <= split.first_by_ms)
    churned = log.history.silent(snapshot, split.horizon_ms)
    process = expit(process_log_odds(feature_matrix(model, snapshot)))
    risks = {"product": churn_risks(model, snapshot), "process": process, **_learnt(known, snapshot, split)}
    errors = {who: (risk - churned) ** 2 for who, risk in risks.items()}
    rivals = {**rules_of(snapshot), "process": process}
    ranks = {who: auc(score, churned) for who, score in {"product": risks["product"], **rivals}.items()}
    best = min((who for who in errors if who != "product"), key=lambda who: float(errors[who].mean()))
    briers = {who: float(error.mean()) for who, error in errors.items()}
    return Row(
        name, day(split.day_ms), split.horizon_ms / WEEK_MS, len(churned), float(churned.mean()),
        {who: briers.get(who) for who in ("product", "process", "constant", "bins")},
        ranks,
        _lost_brier(best, errors["product"] - errors[best]),
        _lost_auc(risks["product"], rivals, churned),
        float(risks["product"].mean()),
        model.risk.learnt if model.risk else "the purchase process alone",
    )  # fmt: skip


def known_at(history: History, split: Split) -> History:
    """The history as it was known at the end of the split's day, with the snapshots that a fit needs."""
    until_ms = split.day_ms + DAY_MS - 1
    orders = {
        customer: {order: at_ms for order, at_ms in orders.items() if at_ms <= until_ms}
        for customer, orders in history.orders.items()
    }
    days = {*snapshot_days(history.first_ms, split.day_ms, horizon_of(split.horizon_ms))}
    look_ms = complete_look_ms(split)
    if look_ms - history.first_ms >= HISTORY_MIN * (split.day_ms - history.first_ms):
        days.add(look_ms)
    return replace(history, orders=orders, snapshots={one: history.snapshots[one] for one in sorted(days)})


def rules_of(snapshot: Snapshot) -> dict[str, Numbers]:
    """Simple scores, high for churn, each of shape (customers,)."""
    total = snapshot.total_minor
    rules = baselines(snapshot.inactive_days, snapshot.column("frequency"), total)
    return {"monetary": -total, **rules}


def _learnt(known: History, snapshot: Snapshot, split: Split) -> dict[str, Numbers]:
    """The risks of all customers by the constant and by bins; none without a complete look."""
    look = known.snapshots.get(complete_look_ms(split))
    if look is None or not look.customers:
        return {}
    silent = known.silent(look, split.horizon_ms).astype(np.float64)
    now, learnt = rules_of(snapshot), {}
    for rule, score in rules_of(look).items():
        edges = np.unique(np.quantile(score, np.linspace(0.0, 1.0, BINS + 1)[1:-1]))
        then, places = (np.searchsorted(edges, one, side="right") for one in (score, now[rule]))
        shares = np.array([
            silent[then == place].mean() if (then == place).any() else silent.mean()
            for place in range(len(edges) + 1)
        ])  # fmt: skip
        learnt[float(((shares[then] - silent) ** 2).mean())] = shares[places]
    return {"constant": np.full(len(snapshot.customers), silent.mean()), "bins": learnt[min(learnt)]}


def _lost_brier(rival: str, differences: Numbers) -> Loss:
    draw = np.random.default_rng(SEED)
    places = (draw.integers(0, len(differences), len(differences)) for _ in range(RESAMPLES))
    low, high = np.quantile([differences[sample].mean() for sample in places], [0.05, 0.95])
    return Loss(rival, float(differences.mean()), float(low), float(high))


def _lost_auc(risk: Numbers, rivals: dict[str, Numbers], churned: Flags) -> Loss | None:
    """Against the best rule; None where nearly all churned, or nearly nobody."""
    if not 1.0 - RATE_MAX <= churned.mean() <= RATE_MAX:
        return None
    best = max(rivals, key=lambda rule: auc(rivals[rule], churned) or 0.0)
    ours, theirs = auc(risk, churned), auc(rivals[best], churned)
    assert ours is not None
    assert theirs is not None
    draw = np.random.default_rng(SEED)
    drawn = []
    for _ in range(RESAMPLES):
        sample = draw.integers(0, len(risk), len(risk))
        us, them = auc(risk[sample], churned[sample]), auc(rivals[best][sample], churned[sample])
        if us is not None and them is not None:
            drawn.append(them - us)
    low, high = np.quantile(drawn, [0.05, 0.95])
    return Loss(best, theirs - ours, float(low), float(high))
