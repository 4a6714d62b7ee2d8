"""What a replay did, as plain values: the object that `stream replay --json` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from stream.core.alerts.alert import Alert, rfc3339
from stream.core.judgement.ranking import is_ranked
from stream.policy_file.money_words import currency_notes, foreign_money
from stream.recording.recording import Recording
from stream.replay.run import Replay


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
    """What is to be known of several currencies, in words."""
    alerts: dict[str, dict[str, int]]
    """Kind of alert -> its state (raised, cleared ...) -> how many."""
    policy: str
    """Hash of the policy."""
    model: str
    """Version of the model."""
    seconds: float


def summarize(run: Replay, alerts: Iterable[Alert], recording: Recording, seconds: float) -> ReplaySummary:
    """The summary of a replay that has read the whole recording."""
    kinds: dict[str, Counter[str]] = {}
    for alert in alerts:
        kinds.setdefault(alert.data.kind, Counter())[alert.data.state] += 1
    names = run.basis.tier_names
    profiles, basis = run.profiles.values(), run.basis
    tiers = Counter(
        names[profile.judgement.tier]
        for profile in profiles
        if is_ranked(profile.buying.currency, basis.ranking)
    )
    paid = Counter(profile.buying.currency for profile in profiles if profile.buying.sums.orders)
    foreign = foreign_money(profile.buying.sums for profile in profiles)
    others = {code: count for code, count in paid.items() if not is_ranked(code, basis.ranking)}
    return ReplaySummary(
        events=run.events,
        outcomes=dict(run.outcomes),
        unknown_types=recording.unknown,
        rejected=len(recording.unreadable),
        now=rfc3339(recording.now_ms),
        in_future=len(recording.in_future),
        customers=len(run.profiles),
        tiers={name: tiers[name] for name in names},
        currencies=dict(sorted(paid.items())),
        not_ranked=sum(others.values()),
        notes=currency_notes(paid, basis.ranking, basis.policy.finance.currency, foreign),
        alerts={kind: dict(states) for kind, states in sorted(kinds.items())},
        policy=run.basis.policy.hash,
        model=run.basis.model.version,
        seconds=round(seconds, 3),
    )
