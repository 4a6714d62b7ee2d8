"""Studies of events that are at hand, in this process."""

from __future__ import annotations

from collections.abc import Iterable

from stream.analysis.backtest.backtest import BacktestOptions, BacktestResult, run_backtest
from stream.analysis.business.ledger import read_ledger
from stream.analysis.business.report import business_report, days_of_report
from stream.analysis.fit_recording import coverage_of
from stream.core.events.event import Event
from stream.core.policy.policy import Policy
from stream.model_file import default_model
from stream.recording.jobs import jobs_over
from stream.recording.recording import Recording


def recording_of(events: Iterable[Event]) -> Recording:
    """The events as a recording."""
    return Recording.of(("events", number, event) for number, event in enumerate(events))


def backtest_of(events: Iterable[Event], options: BacktestOptions) -> BacktestResult:
    """The backtest of the events, with the shipped model as fallback."""
    with jobs_over(recording_of(events), 1) as jobs:
        return run_backtest(jobs, coverage_of(jobs, options.policy.calendar), options, default_model())


def report_of(events: Iterable[Event], day_ms: int, policy: Policy | None = None) -> dict[str, object]:
    """The business report of the events as of a day, by the shipped model and a policy (the plain one)."""
    rules = policy or Policy()
    ledger = read_ledger(events, days_of_report(day_ms), rules)
    return business_report(ledger, day_ms, default_model(), rules)
