"""The rows of the read store: what of a profile and of an alert is searched, sorted or shown in a list.

Everything is as of one instant, by one basis (policy and model). Money is in minor units of the customer's
own currency. The profile itself is in a table of its own, so that lists are read without it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from cramjam import lz4
from msgspec import Struct

from stream.core.alerts.alert import Alert, ValueAtRisk, instant_of
from stream.core.alerts.build import open_alert_at, open_alert_in_brief
from stream.core.facts.profile import Judgement, Profile
from stream.core.judgement.basis import Basis
from stream.core.judgement.change import score_before
from stream.core.judgement.episode import is_open
from stream.core.judgement.held import held_back
from stream.core.judgement.ranking import is_ranked
from stream.core.judgement.standing import Standing, standing
from stream.core.judgement.worth import expected_minor, is_priced
from stream.core.policy.policy import ALERT_KINDS
from stream.core.risk.churn import logistic
from stream.core.units import DAY_MS
from stream.core.value.swanson import mean_and_variance
from stream.page.cells import risk_band, value_step
from stream.page.closed import is_closed_to_us

CHANGE_SPAN_MS = 30 * DAY_MS
"""A change of a score is what it has risen within the last 30 days."""

NOT_RANKED = -1
"""In place of a rank on the ladder."""
NOT_KNOWN = -1
"""In place of an amount."""

_encode = msgspec.json.Encoder().encode


class CustomerEntry(Struct, frozen=True):
    """One customer, as columns of the table `customers`, in this order."""

    customer: str
    tier: int
    """Rank on the ladder, 0 lowest; -1: not ranked, because they pay in another currency."""
    tier_before: int
    """The rank before the last change; -1: there was none."""
    tier_since_ms: int
    stage: str
    risk: float
    """Churn risk, 0 to 1, as of now."""
    risk_rise: float
    """What it has risen within 30 days, or since the last purchase where that was later."""
    value_minor: int
    """Profit to expect within the policy's horizon, on average; -1: not known, as no order has a price
    or the customer pays in a currency in which nobody is ranked."""
    currency: str
    """Empty for a customer who never bought."""
    paid_minor: int
    """Less refunds."""
    orders: int
    first_ms: int
    """The first purchase; 0: never."""
    last_purchase_ms: int
    """0: never."""
    campaign: str
    channel: str
    country: str
    open_kinds: str
    """Kinds of the open alerts, separated by spaces."""
    held: str
    """Kinds of alerts that are held back and by what, as `kind:reason`, separated by spaces
    (stream/core/judgement/held.py)."""
    as_of_ms: int
    """The instant that risk and worth are as of."""
    risk_band: int
    """Of `risk`, as customers are counted by (stream/page/cells.py)."""
    value_step: int
    """Of `value_minor`."""


class UnseenEntry(Struct, frozen=True):
    """A customer whose profile this program cannot look at, as columns of the table `unseen`: lists and sums
    are without them."""

    customer: str
    reason: str
    """One of those below."""


UNREADABLE_ROW, NEWER_ROW, OTHER_MEANING, OUR_FAULT = "unreadable", "newer_version", "other_meaning", "fault"
"""The stored row, or a part of it, cannot be read; a later version wrote it; its facts are of another zone or
currency; a rule of ours stumbles over it."""


class ProfileEntry(Struct, frozen=True):
    """The profile itself, as columns of the table `profiles`, in this order."""

    customer: str
    body: bytes
    """JSON as `stream replay` writes it, packed (`packed`)."""


class OpenEntry(Struct, frozen=True):
    """One alert that is open, as columns of the table `open_alerts`, in this order."""

    customer: str
    kind: str
    episode: int
    urgent: int
    """1 where the alert was escalated."""
    opened_ms: int
    tier: int
    tier_before: int
    tier_since_ms: int
    score: float
    """0 to 1, as of now."""
    score_before: float
    """The same 30 days earlier (stream/core/judgement/change.py)."""
    currency: str
    stake_low_minor: int
    stake_minor: int
    """Value at risk: the 50th percentile; the two beside it are the 10th and the 90th. -1: not known."""
    stake_high_minor: int
    stake_mean: float
    """By Swanson's rule, as in the words of the alert (stream/core/value/swanson.py);
    means and variances of customers add up, percentiles do not."""
    stake_variance: float
    worth: float
    """The order of the list: what of the value at risk came into doubt within 30 days."""
    likely_lost: float
    """Another order: the mean of the value at risk times the churn risk, whenever that rose."""
    data: bytes
    """The alert as of now, as JSON of AlertData; empty where it is worked out for who looks at it: it takes
    long, and in a running shop it changes with every round."""
    closed_to_us: int = 0
    """1 where nobody may contact them about it: they refused what its plays need, or are held out. They stand
    after all others: nothing can be done for them today."""


class AlertEntry(Struct, frozen=True):
    """One alert as it was sent, as columns of the table `alerts`, in this order."""

    id: str
    customer: str
    kind: str
    state: str
    at_ms: int
    sequence: int
    """Counts the alerts of the customer."""
    body: bytes


def customer_entry(
    profile: Profile, as_of_ms: int, basis: Basis, now: Standing | None = None
) -> CustomerEntry:
    """The row of a customer at an instant that is not before their last judgement. `now`: their standing
    then, where it is known already."""
    buying, identity, judgement = profile.buying, profile.identity, profile.judgement
    sums = buying.sums
    value_minor = risk = rise = 0.0
    if sums.orders:
        now = now or standing(profile, as_of_ms, basis)
        risk = now.risk
        before_ms = max(as_of_ms - CHANGE_SPAN_MS, sums.last_at_ms)
        assert now.curve is not None
        rise = max(0.0, risk - logistic(now.curve.log_odds(before_ms)))
        value_minor = NOT_KNOWN
        if is_priced(profile, now):
            value_minor = expected_minor(profile, now, basis)
    return CustomerEntry(
        profile.customer,
        tier_of_ladder(profile, basis),
        tier_before(judgement),
        judgement.tier_since_ms,
        judgement.stage,
        risk,
        rise,
        round(value_minor),
        buying.currency,
        buying.net_minor,
        sums.orders,
        sums.first_at_ms,
        sums.last_at_ms,
        identity.campaign,
        identity.channel,
        identity.country,
        " ".join(kind for kind in ALERT_KINDS if is_open(judgement.episodes.get(kind))),
        " ".join(f"{kind}:{why}" for kind, why in held_back(judgement, as_of_ms, basis)),
        as_of_ms,
        risk_band(risk),
        value_step(sums.orders, round(value_minor)),
    )


def profile_entry(profile: Profile) -> ProfileEntry:
    """The row with the profile itself."""
    return ProfileEntry(profile.customer, packed(_encode(profile)))


def packed(profile: bytes) -> bytes:
    """JSON of a profile, with LZ4 (a block, its length before it): a third less to write."""
    return bytes(lz4.compress_block(profile))


def unpacked(body: bytes) -> bytes:
    """The JSON that was packed."""
    return bytes(lz4.decompress_block(body))


def tier_of_ladder(profile: Profile, basis: Basis) -> int:
    """Rank on the ladder; -1 for a customer who pays in a currency in which nobody is ranked."""
    return profile.judgement.tier if is_ranked(profile.buying.currency, basis.ranking) else NOT_RANKED


def tier_before(judgement: Judgement) -> int:
    """The rank before the last change of tier; -1 where there was none, or it is no longer kept."""
    moves = judgement.tier_moves
    if len(moves) > 1:
        return moves[-2][1]
    return 0 if moves and moves[-1][1] > 0 else -1


def open_entries(
    profile: Profile, as_of_ms: int, basis: Basis, now: Standing | None = None, *, brief: bool = False
) -> Iterator[OpenEntry]:
    """A row for each alert of the customer that is open; `brief`: without `data`. `now`: as above."""
    judgement = profile.judgement
    for kind in ALERT_KINDS:
        episode = judgement.episodes.get(kind)
        if episode is None or not is_open(episode):
            continue
        now, body = now or standing(profile, as_of_ms, basis), b""
        if brief:
            score, stake = open_alert_in_brief(kind, profile, now, basis)
        else:
            data = open_alert_at(kind, profile, as_of_ms, basis)
            score, stake, body = data.score.value, data.value_at_risk, _encode(data)
        before = min(score, score_before(kind, profile, as_of_ms - CHANGE_SPAN_MS, basis))
        low, middle, high = _percentiles(stake)
        mean, variance = mean_and_variance(low, middle, high) if middle != NOT_KNOWN else (0.0, 0.0)
        change = score - before if kind != "upgrade_opportunity" else score
        yield OpenEntry(
            profile.customer,
            kind,
            episode.n,
            int(episode.state == "escalated"),
            episode.opened_ms,
            judgement.tier,
            tier_before(judgement),
            judgement.tier_since_ms,
            score,
            before,
            profile.buying.currency,
            low,
            middle,
            high,
            mean,
            variance,
            mean * change,
            mean * now.risk,
            body,
            int(is_closed_to_us(kind, profile, as_of_ms, basis)),
        )


def alert_entry(alert: Alert) -> AlertEntry:
    """The row of an alert that was sent."""
    data, at_ms = alert.data, alert_ms(alert)
    body = _encode(alert)
    return AlertEntry(alert.id, alert.subject, data.kind, data.state, at_ms, int(alert.sequence), body)


def alert_ms(alert: Alert) -> int:
    """The instant of an alert in milliseconds since 1970."""
    return instant_of(alert.time)


def _percentiles(stake: ValueAtRisk | None) -> tuple[int, int, int]:
    if stake is None:
        return NOT_KNOWN, NOT_KNOWN, NOT_KNOWN
    return stake.p10_minor, stake.p50_minor, stake.p90_minor
