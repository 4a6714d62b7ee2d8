"""All that is known of one customer, in plain words and in sections, from who they are to the outlook.

Everything holds for one instant, and is computed from the same facts and by the same rules as alerts.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import astuple

from stream.core.calendar import Calendar
from stream.core.facts.interests import strongest_unbought, top_categories
from stream.core.facts.profile import Profile
from stream.core.facts.purchases import Buying
from stream.core.facts.rhythm import mean_gap_days, regularity, rhythm
from stream.core.facts.sums import Sums
from stream.core.judgement.basis import Basis
from stream.core.judgement.episode import is_open
from stream.core.judgement.ranking import is_ranked
from stream.core.judgement.standing import Standing, standing
from stream.core.judgement.worth import expected_minor, spread_now
from stream.core.units import DAY_MS
from stream.core.value.rfm import scores, summary
from stream.wording.alert import ALERT_NAMES
from stream.wording.amounts import ago, count, date, days, every, listed, money, most_bring, share
from stream.wording.dead_ends import dead_end_lines
from stream.wording.feedback import feedback_lines
from stream.wording.seasons import season_lines
from stream.wording.spending import money_lines, price_lines

WEEKDAY_WORDS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
DAYPART_WORDS = ("at night", "in the morning", "in the afternoon", "in the evening")
HABIT_ORDERS_MIN, HABIT_SHARE_MIN = 5, 0.4
"""A weekday or time of day is a habit from so many orders on, with at least this share of them."""
GAPS_MIN = 3
"""Gaps between purchases from which on their spread is given."""
STAGES = {
    "prospect": "has not bought yet",
    "new": "new customer",
    "established": "established customer",
    "loyal": "loyal customer",
    "lapsed": "has probably left",
}


class Section(Struct, frozen=True):
    """A heading and its lines."""

    title: str
    lines: tuple[str, ...]


RANKS = "Among all customers, from 1 to 5, the best fifth (RFM): "
"""How the line of the ranks begins: a page that shows them as a table leaves it out."""


def profile_sections(
    profile: Profile, as_of_ms: int, basis: Basis, *, of_other_basis: bool = False
) -> list[Section]:
    """The customer at an instant; sections without lines are left out. Tier and stage are those judged last.

    `of_other_basis`: that judgement is by another policy or model than `basis`, so its churn risk is shown as
    it was then.
    """
    calendar = basis.meaning.calendar
    if profile.erased_ms:
        erased = f"Erased at the customer's request on {date(profile.erased_ms, calendar)}; no data is kept."
        return [Section("Who", (erased,))]
    now = standing(profile, as_of_ms, basis)
    season = [] if of_other_basis else season_lines(now.features, basis.model, as_of_ms)
    sections = [
        Section("Who", tuple(who(profile, basis))),
        Section("Buying", (*buying_lines(profile.buying, as_of_ms, calendar), *season)),
        Section("Interests", tuple(interest_lines(profile, as_of_ms))),
        Section("Engagement", tuple(engagement_lines(profile, as_of_ms, calendar))),
        Section("Value", tuple(value_lines(profile, now, basis))),
        Section("Feedback", tuple(feedback_lines(profile.feedback, now, calendar))),
        Section("Dead ends", tuple(dead_end_lines(profile, as_of_ms, calendar))),
        Section("Outlook", tuple(outlook_lines(profile, now, of_other_basis, calendar))),
    ]
    return [section for section in sections if section.lines]


def who(profile: Profile, basis: Basis) -> list[str]:
    """Tier, stage, acquisition, country and consent."""
    identity, calendar = profile.identity, basis.meaning.calendar
    rank, names = profile.judgement.tier, basis.tier_names
    tier = f"{names[rank].capitalize()} tier" if rank < len(names) else f"Tier {rank + 1} from below"
    if not is_ranked(profile.buying.currency, basis.ranking):
        tier = f"Not ranked (pays in {profile.buying.currency}, tiers are in {basis.ranking})"
    lines = [
        f"{tier}, {STAGES[profile.judgement.stage]}; first seen on {date(profile.first_seen_ms, calendar)}."
    ]
    if identity.campaign or identity.channel:
        by = f" by campaign {identity.campaign}" if identity.campaign else ""
        through = f" through the channel {identity.channel}" if identity.channel else ""
        lines.append(f"Acquired{by}{through} on {date(identity.acquired_ms, calendar)}.")
    if identity.country:
        lines.append(f"Country: {identity.country}.")
    for purpose, (at_ms, status) in sorted(identity.consent.items()):
        answer = "Agreed to" if status == "grant" else "Refused"
        lines.append(f"{answer} {purpose} on {date(at_ms, calendar)}.")
    return lines


def buying_lines(buying: Buying, as_of_ms: int, calendar: Calendar) -> list[str]:
    """Orders, purchase rhythm, money and habits."""
    sums = buying.sums
    if not sums.orders:
        return ["Has not bought anything yet."]
    lines = [
        f"{count(sums.orders, 'order')} on {count(sums.days, 'day')} "
        f"since {date(sums.first_at_ms, calendar)}; "
        f"the last one {ago(sums.last_at_ms, as_of_ms, calendar)}, on {date(sums.last_at_ms, calendar)}."
    ]
    own = rhythm(buying, calendar)
    if own is not None:
        usual, recent = every(own.usual_gap_days), every(own.recent_gap_days)
        lines.append(f"Usually buys {usual}{_give_or_take(sums)}; recently {recent}.")
    lines += money_lines(buying)
    habits = _habits(sums)
    if habits:
        lines.append(f"Mostly buys {listed(habits)} ({calendar.zone}).")
    if len(sums.years) > 1:
        lines.append(f"Bought in {listed([str(year) for year in sums.years])}.")
    return lines


def _give_or_take(sums: Sums) -> str:
    """`, give or take 2`: the standard deviation of the gaps, from three on; else nothing."""
    mean_days = mean_gap_days(sums)
    if mean_days is None or sums.days - 1 < GAPS_MIN:
        return ""
    spread = round(regularity(sums) * mean_days)
    return f", give or take {spread if spread else 'less than a day'}"


def _habits(sums: Sums) -> list[str]:
    found = []
    for counts, names in ((sums.weekdays, WEEKDAY_WORDS), (sums.dayparts, DAYPART_WORDS)):
        whole, most = sum(counts), max(counts)
        if whole >= HABIT_ORDERS_MIN and most >= HABIT_SHARE_MIN * whole:
            name = names[counts.index(most)]
            found.append(f"on {name}" if counts is sums.weekdays else name)
    return found


def interest_lines(profile: Profile, as_of_ms: int) -> list[str]:
    """What they buy and look at, and what they pay for one item."""
    interests = profile.interests
    lines = []
    if interests.bought:
        lines.append(f"Recently bought most: {listed(top_categories(interests.bought, 3))}.")
    category, looked = strongest_unbought(interests, as_of_ms)
    if category and looked >= 1:
        lines.append(f"Looks at {category}, but has never bought there.")
    lines += price_lines(interests, profile.buying.currency)
    return lines


def engagement_lines(profile: Profile, as_of_ms: int, calendar: Calendar) -> list[str]:
    """Messages and visits by channel, loyalty, and the last sign of interest."""
    engagement = profile.engagement
    lines = []
    for name, channel in sorted(engagement.channels.items()):
        parts = [
            f"{number:,} {word}"
            for number, word in (
                (channel.delivered, "delivered"),
                (channel.opened, "opened"),
                (channel.clicked, "clicked"),
                (channel.bounced, "bounced"),
                (channel.complained, "reported as spam"),
                (channel.sessions, "visit" if channel.sessions == 1 else "visits"),
            )
            if number
        ]
        if channel.unsubscribed_at_ms:
            parts.append(f"unsubscribed on {date(channel.unsubscribed_at_ms, calendar)}")
        if parts:
            lines.append(f"{name}: {', '.join(parts)}.")
    if engagement.redeemed:
        lines.append(f"{count(engagement.redeemed, 'coupon or reward', 'coupons or rewards')} redeemed.")
    if engagement.joined_at_ms:
        lines.append(f"In the loyalty programme since {date(engagement.joined_at_ms, calendar)}.")
    if engagement.last_at_ms:
        when = ago(engagement.last_at_ms, as_of_ms, calendar)
        lines.append(f"Last visit, click or other sign of interest: {when}.")
    return lines


def value_lines(profile: Profile, now: Standing, basis: Basis) -> list[str]:
    """The profit to expect from them, and their RFM scores."""
    if not profile.buying.sums.orders:
        return []
    finance, currency = basis.policy.finance, profile.buying.currency
    if not is_ranked(currency, basis.ranking):
        unknown = f"Value is reckoned in {basis.ranking}, and the policy has no rate for {currency}"
        return [f"{unknown}: none is known."]
    history = summary(profile.buying, now.as_of_ms, basis.model.process.unit_ms)
    expected, spread_minor = expected_minor(profile, now, basis), spread_now(profile, now, basis)
    low, middle, high = astuple(spread_minor)
    most = most_bring(low, high, currency)
    half = (
        f"half of such customers bring more than {money(middle, currency, rounded=True)}"
        if round(middle)
        else "at least half of such customers bring nothing"
    )
    spread = f"{half}, {most}" if round(high) else "more than 9 in 10 such customers bring nothing"
    ranks = scores(history, basis.model)
    rfm = f"{RANKS}how lately they bought {ranks.r}, how often {ranks.f}"
    if not profile.buying.sums.gross_minor:
        return [f"{rfm}."]
    return [
        f"Expected profit within {days(finance.risk_horizon_ms / DAY_MS)}: "
        f"{money(expected, currency, rounded=True)} on average; {spread}.",
        f"(Profit is {share(finance.margin)} of what they pay; money in a year counts "
        f"{share(finance.annual_discount)} less.)",
        f"{rfm}, how much at a time {ranks.m}.",
    ]


def outlook_lines(profile: Profile, now: Standing, of_other_basis: bool, calendar: Calendar) -> list[str]:
    """The probability that they stop buying, open alerts, and the next review."""
    lines = []
    judged_on = date(profile.judgement.judged_ms, calendar)
    if now.features is not None:
        risk = share(profile.judgement.risk) + f" on {judged_on}" if of_other_basis else share(now.risk)
        lines.append(f"Probability that they do not buy again within their usual time: {risk}.")
    for kind, episode in sorted(profile.judgement.episodes.items()):
        if is_open(episode):
            urgent = ", urgent" if episode.state == "escalated" else ""
            lines.append(
                f"Open alert since {date(episode.opened_ms, calendar)}: {ALERT_NAMES[kind]}{urgent}."
            )
    if not any(map(is_open, profile.judgement.episodes.values())):
        lines.append("No alert is open.")
    if profile.next_review_ms is not None and profile.next_review_ms <= now.as_of_ms:
        due = f"A review was due on {date(profile.next_review_ms, calendar)}"
        lines.append(f"{due}: tier, stage and alerts are those of {judged_on}.")
    elif profile.next_review_ms is not None:
        lines.append(
            f"Without new events they are reviewed next on {date(profile.next_review_ms, calendar)}."
        )
    return lines
