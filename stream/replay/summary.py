"""What a replay did, as plain values: the object that `stream replay --json` prints."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from stream.core.alerts.alert import rfc3339
from stream.core.judgement.ranking import is_ranked
from stream.core.policy.policy import Policy
from stream.policy_file.money_words import currency_notes
from stream.policy_file.no_price import NO_ALERT_EVER
from stream.recording.recording import Recording
from stream.replay.in_parts import PartRun


class ReplaySummary(Struct, frozen=True):
    """Counts of one replay; its field names are the keys of the JSON object."""

    events: int
    outcomes: dict[str, int]
    """How many events were applied, duplicates, unsure (may be repeats, not added), of erased customers, or
    without effect."""
    unknown_types: int
    rejected: int
    """Lines that are not events, or that lie after `now`."""
    now: str
    """The as-of time (RFC 3339); later events were set aside."""
    in_future: int
    """How many these were."""
    customers: int
    tiers: dict[str, int]
    """Ranked customers per value tier, the lowest tier first."""
    currencies: dict[str, int]
    """Currency -> customers whose money is in it."""
    not_ranked: int
    """Customers in a currency in which nobody is ranked."""
    notes: list[str]
    """What is to be known of several currencies, or of money that is not known, in words."""
    alerts: dict[str, dict[str, int]]
    """Kind of alert -> its state (raised, cleared ...) -> how many."""
    policy: str
    """Hash of the policy."""
    model: str
    """Version of the model."""
    seconds: float


def summarize(
    run: PartRun,
    policy: Policy,
    alerts: Mapping[str, Mapping[str, int]],
    recording: Recording,
    seconds: float,
) -> ReplaySummary:
    """The summary of a replay that has read the whole recording; `alerts` as in its field."""
    others = {code: count for code, count in run.currencies.items() if not is_ranked(code, run.ranking)}
    no_price = [NO_ALERT_EVER] if run.currencies and not run.paying and not alerts else []
    return ReplaySummary(
        events=run.events,
        outcomes=dict(sorted(run.outcomes.items())),
        unknown_types=recording.unknown,
        rejected=len(recording.unreadable),
        now=rfc3339(recording.now_ms),
        in_future=len(recording.in_future),
        customers=run.customers,
        tiers={step.name: run.tiers[step.name] for step in policy.ladder.steps},
        currencies=dict(sorted(run.currencies.items())),
        not_ranked=sum(others.values()),
        notes=currency_notes(run.currencies, run.ranking, policy.finance.currency, run.foreign) + no_price,
        alerts={kind: dict(states) for kind, states in sorted(alerts.items())},
        policy=policy.hash,
        model=run.model,
        seconds=round(seconds, 3),
    )
