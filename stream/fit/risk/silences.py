"""The silences of past windows: how the risk rose in each, whom the rules covered then, and what ended it.

Two judgements by the model of then tell a silence; in between, log-odds are straight in the logarithm of the
time since the last purchase.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from msgspec import structs

from stream.core.facts.decay import VALUE_HALF_LIFE_MS
from stream.core.judgement.tier import cutoffs_minor
from stream.core.model.features import Features
from stream.core.model.record import Model
from stream.core.policy.policy import AlertKind, Policy
from stream.core.risk.curve import risk_curve
from stream.core.units import DAY_MS
from stream.core.value.clv import own_horizon
from stream.fit.arrays import Counts, Flags, Numbers
from stream.fit.history import History, Snapshot

NEVER_MS = math.inf


class PastDay(NamedTuple):
    """All customers as of an earlier day, and the model that would have judged them then."""

    model: Model
    snapshot: Snapshot

    @property
    def known_ms(self) -> int:
        """The last millisecond that is known."""
        return self.snapshot.as_of_ms + DAY_MS - 1


class Silences(NamedTuple):
    """Silences of customers whom the policy covers; all arrays have shape (silences,), times are in ms."""

    customer: Counts
    """A number that stands for the customer."""
    loyal: Flags
    """Whether at_risk_loyal, which goes before churn_risk, covers the customer in its tiers."""
    since: Numbers
    """The last purchase before it."""
    begin: Numbers
    """From when on it is followed: it is long enough for the rule then, and the first window has begun."""
    end: Numbers
    """Until when it is followed, at the latest until the purchase that ended it."""
    odds_begin: Numbers
    """Log-odds of the risk at `begin`, and at `end`."""
    odds_end: Numbers
    next: Numbers
    """The purchase that ended it; infinite where none did."""
    horizon: Numbers
    """How long the customer has to stay silent after an alert for it to be right."""
    held_until: Numbers
    """Until when recent spend keeps the customer in a tier that churn_risk covers, if the tier was held."""
    reached_until: Numbers
    """The same, if it has to be reached anew."""
    loyal_held_until: Numbers
    """Until when it keeps a loyal customer in a tier that at_risk_loyal covers, if the tier was held."""
    loyal_reached_until: Numbers
    """The same, if it has to be reached anew."""

    def covered(self, kind: AlertKind, at_ms: Numbers | float, *, held: bool) -> Flags:
        """Whom a kind of alert is about at an instant, shape (silences,)."""
        of_loyal, of_churn = (
            (self.loyal_held_until, self.held_until)
            if held
            else (self.loyal_reached_until, self.reached_until)
        )
        loyal: Flags = self.loyal & (at_ms <= of_loyal)
        return loyal if kind == "at_risk_loyal" else ~loyal & (at_ms <= of_churn)

    def only(self, keep: Flags) -> Silences:
        """The silences where `keep`, shape (silences,), is True."""
        columns: list[Any] = [column[keep] for column in self]
        return Silences(*columns)

    def odds_at(self, at_ms: Numbers | float) -> Numbers:
        """Log-odds at an instant: straight in the logarithm of the time since the last purchase."""
        low, high = self._log(self.begin), self._log(self.end)
        share = (self._log(at_ms) - low) / np.maximum(high - low, 1e-9)
        odds: Numbers = self.odds_begin + share * (self.odds_end - self.odds_begin)
        return odds

    def reached_at(self, level: float) -> Numbers:
        """When the risk is at a level (log-odds) for the first time while followed; infinite if never."""
        low, high = self._log(self.begin), self._log(self.end)
        rise = np.maximum(self.odds_end - self.odds_begin, 1e-9)
        log_ms = low + (level - self.odds_begin) / rise * (high - low)
        crossed = self.since - DAY_MS + np.exp(np.minimum(log_ms, high))
        later = np.where(self.odds_end >= level, crossed, NEVER_MS)
        return np.where(self.odds_begin >= level, self.begin, later)

    def _log(self, at_ms: Numbers | float) -> Numbers:
        logs: Numbers = np.log(np.maximum(at_ms - self.since, 0.0) + DAY_MS)
        return logs


def past_silences(history: History, looks: Sequence[PastDay], until_ms: int, policy: Policy) -> Silences:
    """The silences from the first look until an instant; `looks` are in order of their days."""
    found: list[tuple[float, ...]] = []
    numbers: dict[str, int] = {}
    before_ms: float = -math.inf
    first_ms = looks[0].known_ms
    for look in looks:
        judge = _Judge(look, policy, first_ms, until_ms)
        rows = zip(look.snapshot.customers, look.snapshot.features, look.snapshot.value_minor, strict=True)
        for customer, features, value_minor in rows:
            if value_minor < judge.spend_min or features.frequency < 1:
                continue
            number = numbers.setdefault(customer, len(numbers))
            times = sorted(history.orders.get(customer, {}).values())
            found += judge.silences(number, features, float(value_minor), times, before_ms)
        before_ms = look.known_ms
    columns = np.array(found, dtype=np.float64).reshape(len(found), len(Silences._fields)).T
    return Silences(columns[0].astype(np.int64), columns[1] > 0.0, *columns[2:])


class _Judge:
    """How customers stood as of one look, by the policy."""

    def __init__(self, look: PastDay, policy: Policy, first_ms: int, until_ms: int) -> None:
        self._look, self._policy = look, policy
        self._first_ms, self._until_ms = first_ms, until_ms
        cutoffs = cutoffs_minor(policy.ladder, look.model)
        churn, loyal = policy.churn_risk.tier_min, policy.at_risk_loyal.tier_min
        self._churn_min, self._loyal_min = (cutoffs[policy.tier_rank(tier)] for tier in (churn, loyal))
        self.spend_min = self._churn_min * (1.0 - policy.ladder.slack)
        """Who has spent less, as forgotten by the look, is covered by no rule."""

    def silences(
        self, number: int, features: Features, value_minor: float, times: Sequence[int], after_ms: float
    ) -> Iterator[tuple[float, ...]]:
        """The silences of one customer that began after an instant and up to the look, as rows of Silences.

        What the customer was like when an earlier one of them began is taken from the look, but for the
        purchases that were not made yet.
        """
        known = bisect_right(times, self._look.known_ms)
        days = sorted({at_ms // DAY_MS for at_ms in times[:known]})
        for place in range(known - 1, -1, -1):
            since_ms = times[place]
            if since_ms <= after_ms:
                return
            next_ms = times[place + 1] if place + 1 < len(times) else NEVER_MS
            if next_ms <= self._first_ms or since_ms >= self._until_ms:
                if next_ms <= self._first_ms:
                    return
                continue
            if next_ms // DAY_MS == since_ms // DAY_MS:
                continue
            own_days = days[: bisect_right(days, since_ms // DAY_MS)]
            row = self._row(number, features, value_minor, (since_ms, next_ms), own_days)
            if row is not None:
                yield row

    def _row(
        self,
        number: int,
        features: Features,
        value_minor: float,
        span_ms: tuple[float, float],
        days: Sequence[int],
    ) -> tuple[float, ...] | None:
        since_ms, next_ms = span_ms
        policy, rule = self._policy, self._policy.churn_risk
        if len(days) < max(2, rule.purchase_days_min):
            return None
        allowed_ms = max(
            silent_from_ms(days, since_ms, rule.silence_gaps_min, rule.silence_min_ms),
            days[0] * DAY_MS + rule.history_min_ms,
        )
        begin_ms, end_ms = max(allowed_ms, self._first_ms), min(next_ms, self._until_ms)
        if begin_ms >= min(next_ms, self._until_ms + 1):
            return None
        end_ms = max(begin_ms, end_ms)
        until = self._covered_until(value_minor, since_ms)
        if until[0] < since_ms:
            return None
        stages = policy.stages
        loyal = (
            len(days) >= stages.loyal_purchase_days and begin_ms - days[0] * DAY_MS >= stages.loyal_tenure_ms
        )
        model = self._look.model
        then = structs.replace(features, frequency=len(days) - 1, last_ms=days[-1] * DAY_MS)
        curve = risk_curve(model, then)
        unit_ms = model.process.unit_ms
        horizon = own_horizon(
            model.process, model.horizon, len(days) - 1, (days[-1] - days[0]) * DAY_MS / unit_ms
        )
        return (
            number, loyal, since_ms, begin_ms, end_ms,
            curve.log_odds(int(begin_ms)), curve.log_odds(int(end_ms)),
            next_ms, horizon * unit_ms, *until,
        )  # fmt: skip

    def _covered_until(self, value_minor: float, since_ms: float) -> list[float]:
        """Until when what was spent by the last purchase keeps a customer in the tiers of both kinds, each
        with the slack of a held tier and without."""
        spent = value_minor * 2.0 ** ((self._look.known_ms - since_ms) / VALUE_HALF_LIFE_MS)
        kept = 1.0 - self._policy.ladder.slack
        return [
            _falls_below_ms(spent, least, since_ms) if spent >= tier else -NEVER_MS
            for tier in (self._churn_min, self._loyal_min)
            for least in (tier * kept, tier)
        ]


def silent_from_ms(days: Sequence[int], since_ms: float, gaps_min: float, least_ms: int) -> float:
    """From when on a silence is long enough for the rule; `days`: purchase days so far, by number."""
    if not gaps_min:
        return since_ms + least_ms
    gaps = [later - earlier for earlier, later in pairwise(days)]
    gap_days = max(median(gaps), sum(gaps) / len(gaps))
    return since_ms + max(least_ms, round(gaps_min * gap_days * DAY_MS) + DAY_MS)


def _falls_below_ms(value: float, level: float, at_ms: float) -> float:
    """When a value that decays from an instant on is at a level; before the instant where it is below."""
    if level <= 0.0:
        return NEVER_MS
    return at_ms + VALUE_HALF_LIFE_MS * math.log2(value / level) if value > 0.0 else -NEVER_MS
