"""Were the upgrade opportunities right? Who was asked to spend more, beside like customers who were not.

Right is who reached the next value tier within the horizon. Beside it stands who did that or paid more than
in as long a time before: many who spend more stay below a cut-off.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from stream.analysis.backtest.judged import Truth, jeffreys_interval, judged_row
from stream.analysis.backtest.policy_run import UPGRADE, RaisedAlert, RunResult
from stream.analysis.statistics.two_arms import newcombe
from stream.core.units import DAY_MS


def upgrade_row(alerts: Sequence[RaisedAlert], run: RunResult, truth: Truth) -> dict[str, object]:
    """Counts, precision, recall and lead time of these alerts, as printed in JSON, with like customers."""
    decided = truth.decided(alerts)
    right = [_moved(run, one, truth.horizon_ms) for one in decided]
    row = judged_row(alerts, decided, right, truth)
    row["recall"] = _upgrade_recall(run, alerts, truth.start_ms, truth.horizon_ms)
    leads = [_lead_up(run, one) for one, was in zip(decided, right, strict=True) if was]
    row["median_lead_days"] = round(median(leads), 1) if leads else None
    return {**row, **_beside_like_customers(decided, _like_customers(run, alerts, truth), run, truth)}


def _beside_like_customers(
    decided: Sequence[RaisedAlert], likes: Sequence[RaisedAlert], run: RunResult, truth: Truth
) -> dict[str, object]:
    """How many moved up or spent more within the horizon, of the alerted and of like customers; and the 95%
    interval of the difference of both shares."""
    grew, likes_grew = (
        sum(_moved_up_or_spent_more(run, one, truth) for one in group) for group in (decided, likes)
    )
    moved = sum(_moved(run, one, truth.horizon_ms) for one in likes)
    difference = newcombe(grew, len(decided), likes_grew, len(likes)) if decided and likes else None
    return {
        "moved_up_or_spent_more": grew / len(decided) if decided else None,
        "moved_up_or_spent_more_95": jeffreys_interval(grew, len(decided), 0.95),
        "like_customers": len(likes),
        "like_customers_moved_up": moved / len(likes) if likes else None,
        "like_customers_moved_up_or_spent_more": likes_grew / len(likes) if likes else None,
        "more_than_like_customers_95": None if difference is None else list(difference),
    }


def _like_customers(run: RunResult, alerts: Sequence[RaisedAlert], truth: Truth) -> list[RaisedAlert]:
    """Customers for whom the policy would have allowed an upgrade opportunity at the split, but of whom none
    was raised then: as if it had been."""
    alerted = {one.customer for one in alerts if one.at_ms <= truth.start_ms}
    others = sorted(run.eligible.get(UPGRADE, frozenset()) - alerted)
    return [RaisedAlert(UPGRADE, customer, truth.start_ms) for customer in others]


def _moved_up_or_spent_more(run: RunResult, one: RaisedAlert, truth: Truth) -> bool:
    """Whether the next tier was reached within the horizon, or more was paid in it than in as long a time
    before the alert."""
    at_ms, horizon_ms = one.at_ms, truth.horizon_ms
    if _moved(run, one, horizon_ms):
        return True
    if one.customer not in run.paid:
        return False
    total = run.paid[one.customer].after(truth.history.moments.get(one.customer, ()))
    return total.within(at_ms, at_ms + horizon_ms) > total.within(at_ms - horizon_ms, at_ms)


def _moved(run: RunResult, one: RaisedAlert, horizon_ms: int) -> bool:
    return any(one.at_ms < at_ms <= one.at_ms + horizon_ms for at_ms in run.moved_up_ms.get(one.customer, ()))


def _lead_up(run: RunResult, one: RaisedAlert) -> float:
    return (min(at_ms for at_ms in run.moved_up_ms[one.customer] if at_ms > one.at_ms) - one.at_ms) / DAY_MS


def _upgrade_recall(
    run: RunResult, alerts: Sequence[RaisedAlert], start_ms: int, horizon_ms: int
) -> float | None:
    """Of the customers who moved up within the horizon, the share with an alert before that."""
    first_ups = {
        customer: min(ups)
        for customer, moves in run.moved_up_ms.items()
        if (ups := [at_ms for at_ms in moves if at_ms <= start_ms + horizon_ms])
    }
    alerted = {(one.customer, one.at_ms) for one in alerts}
    hits = sum(any(who == customer and at <= up for who, at in alerted) for customer, up in first_ups.items())
    return hits / len(first_ups) if first_ups else None
