"""A backtest: learn from what was known at the split, let the policy run on, look at what customers did.

The model is fitted before the first later event is read, so nothing after the split can leak into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import msgspec
import numpy as np
from scipy.special import expit

from stream.analysis.backtest.alert_truth import PolicyRun, Run, Truth, judged
from stream.analysis.backtest.stall import judged_until_ms, released
from stream.analysis.statistics.scoring import auc, baselines, binned_brier, bootstrap, calibration, quality
from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Book
from stream.core.model.record import Horizon, Model
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Flags, Numbers
from stream.fit.history import History, Snapshot, read_history
from stream.fit.model_fit import Wishes, fit_model, wanted_days
from stream.fit.purchases.processes import fit_process
from stream.fit.risk.risk_layer import log_odds, observed
from stream.recording.split import SplitEvents


@dataclass(frozen=True)
class Question:
    """What is asked of a backtest."""

    first_purchase_ms: int
    split_ms: int
    """Midnight of the last day that is known."""
    horizon_ms: int
    policy: Policy
    against: Policy | None = None
    first_by_ms: int | None = None
    precision: float | None = None
    budget_share: float | None = None


@dataclass(frozen=True)
class Answer:
    """The numbers, as printed in JSON, and what the report draws."""

    numbers: dict[str, object]
    model: Model
    calibration: list[tuple[float, float, int]]
    curves: dict[str, list[tuple[float, float]]]


def backtest(events: Iterable[Event], question: Question, fallback: Model) -> Answer:
    """Events in time order in, answer out; they are read once."""
    split_end_ms = question.split_ms + DAY_MS - 1
    parted = SplitEvents(events, split_end_ms)
    horizon = Horizon(min_ms=question.horizon_ms, max_ms=question.horizon_ms)
    days = wanted_days(question.first_purchase_ms, question.split_ms, horizon)
    history = read_history(parted.before(), days, question.policy)
    model = fit_model(history, question.split_ms, _wishes(question, horizon), fallback)
    snapshot = history.snapshots[question.split_ms]
    if question.first_by_ms is not None:
        snapshot = snapshot.only(snapshot.column("first_ms") <= question.first_by_ms)
    runs = _runs(history, parted, model, question)
    truth = Truth(history, snapshot, question.horizon_ms)
    silent = truth.churned
    rows = observed(model, snapshot)
    risk = expit(log_odds(model.risk, rows) if model.risk else rows[:, 0])
    rivals = baselines(snapshot.inactive_days, snapshot.column("frequency"), snapshot.total_minor)
    repeat = snapshot.column("frequency") > 0
    numbers: dict[str, object] = {
        **_judged_scores(risk, rivals, silent),
        "mean_risk": float(risk.mean()) if len(risk) else None,
        "p_active": asdict(quality(expit(rows[:, 0]), silent)),
        "intervals_90": bootstrap(risk, _strongest(rivals, silent), silent),
        "repeat_buyers": _judged_scores(
            risk[repeat], {k: v[repeat] for k, v in rivals.items()}, silent[repeat]
        ),
        "alerts": judged(runs[0], truth),
        "thresholds": msgspec.to_builtins(model.thresholds),
        "model": _described(model, snapshot),
        **_asked(question),
        "events": history.events,
        "held_days": _held_days(history, question),
    }
    if question.against is not None:
        numbers["against"] = {
            "policy": question.against.id,
            "alerts": judged(runs[1], truth),
            "customers": _differences(runs[0], runs[1]),
        }
    curves = {name: _gain_curve(score, silent) for name, score in {"risk": risk, **rivals}.items()}
    return Answer(numbers, model, calibration(risk, silent), curves)


def _asked(question: Question) -> dict[str, object]:
    return {
        "split": datetime.fromtimestamp(question.split_ms / 1_000, UTC).strftime("%Y-%m-%d"),
        "horizon_weeks": question.horizon_ms / WEEK_MS,
        "wished_precision": question.precision,
    }


def _wishes(question: Question, horizon: Horizon) -> Wishes:
    return Wishes(
        name="backtest",
        source="the history up to the split",
        horizon=horizon,
        finance=question.policy.finance,
        precision=question.precision,
        budget_share=question.budget_share,
    )


def _runs(history: History, parted: SplitEvents, model: Model, question: Question) -> list[Run]:
    """Each policy over the rest of the events; the history learns the truth on the way."""
    policies = [question.policy, *([question.against] if question.against else [])]
    start_ms = question.split_ms + DAY_MS - 1
    running = [
        PolicyRun(profiles, Book(policy, model), start_ms)
        for policy, profiles in zip(policies, _copies(history.profiles, len(policies)), strict=True)
    ]
    end_ms = start_ms + question.horizon_ms
    for event in released(parted.after(), history.last_purchase_ms):
        at_ms = event.time_ms
        history.note(event, at_ms)
        if at_ms <= end_ms:
            for one in running:
                one.feed(event)
    clock_ms = judged_until_ms(end_ms, history.last_purchase_ms)
    return [one.finished(clock_ms) for one in running]


def _held_days(history: History, question: Question) -> float:
    """How much of the time after the split was not judged, because nobody at all was seen to buy."""
    end_ms = question.split_ms + DAY_MS - 1 + question.horizon_ms
    return (end_ms - judged_until_ms(end_ms, history.last_purchase_ms)) / DAY_MS


def _copies(profiles: dict[str, Profile], count: int) -> list[dict[str, Profile]]:
    """The profiles, and as many copies of their own as there are further policies."""
    decode: Callable[[bytes], Profile] = msgspec.msgpack.Decoder(Profile).decode
    encode = msgspec.msgpack.Encoder().encode
    copies = [profiles]
    for _ in range(count - 1):
        copies.append({customer: decode(encode(profile)) for customer, profile in profiles.items()})
    return copies


def _judged_scores(risk: Numbers, rivals: dict[str, Numbers], silent: Flags) -> dict[str, object]:
    if not len(risk):
        return {"n": 0, "churn_rate": None, "risk": None, "baselines": None}
    return {
        "n": len(risk),
        "churn_rate": float(silent.mean()),
        "risk": asdict(quality(risk, silent)),
        "baselines": {
            name: {"auc": auc(score, silent), "brier_binned": binned_brier(score, silent)}
            for name, score in rivals.items()
        },
    }


def _strongest(rivals: dict[str, Numbers], silent: Flags) -> Numbers:
    """The baseline with the highest AUC."""
    return max(rivals.values(), key=lambda score: auc(score, silent) or 0.0)


def _described(model: Model, snapshot: Snapshot) -> dict[str, object]:
    """Names and parameters of everything that was fitted."""
    cells = snapshot.cells(model.process.unit_ms)
    return {
        "version": model.version,
        "process": msgspec.to_builtins(model.process),
        "spend": msgspec.to_builtins(model.spend),
        "log_likelihood": {
            kind: fit_process(cells, kind, model.process.unit_ms).log_likelihood
            for kind in ("bgnbd", "mbgnbd")
            if cells.repeaters
        },
        "risk": msgspec.to_builtins(model.risk),
        "notes": list(model.notes),
    }


def _differences(one: Run, other: Run) -> dict[str, dict[str, object]]:
    """Per kind: who would be alerted by one policy and not by the other."""
    found: dict[str, dict[str, object]] = {}
    for kind in sorted({alert.kind for run in (one, other) for alert in run.raised}):
        here = {alert.customer for alert in one.raised if alert.kind == kind}
        there = {alert.customer for alert in other.raised if alert.kind == kind}
        found[kind] = {
            "both": len(here & there),
            "only_policy": sorted(here - there),
            "only_against": sorted(there - here),
        }
    return found


def _gain_curve(score: Numbers, silent: Flags) -> list[tuple[float, float]]:
    """Share of churners found when this share of customers, riskiest first, is looked at."""
    order = np.argsort(-score, kind="stable")
    total = max(1, int(silent.sum()))
    found = np.concatenate([[0], np.cumsum(silent[order])]) / total
    looks = np.linspace(0, len(score), 51).astype(int)
    return [(float(look / max(1, len(score))), float(found[look])) for look in looks]
