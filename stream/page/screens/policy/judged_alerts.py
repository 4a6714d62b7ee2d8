"""Did the alerts keep their word? What customers did after those whose horizon is over, week by week.

An alert of churn risk states with what probability its customer buys nothing within their own horizon. When
that is over, the alert is judged by the orders of the customer's profile. Nothing is counted as it comes: the
answer follows from the alerts and the profiles of the read store. So a store that is built anew, a record
that is read twice or a late order leads to the same answer, and each alert counts once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from stream.core.alerts.alert import CustomerRef, Score
from stream.core.facts.memory.order_match import live_orders
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.value.clv import own_horizon
from stream.page.screens.view import View
from stream.page.store.store import Reading
from stream.page.stored_profiles import whole_profile

KIND = "churn_risk"
"""The kind whose score is a probability of what can be seen afterwards."""
WEEKS = 13
ALERTS_MAX = 10_000
"""The newest alerts that are looked at."""
Z_90 = 1.6448536269514722
"""Of a normal distribution: 9 in 10 lie within so many standard deviations."""
BANDS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.85), (0.85, 1.0 + 1e-9))
"""Stated probabilities that are put together to see whether each is true."""


class Promised(Struct):
    """Alerts that were judged, in a week or of like probability."""

    name: str
    judged: int = 0
    right: int = 0
    """Whose customers bought nothing within their horizon."""
    stated: float = 0.0
    """Sum of the stated probabilities."""

    def add(self, stated: float, right: bool) -> None:
        """Count one more."""
        self.judged += 1
        self.right += right
        self.stated += stated

    @property
    def promised(self) -> float:
        """The mean stated probability; 0 without alerts."""
        return self.stated / self.judged if self.judged else 0.0

    @property
    def got(self) -> float:
        """The share that was right; 0 without alerts."""
        return self.right / self.judged if self.judged else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 90% interval of that share (Wilson 1927)."""
        if not self.judged:
            return 0.0, 1.0
        n, share, z = self.judged, self.got, Z_90
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


class JudgedAlerts(Struct, frozen=True):
    """All alerts whose horizon ended within the last weeks."""

    whole: Promised
    weeks: list[Promised]
    """By the week in which the horizon ended, the latest first."""
    bands: list[Promised]
    unknown: int
    """Of customers with so many orders since that theirs of then are no longer kept."""
    unread: int
    """Alerts of customers whose profile cannot be read in full, within that time and a horizon before it."""


class _JudgedBody(Struct):
    score: Score
    customer: CustomerRef


class _JudgedAlert(Struct):
    data: _JudgedBody


_decode_alert = msgspec.json.Decoder(_JudgedAlert).decode


def judged_alerts(reading: Reading, view: View) -> JudgedAlerts:
    """What became of the alerts of churn risk whose horizon ended within the last 13 weeks."""
    starts = view.day_starts_ms(7 * WEEKS)[::7]
    weeks = [Promised(view.date(start)) for start in starts]
    bands = [Promised(f"{low:.0%} to {min(1.0, high):.0%}") for low, high in BANDS]
    whole, unknown, unread = Promised(""), 0, 0
    for outcome in _outcomes(reading, view, starts[0]):
        if outcome is None:
            unread += 1
            continue
        over_ms, stated, silent = outcome
        if silent is None:
            unknown += 1
            continue
        week = max(place for place, start in enumerate(starts) if start <= over_ms)
        band = next(place for place, (low, high) in enumerate(BANDS) if low <= stated < high)
        for each in (whole, weeks[week], bands[band]):
            each.add(stated, silent)
    return JudgedAlerts(whole, weeks[::-1], [each for each in bands if each.judged], unknown, unread)


def _outcomes(reading: Reading, view: View, since_ms: int) -> Iterator[tuple[int, float, bool | None] | None]:
    """When each horizon ended, what was stated, and whether nothing was bought (None: not known); None of an
    alert whose customer cannot be read."""
    longest_ms = view.basis.model.horizon.max_ms
    sql = (
        "SELECT a.at_ms, a.body, p.body FROM alerts a JOIN profiles p ON p.customer = a.customer "
        f"WHERE a.kind = '{KIND}' AND a.state = 'raised' AND a.at_ms >= ? AND a.at_ms < ? "
        f"ORDER BY a.at_ms DESC, a.id LIMIT {ALERTS_MAX}"
    )
    for at_ms, body, content in reading.rows(sql, [since_ms - longest_ms, view.as_of_ms]):
        sent, profile = _decode_alert(body), whole_profile(content)
        if profile is None:
            yield None
            continue
        over_ms = at_ms + _horizon_ms(profile, sent.data.customer.purchase_days, at_ms, view.basis)
        if since_ms <= over_ms <= view.as_of_ms:
            yield over_ms, sent.data.score.value, _bought_nothing(profile, at_ms, over_ms)


def _horizon_ms(profile: Profile, purchase_days: int, at_ms: int, basis: Basis) -> int:
    """The customer's own horizon as it was when the alert was raised, by the model of now."""
    process, sums = basis.model.process, profile.buying.sums
    last_ms = max((order.at_ms for order in profile.buying.orders if order.at_ms <= at_ms), default=at_ms)
    span = max(0, last_ms - sums.first_midnight_ms) / process.unit_ms
    return round(own_horizon(process, basis.model.horizon, max(0, purchase_days - 1), span) * process.unit_ms)


def _bought_nothing(profile: Profile, at_ms: int, over_ms: int) -> bool | None:
    buying = profile.buying
    orders = live_orders(buying.orders, buying.cancelled, buying.cancelled_by)
    if any(at_ms < order.at_ms <= over_ms for order in orders):
        return False
    return None if buying.gone_ms > at_ms else True
