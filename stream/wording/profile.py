"""One customer from every side, in plain words: who, buying, interests, engagement, value, feedback, outlook.

What is said is worked out as of one instant, from the same facts and by the same rules as the judgement.
"""

from __future__ import annotations

from msgspec import Struct

from stream.core.facts.feedback import Feedback, blamed_themes, oldest_unresolved_ms
from stream.core.facts.interests import strongest_unbought, top_categories
from stream.core.facts.profile import Profile
from stream.core.facts.purchases import Buying, Sums
from stream.core.facts.rhythm import rhythm
from stream.core.judgement.basis import Book
from stream.core.judgement.episode import is_open
from stream.core.judgement.standing import Standing, standing
from stream.core.units import DAY_MS
from stream.core.value.interval import value_interval
from stream.core.value.lifetime import customer_value
from stream.core.value.rfm import scores, summary
from stream.wording.alert import ALERT_NAMES
from stream.wording.amounts import count, date, days, every, listed, money, mood, share
from stream.wording.dead_ends import dead_end_lines

WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
DAYPARTS = ("at night", "in the morning", "in the afternoon", "in the evening")
CHANGE_TOLD = 0.05
HABIT_SHARE = 0.4
"""From this share of purchases on, a weekday or time of day is a habit worth telling."""
STAGES = {
    "prospect": "has not bought yet",
    "new": "new customer",
    "established": "established customer",
    "loyal": "loyal customer",
    "lapsed": "has probably left",
}


class Section(Struct, frozen=True):
    """A heading and what there is to say under it."""

    title: str
    lines: tuple[str, ...]


def profile_sections(profile: Profile, as_of_ms: int, book: Book) -> list[Section]:
    """The customer as of an instant; sections without anything to say are left out."""
    if profile.erased_ms:
        erased = f"Erased at their own wish on {date(profile.erased_ms)}; nothing is kept."
        return [Section("Who", (erased,))]
    now = standing(profile, as_of_ms, book)
    sections = [
        Section("Who", tuple(who(profile, now, book))),
        Section("Buying", tuple(buying_lines(profile.buying, as_of_ms))),
        Section("Interests", tuple(interest_lines(profile, as_of_ms))),
        Section("Engagement", tuple(engagement_lines(profile, as_of_ms))),
        Section("Value", tuple(value_lines(profile, now, book))),
        Section("Feedback", tuple(feedback_lines(profile.feedback, now))),
        Section("Dead ends", tuple(dead_end_lines(profile, as_of_ms))),
        Section("Outlook", tuple(outlook_lines(profile, now))),
    ]
    return [section for section in sections if section.lines]


def who(profile: Profile, now: Standing, book: Book) -> list[str]:
    """Tier, stage, how they were won, consent."""
    identity = profile.identity
    lines = [
        f"{book.tier_names[now.tier].capitalize()} tier, {STAGES[profile.judgement.stage]}; "
        f"first seen on {date(profile.first_seen_ms)}."
    ]
    if identity.campaign or identity.channel:
        by = f"by campaign {identity.campaign}" if identity.campaign else "without a known campaign"
        through = f" through {identity.channel}" if identity.channel else ""
        lines.append(f"Won {by}{through} on {date(identity.acquired_ms)}.")
    if identity.country:
        lines.append(f"Lives in {identity.country}.")
    for purpose, (at_ms, status) in sorted(identity.consent.items()):
        word = "agreed to" if status == "grant" else "refused"
        lines.append(f"Has {word} {purpose} on {date(at_ms)}.")
    return lines


def buying_lines(buying: Buying, as_of_ms: int) -> list[str]:
    """The pattern of buying."""
    sums = buying.sums
    if not sums.orders:
        return ["Has not bought anything."]
    silent = max(0.0, (as_of_ms - sums.last_at_ms) / DAY_MS)
    lines = [
        f"{count(sums.orders, 'order')} on {count(sums.days, 'day')} since {date(sums.first_at_ms)}; "
        f"the last one {days(silent)} ago, on {date(sums.last_at_ms)}."
    ]
    own = rhythm(buying)
    if own is not None:
        lines.append(f"Usually buys {every(own.usual_gap_days)}; lately {every(own.recent_gap_days)}.")
    lines += _money_lines(buying)
    habits = _habits(sums)
    if habits:
        lines.append(f"Buys mostly {listed(habits)} (UTC).")
    if len(sums.years) > 1:
        lines.append(f"Bought in {listed([str(year) for year in sums.years])}.")
    return lines


def _money_lines(buying: Buying) -> list[str]:
    sums, currency = buying.sums, buying.currency
    priced = sums.orders - sums.foreign_orders
    if not priced:
        return []
    basket = sums.gross_minor / priced
    lines = [
        f"Paid {money(sums.gross_minor, currency)} so far, {money(basket, currency)} an order, "
        f"with {sums.units / sums.orders:.1f} items from {sums.mix / sums.orders:.1f} categories each."
    ]
    if sums.basket_weight and priced > 1 and basket:
        recent = sums.basket_sum / sums.basket_weight
        change = recent / basket - 1
        if abs(change) >= CHANGE_TOLD:
            more = f"{share(abs(change))} {'more' if change > 0 else 'less'} than usual"
            lines.append(f"Recent orders are about {money(recent, currency)}, {more}.")
    if sums.refunded_minor:
        part = share(min(1.0, sums.refunded_minor / sums.gross_minor)) if sums.gross_minor else "all"
        lines.append(f"{money(sums.refunded_minor, currency)} was refunded ({part} of what they paid).")
    if sums.discount_minor:
        part = share(sums.discount_minor / (sums.gross_minor + sums.discount_minor))
        lines.append(
            f"{money(sums.discount_minor, currency)} was taken off in discounts ({part} of full price)."
        )
    if sums.foreign_orders:
        lines.append(
            f"{count(sums.foreign_orders, 'order')} in another currency, not counted in these amounts."
        )
    return lines


def _habits(sums: Sums) -> list[str]:
    found = []
    for counts, names in ((sums.weekdays, WEEKDAYS), (sums.dayparts, DAYPARTS)):
        whole, most = sum(counts), max(counts)
        if whole >= 5 and most >= HABIT_SHARE * whole:
            name = names[counts.index(most)]
            found.append(f"on {name}" if counts is sums.weekdays else name)
    return found


def interest_lines(profile: Profile, as_of_ms: int) -> list[str]:
    """What they buy, look at, and pay for one piece."""
    interests, currency = profile.interests, profile.buying.currency
    lines = []
    if interests.bought:
        lines.append(f"Buys most of {listed(top_categories(interests.bought, 3))}, lately.")
    category, looked = strongest_unbought(interests, as_of_ms)
    if category and looked >= 1:
        lines.append(f"Looks at {category} without ever having bought there.")
    if interests.units and interests.spend_minor:
        usual = money(interests.spend_minor / interests.units, currency)
        lines.append(
            f"Pays {usual} a piece on average, {money(interests.unit_price_max_minor, currency)} at most."
        )
    return lines


def engagement_lines(profile: Profile, as_of_ms: int) -> list[str]:
    """What became of messages and visits, channel by channel."""
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
            parts.append(f"unsubscribed on {date(channel.unsubscribed_at_ms)}")
        if parts:
            lines.append(f"{name}: {', '.join(parts)}.")
    if engagement.redeemed:
        lines.append(f"{count(engagement.redeemed, 'coupon or reward', 'coupons or rewards')} redeemed.")
    if engagement.joined_at_ms:
        lines.append(f"In the loyalty programme since {date(engagement.joined_at_ms)}.")
    if engagement.last_at_ms:
        silent = max(0.0, (as_of_ms - engagement.last_at_ms) / DAY_MS)
        lines.append(f"Last visit, click or other sign of interest {days(silent)} ago.")
    return lines


def value_lines(profile: Profile, now: Standing, book: Book) -> list[str]:
    """What they are expected to earn, and where they stand among all customers."""
    if not profile.buying.sums.orders:
        return []
    finance, currency = book.policy.finance, profile.buying.currency
    history = summary(profile.buying, now.as_of_ms, book.model.process.unit_ms)
    x, t_x, age, mean_minor = history.frequency, history.recency, history.T, history.monetary_minor
    value = customer_value(book.valuation, x, t_x, age, mean_minor)
    low, middle, high = value_interval(book.valuation, x, t_x, age, mean_minor)
    between = [money(minor, currency, rounded=True) for minor in (low, high)]
    spread = (
        f"as likely above as below {money(middle, currency, rounded=True)}, 8 in 10 such customers between "
        f"{' and '.join(between)}"
        if round(high)
        else "more than 9 in 10 such customers bring nothing"
    )
    ranks = scores(history, book.model)
    return [
        f"Expected to earn {money(value.finite_minor, currency, rounded=True)} within "
        f"{days(finance.risk_horizon_ms / DAY_MS)}: {spread}.",
        f"(Earnings are {share(finance.margin)} of what they pay; money a year from now counts "
        f"{share(finance.annual_discount)} less.)",
        f"Among all customers, in fifths (5 is best): {ranks.r} for how recently, {ranks.f} for how often, "
        f"{ranks.m} for how much they buy.",
    ]


def feedback_lines(feedback: Feedback, now: Standing) -> list[str]:
    """What they said, as numbers: never the words themselves."""
    lines = []
    if feedback.count:
        usual = feedback.temper_sum / feedback.temper_weight
        lines.append(
            f"Gave feedback {count(feedback.count, 'time')}: {mood(now.opinion)} lately ({now.opinion:+.1f} "
            f"on a scale from -1 to 1), {mood(usual)} over the years ({usual:+.1f})."
        )
    if feedback.nps_at_ms:
        word = (
            "would recommend us"
            if feedback.nps >= 9
            else "would warn others"
            if feedback.nps < 7
            else "is indifferent"
        )
        lines.append(f"{word.capitalize()}: {feedback.nps:g} of 10 on {date(feedback.nps_at_ms)}.")
    blamed = blamed_themes(feedback, now.as_of_ms)
    praised = sorted(name for name, theme in feedback.themes.items() if theme.polarity > 0)
    if blamed:
        lines.append(f"Complains about {listed(blamed)}.")
    if praised:
        lines.append(f"Praises {listed(praised)}.")
    if feedback.complaints:
        lines.append(f"{count(feedback.complaints, 'complaint')} so far.")
    opened_ms = oldest_unresolved_ms(feedback)
    if opened_ms is not None:
        waiting = sum(ticket not in feedback.resolved for ticket in feedback.opened)
        since = days(max(0.0, (now.as_of_ms - opened_ms) / DAY_MS))
        lines.append(
            f"{count(waiting, 'ticket or complaint', 'tickets or complaints')} open, the oldest for {since}."
        )
    return lines


def outlook_lines(profile: Profile, now: Standing) -> list[str]:
    """How likely they are to stop, and what is open."""
    lines = []
    if now.features is not None:
        lines.append(f"Chance that they do not buy again in the time they usually would: {share(now.risk)}.")
    for kind, episode in sorted(profile.judgement.episodes.items()):
        if is_open(episode):
            urgent = ", urgent" if episode.state == "escalated" else ""
            lines.append(f"Open alert since {date(episode.opened_ms)}: {ALERT_NAMES[kind]}{urgent}.")
    if profile.next_review_ms is not None:
        lines.append(f"If nothing happens, the next look at them is due on {date(profile.next_review_ms)}.")
    return lines
