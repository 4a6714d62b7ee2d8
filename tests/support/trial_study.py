"""The readout of what a trial shop wrote, and the arm of a customer there."""

from __future__ import annotations

from typing import Any

from stream.analysis.uplift.records import TrialRecords, read_alerts, read_deliveries
from stream.analysis.uplift.study import Study, study_of
from stream.core.policy.arms import arm_of
from stream.core.units import DAY_MS
from stream.policy_file import default_policy
from tests.support.trial_shop import BEGINS_MS, PERIOD, Written, as_events, as_lines

FOREVER = BEGINS_MS + 4_000 * DAY_MS


def study(found: Written, *, deliveries=True, events=None, policy=None, endpoint="", **more: Any) -> Study:
    """The readout of the latest experiment; by default 30 days, all known."""
    records = TrialRecords()
    read_alerts(as_lines(found.alerts), records)
    if deliveries:
        read_deliveries(as_lines(found.deliveries), records, endpoint)
    asked: dict[str, Any] = {"window_ms": 30 * DAY_MS, "worth": 0.05, "now_ms": FOREVER} | more
    return study_of(records, events or as_events(found.events), policy or default_policy(), **asked)


def arm(customer: str, share: float = 0.2, salt: str = "s") -> str:
    """The arm of a customer in the only period."""
    return arm_of(customer, "default", f"{salt} {PERIOD}", share)
