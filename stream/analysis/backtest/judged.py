"""What customers did after the split, and which alerts can be judged by it.

Only alerts whose whole horizon the data cover are judged; the others are counted as undecided.
Judging them too would favour one outcome: a purchase is seen at once, its absence only at the end of the
horizon.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from scipy.stats import beta

from stream.analysis.backtest.policy_run import RaisedAlert
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Flags
from stream.fit.history import History, Snapshot


@dataclass(frozen=True)
class Truth:
    """What customers did after the split; arrays have shape (customers,), in the order of the snapshot."""

    history: History
    snapshot: Snapshot
    horizon_ms: int

    @property
    def start_ms(self) -> int:
        """The last millisecond of the split's day."""
        return self.snapshot.as_of_ms + DAY_MS - 1

    @cached_property
    def churned(self) -> Flags:
        """Which customers bought nothing within the horizon after the split."""
        return self.history.silent(self.snapshot, self.horizon_ms)

    def decided(self, alerts: Iterable[RaisedAlert]) -> list[RaisedAlert]:
        """The alerts whose whole horizon the data cover."""
        end_ms = self.history.coverage.end_ms
        return [one for one in alerts if one.at_ms + self.horizon_ms <= end_ms]


def judged_row(
    alerts: Sequence[RaisedAlert], decided: Sequence[RaisedAlert], right: Sequence[bool], truth: Truth
) -> dict[str, object]:
    """What the rows of all kinds of alerts have, as printed in JSON: counts, precision with its intervals,
    and how many there were a week. `right`: of each decided alert."""
    customers, weeks = max(1, len(truth.snapshot.customers)), truth.horizon_ms / WEEK_MS
    return {
        "n": len(alerts),
        "undecided": len(alerts) - len(decided),
        "decided": len(decided),
        "right": sum(right),
        "precision": sum(right) / len(decided) if decided else None,
        "precision_90": jeffreys_interval(sum(right), len(decided)),
        "precision_95": jeffreys_interval(sum(right), len(decided), 0.95),
        "recall": None,
        "median_lead_days": None,
        "per_1000_customers_and_week": 1_000.0 * len(alerts) / customers / weeks,
    }


def jeffreys_interval(hits: int, cases: int, share: float = 0.9) -> list[float] | None:
    """Interval (Jeffreys; 90% by default) of a share of `hits` out of `cases`; None without cases."""
    if not cases:
        return None
    tail = (1.0 - share) / 2.0
    low = float(beta.ppf(tail, hits + 0.5, cases - hits + 0.5)) if hits else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 0.5, cases - hits + 0.5)) if hits < cases else 1.0
    return [low, high]
