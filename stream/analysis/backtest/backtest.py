"""A backtest: learn from what was known at the split, let the policy run on, compare with what customers did.

The model is fitted before the first later event is read, so that nothing after the split can leak into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import msgspec
import numpy as np
from scipy.special import expit

from stream.analysis.backtest.alert_truth import alert_scores
from stream.analysis.backtest.judged import Truth
from stream.analysis.backtest.policy_run import PolicyRun, RunResult
from stream.analysis.backtest.stall import judged_until_ms, released
from stream.analysis.fit_recording import last_instant_ms
from stream.analysis.statistics.scoring import auc, baselines, binned_brier, bootstrap, calibration, quality
from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.model.record import Horizon, Model
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Flags, Numbers
from stream.fit.coverage import Coverage, day
from stream.fit.history import History, Snapshot, read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.fit.purchases.processes import UnfitError, fit_process
from stream.fit.risk.drift import unlike_words
from stream.fit.risk.risk_layer import churn_risks, process_log_odds
from stream.fit.risk.stalls import order_times
from stream.fit.risk.training_set import feature_matrix
from stream.recording.jobs import Jobs
from stream.recording.part import Part
from stream.recording.split import SplitEvents


@dataclass(frozen=True)
class BacktestOptions:
    """What to learn from, what to predict, and by which policy to alert."""

    first_purchase_ms: int
    """Midnight of the day of the first purchase, as the clock of the business shows it."""
    split_ms: int
    """Midnight of the last day that is known, in the same way."""
    horizon_ms: int
    """Lost is who buys nothing within this time after the split."""
    policy: Policy
    against: Policy | None = None
    """A second policy to compare with."""
    first_by_ms: int | None = None
    """Score only customers whose first purchase was by this time."""
    precision: float | None = None
    budget_share: float | None = None
    """Precision or budget for which thresholds are learnt, as in FitOptions."""


@dataclass(frozen=True)
class BacktestResult:
    """The numbers as printed in JSON, and what only the HTML page draws."""

    numbers: dict[str, object]
    model: Model
    calibration: list[tuple[float, float, int]]
    """Tenths of customers by risk: mean risk, share lost, customers."""
    curves: dict[str, list[tuple[float, float]]]
    """Score -> points of (share of customers, share of lost customers among them), riskiest first."""


def run_backtest(jobs: Jobs, coverage: Coverage, options: BacktestOptions, fallback: Model) -> BacktestResult:
    """The backtest of events that reach as far as `coverage`, read once more; `fallback` as in `fit_model`.

    NotCoveredError when the events end before the horizon does.
    """
    coverage.require(options.split_ms, options.horizon_ms)
    horizon = Horizon(min_ms=options.horizon_ms, max_ms=options.horizon_ms)
    days = snapshot_days(options.first_purchase_ms, options.split_ms, horizon)
    known = History.joined(jobs.run("learning", learn_first, options.split_ms, days, options.policy))
    with jobs.recording.shown("fitting a model", None):
        model = fit_model(known, options.split_ms, _fit_options(options, horizon), fallback)
    snapshot = known.snapshots[options.split_ms].ranked_in(model.currency)
    if options.first_by_ms is not None:
        snapshot = snapshot.only(snapshot.column("first_ms") <= options.first_by_ms)
        if not snapshot.customers:
            raise UnfitError(f"nobody had bought by {day(options.first_by_ms)} (--first-by): nobody to score")
    parts = jobs.run("replaying", judge_the_rest, options, model, coverage)
    history = History.joined([history for history, _ in parts])
    runs = [RunResult.joined(of_policy) for of_policy in zip(*(runs for _, runs in parts), strict=True)]
    with jobs.recording.shown("judging the alerts", None):
        return _result(options, model, (history, snapshot), runs)


def _result(
    options: BacktestOptions, model: Model, known: tuple[History, Snapshot], runs: Sequence[RunResult]
) -> BacktestResult:
    """The numbers of a study whose runs are over; `known` is the whole history, and who is scored."""
    history, snapshot = known
    truth = Truth(history, snapshot, options.horizon_ms)
    risk = churn_risks(model, snapshot)
    rules = baselines(snapshot.inactive_days, snapshot.column("frequency"), snapshot.total_minor)
    numbers: dict[str, object] = {
        **_scores(risk, rules, model, truth),
        "alerts": alert_scores(runs[0], truth, model),
        "thresholds": msgspec.to_builtins(model.thresholds),
        "upgrade_level": msgspec.to_builtins(model.upgrade),
        "model": _model_numbers(model, snapshot),
        "policy": options.policy.hash,
        "split": day(options.split_ms),
        "zone": options.policy.business.zone,
        "horizon_weeks": options.horizon_ms / WEEK_MS,
        "wished_precision": options.precision,
        "events": history.events,
        "currency": model.currency,
        "not_ranked": snapshot.not_ranked(),
        "held_days": _held_days(history, options),
        "data_end": day(history.coverage.end_ms),
        "coverage_notes": [
            *history.coverage.notes(options.split_ms + options.horizon_ms),
            *unlike_words(
                order_times(history), options.first_purchase_ms, options.split_ms, options.horizon_ms
            ),
        ],
    }
    if options.against is not None:
        numbers["against"] = {
            "policy": options.against.id,
            "alerts": alert_scores(runs[1], truth),
            "customers": _customers_of_one_policy(runs[0], runs[1]),
        }
    curves = {name: _gain_curve(score, truth.churned) for name, score in {"risk": risk, **rules}.items()}
    return BacktestResult(numbers, model, calibration(risk, truth.churned), curves)


def _scores(risk: Numbers, rules: dict[str, Numbers], model: Model, truth: Truth) -> dict[str, object]:
    """How good risk and baselines are, for all customers and for repeat buyers alone."""
    silent, snapshot = truth.churned, truth.snapshot
    repeat = snapshot.column("frequency") > 0
    p_active = expit(process_log_odds(feature_matrix(model, snapshot)))
    scores = {"risk": risk, **rules, "p_active": p_active}
    return {
        **_scores_of(scores, silent),
        "mean_risk": float(risk.mean()) if len(risk) else None,
        "p_active": asdict(quality(p_active, silent)),
        "intervals_90": bootstrap(risk, _strongest({**rules, "p_active": p_active}, silent), silent),
        "repeat_buyers": _scores_of({name: score[repeat] for name, score in scores.items()}, silent[repeat]),
    }


def _fit_options(options: BacktestOptions, horizon: Horizon) -> FitOptions:
    return FitOptions(
        name="backtest",
        source="the history up to the split",
        horizon=horizon,
        finance=options.policy.finance,
        rules=options.policy,
        precision=options.precision,
        budget_share=options.budget_share,
    )


def learn_first(part: Part, split_ms: int, days_ms: Sequence[int], policy: Policy) -> History:
    """The history of a part up to the end of the split's day; the part goes on from there."""
    split = SplitEvents(part.events(), last_instant_ms(split_ms, policy.calendar))
    history = read_history(split.before(), days_ms, policy)
    part.kept = (history, split)
    return replace(history, profiles={})


def judge_the_rest(
    part: Part, options: BacktestOptions, model: Model, coverage: Coverage
) -> tuple[History, list[RunResult]]:
    """Each policy over a part's events after the split; on the way the history records the outcomes.

    The runs go on to the end of the data, because an alert late in the horizon is judged by what follows it.
    """
    history, split = part.kept
    policies = [options.policy, *([options.against] if options.against else [])]
    calendar = history.calendar
    start_ms = last_instant_ms(options.split_ms, calendar)
    running = [
        PolicyRun(profiles, Basis(policy, model), start_ms)
        for policy, profiles in zip(policies, _copies(history.profiles, len(policies)), strict=True)
    ]
    for event in released(_noted(split.after(), history), calendar.instant_ms(coverage.last_purchase_ms)):
        for one in running:
            one.feed(event)
    end_ms = options.split_ms + DAY_MS - 1 + options.horizon_ms
    clock_ms = calendar.instant_ms(judged_until_ms(coverage.end_ms, coverage.last_purchase_ms))
    outcomes = replace(history, events=history.events - part.borrowed, profiles={}, snapshots={})
    return outcomes, [one.finished(clock_ms, end_ms) for one in running]


def _noted(events: Iterable[Event], history: History) -> Iterator[Event]:
    """The same events; the history records each one."""
    for event in events:
        history.note(event, history.calendar.local_ms(event.time_ms))
        yield event


def _held_days(history: History, options: BacktestOptions) -> float:
    """Days at the end that were not judged, because there was no purchase of anybody."""
    end_ms = options.split_ms + DAY_MS - 1 + options.horizon_ms
    return (end_ms - judged_until_ms(end_ms, history.coverage.last_purchase_ms)) / DAY_MS


def _copies(profiles: dict[str, Profile], count: int) -> list[dict[str, Profile]]:
    """The profiles and `count` - 1 deep copies: each run changes its own."""
    decode: Callable[[bytes], Profile] = msgspec.msgpack.Decoder(Profile).decode
    encode = msgspec.msgpack.Encoder().encode
    copies = [profiles]
    for _ in range(count - 1):
        copies.append({customer: decode(encode(profile)) for customer, profile in profiles.items()})
    return copies


def _scores_of(scores: dict[str, Numbers], silent: Flags) -> dict[str, object]:
    """Quality of the risk and of each baseline; all arrays have shape (customers,).

    A baseline's error is `brier_binned` where it needs the true rates to become a probability, else `brier`.
    """
    if not len(silent):
        return {"n": 0, "churn_rate": None, "risk": None, "baselines": None}
    rate = float(silent.mean())
    rows: dict[str, dict[str, float | None]] = {
        name: {"auc": auc(score, silent), "brier_binned": binned_brier(score, silent)}
        for name, score in scores.items()
        if name not in {"risk", "p_active"}
    }
    p_active = quality(scores["p_active"], silent)
    rows["p_active"] = {"auc": p_active.auc, "brier": p_active.brier}
    rows["constant"] = {"auc": 0.5 if 0.0 < rate < 1.0 else None, "brier_binned": rate * (1.0 - rate)}
    return {
        "n": len(silent),
        "churn_rate": rate,
        "risk": asdict(quality(scores["risk"], silent)),
        "baselines": rows,
    }


def _strongest(rivals: dict[str, Numbers], silent: Flags) -> Numbers:
    """The baseline score with the highest AUC, shape (customers,)."""
    return max(rivals.values(), key=lambda score: auc(score, silent) or 0.0)


def _model_numbers(model: Model, snapshot: Snapshot) -> dict[str, object]:
    """Parameters of everything that was fitted."""
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
        "risk_of": model.risk_of,
        "notes": list(model.notes),
    }


def _customers_of_one_policy(one: RunResult, other: RunResult) -> dict[str, dict[str, object]]:
    """Kind of alert -> customers alerted by one policy and not by the other."""
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
    """Points of (share of customers looked at, highest score first; share of lost customers among them)."""
    order = np.argsort(-score, kind="stable")
    total = max(1, int(silent.sum()))
    found = np.concatenate([[0], np.cumsum(silent[order])]) / total
    looks = np.linspace(0, len(score), 51).astype(int)
    return [(float(look / max(1, len(score))), float(found[look])) for look in looks]
