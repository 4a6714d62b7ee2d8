"""A replay of a recording in parts: each part has its own customers, so the parts together are the whole.

Common to all is the clock at the end, and what is published for everybody, which every part takes. The
records of the parts are merged by customer (profiles) and by time, customer and sequence (alerts), which is
the order of a run in one part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from stream.core.alerts.alert import Alert
from stream.core.judgement.basis import Basis
from stream.core.judgement.ranking import is_ranked
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.policy_file.money_words import Foreign, foreign_money, foreign_of_all
from stream.recording.jobs import Jobs
from stream.recording.part import Part, Record
from stream.replay.run import Replay, in_order
from stream.wire import encode_alert

_encode = msgspec.json.Encoder().encode


class Rules(NamedTuple):
    """By what a part is judged, and over how many partitions its customers are spread."""

    policy: Policy
    model: Model
    partitions: int = 1


class Wanted(NamedTuple):
    """Which lines are made: without them their keys are counted only."""

    profiles: bool
    alerts: bool


class PartRun(NamedTuple):
    """What the run of one part, or of all, came to."""

    events: int
    outcomes: Counter[str]
    customers: int
    tiers: Counter[str]
    """Ranked customers per value tier."""
    currencies: Counter[str]
    """Currency -> customers whose money is in it."""
    foreign: Foreign
    """What is in another currency than that of its customer."""
    paying: int
    """Customers who paid anything that is known."""
    ranking: str
    """The currency in which customers are ranked; empty: each in their own."""
    model: str
    """Version of the model in force at the end."""
    refused: list[str]
    """Why published models were not put in force."""
    profiles: Any
    """Records of `Part.keep`: (customer,) and the profile's line."""
    alerts: Any
    """Records: (time, customer, sequence, kind, state) and the alert's line."""


class _Kept(NamedTuple):
    run: Replay
    raised: list[Alert]
    borrowed: int


def replay_in_parts(
    jobs: Jobs, rules: Rules, until_ms: int, wanted: Wanted
) -> tuple[PartRun, Iterator[Record], Iterator[Record]]:
    """The whole run, and the records of profiles and of alerts, each in order."""
    clocks_ms = jobs.run("replaying", fed, rules)
    runs = jobs.run("time goes on", finished, max(until_ms, *clocks_ms), wanted)
    whole = PartRun(
        sum(one.events for one in runs),
        sum((one.outcomes for one in runs), Counter()),
        sum(one.customers for one in runs),
        sum((one.tiers for one in runs), Counter()),
        sum((one.currencies for one in runs), Counter()),
        foreign_of_all(one.foreign for one in runs),
        sum(one.paying for one in runs),
        runs[0].ranking,
        runs[0].model,
        runs[0].refused,
        None,
        None,
    )
    profiles = jobs.merged([one.profiles for one in runs])
    return whole, profiles, jobs.merged([one.alerts for one in runs])


def fed(part: Part, rules: Rules) -> int:
    """Feed the part's events to a run; returns the clock, in ms since 1970."""
    raised: list[Alert] = []
    run = Replay(Basis(rules.policy, rules.model), raised.append, rules.partitions)
    for event in part.events():
        run.feed(event)
    part.kept = _Kept(run, raised, part.borrowed)
    return run.clock_ms


def finished(part: Part, until_ms: int, wanted: Wanted) -> PartRun:
    """Let the clock of the run go on, and keep what it made."""
    run, raised, borrowed = part.kept
    run.advance(until_ms)
    raised.sort(key=in_order)
    basis, profiles = run.basis, run.profiles
    ranked = [one for one in profiles.values() if is_ranked(one.buying.currency, basis.ranking)]
    return PartRun(
        run.events - borrowed,
        run.outcomes,
        len(profiles),
        Counter(basis.tier_names[one.judgement.tier] for one in ranked),
        Counter(one.buying.currency for one in profiles.values() if one.buying.sums.orders),
        foreign_money(one.buying.sums for one in profiles.values()),
        sum(one.buying.sums.gross_minor > 0 for one in profiles.values()),
        basis.ranking,
        basis.model.version,
        run.refused,
        part.keep(
            ((customer,), _encode(profile)) for customer, profile in profiles.items() if wanted.profiles
        ),
        part.keep((_key(alert), encode_alert(alert) if wanted.alerts else b"") for alert in raised),
    )


def _key(alert: Alert) -> tuple[str, ...]:
    return (*in_order(alert), alert.data.kind, alert.data.state)
