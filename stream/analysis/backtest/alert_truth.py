"""Were the alerts right? Each one is compared with what its customer did in the horizon after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np

from stream.analysis.backtest.judged import Truth, judged_row
from stream.analysis.backtest.policy_run import ALERT_KINDS, CHURN_KINDS, RaisedAlert, RunResult
from stream.analysis.backtest.promised import promised_share
from stream.analysis.backtest.upgrade_truth import upgrade_row
from stream.core.model.record import Model
from stream.core.units import DAY_MS
from stream.fit.history import History


def alert_scores(run: RunResult, truth: Truth, model: Model | None = None) -> dict[str, dict[str, object]]:
    """Kind of alert -> counts, precision, recall, lead time and value of its alerts, as printed in JSON; with
    a model also what it promised of them."""
    end_ms = truth.start_ms + truth.horizon_ms
    found: dict[str, dict[str, object]] = {}
    for kind in ALERT_KINDS:
        alerts = [one for one in run.raised if one.kind == kind and truth.start_ms <= one.at_ms <= end_ms]
        if kind in CHURN_KINDS:
            found[kind] = _churn_row(kind, alerts, run, truth)
        else:
            found[kind] = upgrade_row(alerts, run, truth)
        if model is not None:
            at_start = [one.at_ms <= truth.start_ms for one in truth.decided(alerts)]
            found[kind]["promised"] = promised_share(kind, model, sum(at_start), len(at_start))
    return found


def _churn_row(kind: str, alerts: Sequence[RaisedAlert], run: RunResult, truth: Truth) -> dict[str, object]:
    history, snapshot, horizon_ms = truth.history, truth.snapshot, truth.horizon_ms
    decided = truth.decided(alerts)
    right = _silent_after(decided, history, horizon_ms)
    row = judged_row(alerts, decided, right, truth)
    alerted = {one.customer for one in alerts}
    eligible = np.array([customer in run.eligible[kind] for customer in snapshot.customers], dtype=bool)
    caught = np.array([customer in alerted for customer in snapshot.customers], dtype=bool)
    lost = eligible & truth.churned
    value = snapshot.value_minor
    row["recall"] = float((lost & caught).sum() / lost.sum()) if lost.any() else None
    row["found_of"] = [int((lost & caught).sum()), int(lost.sum())]
    row["churn_rate_of_eligible"] = float(truth.churned[eligible].mean()) if eligible.any() else None
    row["value_caught_share"] = (
        float(value[lost & caught].sum() / value[lost].sum()) if value[lost].sum() > 0 else None
    )
    leads = [
        lead
        for one, was in zip(decided, right, strict=True)
        if was and (lead := _lead_days(one, history, horizon_ms)) is not None
    ]
    row["median_lead_days"] = round(median(leads), 1) if leads else None
    return row


def _silent_after(alerts: Iterable[RaisedAlert], history: History, horizon_ms: int) -> list[bool]:
    return [
        not any(
            one.at_ms < at_ms <= one.at_ms + horizon_ms
            for at_ms in history.orders.get(one.customer, {}).values()
        )
        for one in alerts
    ]


def _lead_days(one: RaisedAlert, history: History, horizon_ms: int) -> float | None:
    """Days by which the alert comes before the rule `no purchase for a whole horizon`."""
    before = [at_ms for at_ms in history.orders.get(one.customer, {}).values() if at_ms <= one.at_ms]
    return (max(before) + horizon_ms - one.at_ms) / DAY_MS if before else None
