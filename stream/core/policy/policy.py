"""Every knob of the policy file, with its default and meaning: tiers, rules, playbook, limits, money, words.

A policy is read from one TOML file (`stream.policy_file`) and never changes while in force: alerts name its
hash. Durations are milliseconds of event time; in the file they are written `30d`, `12h`, `15m`.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct, field

from stream.core.calendar import UTC_CALENDAR, Calendar
from stream.core.currency import RATE_PATTERN
from stream.core.policy.default_words import DEFAULT_LEXICON, DEFAULT_PLAYS, DEFAULT_THEMES
from stream.core.units import DAY_MS, Share

Polarity = Annotated[float, Meta(ge=-1, le=1)]
DURATION_MAX_MS = 36_525 * DAY_MS
"""100 years: an instant of the contract (until 2099) and a duration together are still a date."""
DurationMs = Annotated[int, Meta(ge=0, le=DURATION_MAX_MS)]
HorizonMs = Annotated[int, Meta(ge=DAY_MS, le=DURATION_MAX_MS)]
Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]*$", max_length=64)]
Word = Annotated[str, Meta(pattern=r"^[^\sA-Z]+$", max_length=64)]
ThemeWord = Annotated[str, Meta(pattern=r"^\S+( \S+)*$", max_length=64)]
ZONE_PATTERN = "^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"
ZoneName = Annotated[str, Meta(pattern=ZONE_PATTERN, max_length=64)]
Code = Annotated[str, Meta(pattern="^[A-Z][A-Z0-9_]*$", max_length=64)]
CurrencyCode = Annotated[str, Meta(pattern="^[A-Z]{3}$", min_length=3, max_length=3)]
CurrencyOrNone = Annotated[str, Meta(pattern="^([A-Z]{3})?$", max_length=3)]
Rate = Annotated[str, Meta(pattern=RATE_PATTERN, max_length=25)]
DAY_PATTERN = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"
DayOrNone = Annotated[str, Meta(pattern=DAY_PATTERN, max_length=10)]
SALT_PATTERN = r"^[A-Za-z0-9_.-]*$"
Salt = Annotated[str, Meta(pattern=SALT_PATTERN, max_length=64)]

AlertKind = Literal["at_risk_loyal", "churn_risk", "upgrade_opportunity"]
"""In order of precedence: while an alert of one kind is open, none of the kinds after it is raised."""


UPGRADES_A_MONTH_MAX = 0.02
"""The shipped share of the customers who may have an upgrade opportunity in a month."""


class _Knobs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the policy's parts: unknown keys are errors."""


class Tier(_Knobs, frozen=True):
    """One step of the value ladder: customers whose recent spend is above `quantile` of the population's."""

    name: Name
    """Name of the tier in alerts, metrics and `tier_min`."""
    quantile: Share
    """Share of customers below the tier: 0.95 leaves the best 5%."""


class Business(_Knobs, frozen=True):
    """By whose clock days are counted: purchase days, weekdays, times of day, and the days of studies.
    Another zone changes what the facts of profiles mean: to a running application it comes by a cut-over."""

    zone: ZoneName = "UTC"
    """Time zone of the business. With another one than UTC, the version of the zone data (Python package
    tzdata) is part of the policy's hash."""


class Ladder(_Knobs, frozen=True):
    """The value tiers, lowest first."""

    steps: Annotated[tuple[Tier, ...], Meta(min_length=2, max_length=8)] = (
        Tier(name="bronze", quantile=0.0),
        Tier(name="silver", quantile=0.5),
        Tier(name="gold", quantile=0.8),
        Tier(name="platinum", quantile=0.95),
    )
    slack: Share = 0.15
    """A tier is lost only when recent spend falls this share below its cut-off, so that customers do not
    flap."""


class Stages(_Knobs, frozen=True):
    """When a customer counts as established, and when as loyal."""

    established_purchase_days: Annotated[int, Meta(ge=1)] = 3
    """From so many days with a purchase on a customer is established."""
    loyal_purchase_days: Annotated[int, Meta(ge=2)] = 6
    """A loyal customer has at least so many days with a purchase ..."""
    loyal_tenure_ms: DurationMs = 90 * DAY_MS
    """... and made the first one at least this long ago."""
    lapsed_risk: Share = 0.9
    """A customer whose churn risk reaches this has lapsed, until the next purchase."""


class Hysteresis(_Knobs, frozen=True):
    """At which scores, and how soon, alerts of one kind are raised and closed."""

    raise_at: Share
    """An alert is raised when the score reaches this."""
    clear_at: Share
    """It is cleared when the score falls below this. Keep it below `raise_at`, so that a noisy score
    raises one alert."""
    escalate_at: Share
    """An open alert escalates when the score reaches this."""
    dwell_ms: DurationMs = 0
    """The score must stay at or above `raise_at` this long before the alert is raised."""
    cool_down_ms: DurationMs = 30 * DAY_MS
    """After an alert ended, no other of this kind is raised for this long."""
    expire_ms: DurationMs = 60 * DAY_MS
    """An open alert that was not cleared expires after this."""


class ChurnRiskRule(_Knobs, frozen=True):
    """The probability of no purchase within the customer's own horizon is high."""

    hysteresis: Hysteresis = Hysteresis(
        raise_at=0.6, clear_at=0.4, escalate_at=0.8, cool_down_ms=30 * DAY_MS, expire_ms=60 * DAY_MS
    )
    learnt_thresholds: bool = True
    """Use the thresholds of the model record when it has some; those of the hysteresis otherwise."""
    tier_min: Name = "silver"
    """Alerts are raised for this tier and the ones above."""
    purchase_days_min: Annotated[int, Meta(ge=1)] = 2
    """Alerts are raised for customers with at least so many days with a purchase ..."""
    history_min_ms: DurationMs = 30 * DAY_MS
    """... whose first one was at least this long ago ..."""
    silence_gaps_min: Annotated[float, Meta(ge=0, le=100)] = 1.0
    """... and who have bought nothing for so many of their own gaps between purchase days (mean or median,
    the longer; for a customer with one such day the usual gap of the model) and a day ..."""
    silence_min_ms: DurationMs = 7 * DAY_MS
    """... but at least for this long."""


class UpgradeRule(_Knobs, frozen=True):
    """Close to the next tier, and growing, interested or enthusiastic."""

    hysteresis: Hysteresis = Hysteresis(
        raise_at=0.75, clear_at=0.5, escalate_at=1.0, cool_down_ms=120 * DAY_MS, expire_ms=45 * DAY_MS
    )
    monthly_share_max: Share = UPGRADES_A_MONTH_MAX
    """A model learns the score from which at most this share of the customers has such an alert in a month;
    it counts where it is above `raise_at`. With 1 there is no limit, and `raise_at` counts."""
    closeness_weight: Share = 0.6
    """Weight of closeness: recent spend as a share of the next tier's cut-off."""
    growth_weight: Share = 0.2
    """Weight of growth: larger baskets or more frequent purchases than before."""
    affinity_weight: Share = 0.1
    """Weight of a strong interest in a category never bought."""
    promoter_weight: Share = 0.1
    """Weight of being a promoter (NPS 9-10, or warm feedback)."""
    closeness_min: Share = 0.8
    """Alerts are raised only at or above this share of the next tier's cut-off."""
    growth_full: Annotated[float, Meta(gt=0)] = 0.5
    """Growth of baskets or frequency that counts with the whole weight: 0.5 is half as much again as
    before."""
    affinity_min: Annotated[float, Meta(gt=0)] = 3.0
    """Views, searches and cart additions in a category, decayed, from which on interest is strong."""
    purchase_days_min: Annotated[int, Meta(ge=1)] = 3
    """Alerts are raised from so many days with a purchase on ..."""
    history_min_ms: DurationMs = 30 * DAY_MS
    """... the first of which was at least this long ago: growth needs something to compare with."""
    risk_max: Share = 0.5
    """Alerts are raised only up to this churn risk: customers at risk are not asked to spend more."""


class AtRiskLoyalRule(_Knobs, frozen=True):
    """A loyal customer of a high tier drifts away or is unhappy; both at once escalates."""

    hysteresis: Hysteresis = Hysteresis(
        raise_at=0.65, clear_at=0.45, escalate_at=0.85, cool_down_ms=21 * DAY_MS, expire_ms=45 * DAY_MS
    )
    tier_min: Name = "gold"
    """Alerts are raised for loyal customers of this tier and the ones above."""
    sentiment_unhappy: Polarity = -0.5
    """Recent sentiment (-1 to 1) that counts as fully unhappy (unhappiness 1)."""
    drop_unhappy: Annotated[float, Meta(gt=0, le=2)] = 1.0
    """Fall of sentiment below the customer's usual one that counts as fully unhappy."""
    ticket_patience_ms: DurationMs = 3 * DAY_MS
    """A ticket or complaint that stays unresolved for longer counts with `ticket_weight`."""
    ticket_weight: Share = 0.7
    """Unhappiness (0 to 1) of a customer whose ticket has waited too long."""
    silence_gaps_min: Annotated[float, Meta(ge=0, le=100)] = 1.0
    """Drifting raises and escalates alerts only when nothing was bought for so many of the customer's own
    gaps between purchase days (mean or median, the longer) and a day ..."""
    silence_min_ms: DurationMs = 7 * DAY_MS
    """... but at least for this long. Unhappiness needs no silence."""


class Play(_Knobs, frozen=True):
    """What to do about one reason of an alert."""

    action: Code
    """Code of the action, for the systems that carry it out."""
    text: Annotated[str, Meta(min_length=1, max_length=300)]
    """What to do, in words."""
    channels: tuple[Name, ...] = ("email",)
    """Channels to use, the best first."""
    requires_consent: Name | None = "marketing"
    """The purpose to which the customer must have consented; none for what every customer may expect."""


class Contact(_Knobs, frozen=True):
    """Raising limit of one customer, for all kinds of alerts: further ones wait until there is room. How
    often a customer is contacted is limited elsewhere: by the contact budget of `stream deliver`."""

    alerts_max: Annotated[int, Meta(ge=1, le=100)] = 3
    """At most so many new alerts for one customer ..."""
    window_ms: DurationMs = 30 * DAY_MS
    """... within this time. Alerts of at_risk_loyal are raised all the same."""


class Experiment(_Knobs, frozen=True):
    """A held-out arm: alerts about a share of the customers are sent to nobody, so that `stream uplift` can
    say whether acting on alerts helps. Off while `share` is 0."""

    share: Annotated[float, Meta(ge=0, le=0.9)] = 0.0
    """Share of the customers who are held out. `stream uplift plan` says how many a shop needs."""
    salt: Salt = ""
    """Any word: customers are dealt out to the arms by it. Another one deals all of them anew."""
    begins: DayOrNone = ""
    """First day, such as "2026-12-01": alerts that are raised before it are in no experiment."""
    period_ms: Annotated[int, Meta(ge=7 * DAY_MS, le=DURATION_MAX_MS)] = 180 * DAY_MS
    """In whole days: after so long all customers are dealt out anew, because groups that are held out for
    years drift apart."""
    kinds: tuple[AlertKind, ...] = ()
    """Only alerts of these kinds are in the experiment; empty: of all."""
    tiers: tuple[Name, ...] = ()
    """Only alerts about customers who are in these tiers when the alert is raised; empty: in all."""


class Finance(_Knobs, frozen=True):
    """Policy section: margin, yearly discount and horizons for lifetime value and value at risk."""

    margin: Share = 0.3
    """Profit as a share of what the customer pays, 0 to 1."""
    annual_discount: Annotated[float, Meta(ge=0.001, le=1)] = 0.1
    """Discount rate per year: 0.1 makes money that comes in a year worth 1 / 1.1 of money today. Without any
    discount, the value of a lifetime without a horizon would be infinite."""
    horizon_ms: HorizonMs = 3 * 365 * DAY_MS
    """Lifetime value counts the profit expected within this time."""
    risk_horizon_ms: HorizonMs = 365 * DAY_MS
    """Value at risk counts the profit expected within this time."""
    currency: CurrencyOrNone = ""
    """The currency (ISO 4217) in which money counts: tiers, value, reports. Empty: that of the model's
    customers. Customers who buy in another one without a rate are not ranked, but counted and named."""
    rates: dict[CurrencyCode, Rate] = field(default_factory=dict)
    """Currency -> what 1 unit of it is worth in `currency`, as text: `USD = "0.92"`. It is constant: the same
    for orders of last year, so that tiers do not move with the market."""


DEFAULT_PLAYBOOK = {
    reason: Play(action=action, text=text, channels=channels, requires_consent=consent)
    for reason, (action, text, channels, consent) in DEFAULT_PLAYS.items()
}


class Policy(_Knobs, frozen=True):
    """Everything that decides about whom alerts are raised; `hash` is that of the canonical content."""

    id: Name = "default"
    """Name of the policy; part of the ids of its alerts."""
    version: Annotated[int, Meta(ge=1)] = 1
    """Increase it when you change the policy; part of the ids of its alerts."""
    hash: str = ""
    calendar: Calendar = UTC_CALENDAR
    """That of the business's time zone; computed, like `hash`, not written in the file."""
    business: Business = Business()
    ladder: Ladder = Ladder()
    stages: Stages = Stages()
    churn_risk: ChurnRiskRule = ChurnRiskRule()
    upgrade_opportunity: UpgradeRule = UpgradeRule()
    at_risk_loyal: AtRiskLoyalRule = AtRiskLoyalRule()
    contact: Contact = Contact()
    experiment: Experiment = Experiment()
    finance: Finance = Finance()
    playbook: dict[Code, Play] = field(default_factory=DEFAULT_PLAYBOOK.copy)
    """Reason -> what to do about it. The strongest reason that has a play, and the consent for it,
    decides."""
    themes: dict[Name, tuple[ThemeWord, ...]] = field(default_factory=DEFAULT_THEMES.copy)
    """Theme -> its words: `deliver*` is every word with this beginning, `app` a word, `money back` a
    phrase."""
    lexicon: dict[Word, Annotated[float, Meta(ge=-4, le=4)]] = field(default_factory=DEFAULT_LEXICON.copy)
    """Word -> its sentiment, -4 (awful) to 4 (wonderful), in addition to the words that VADER knows."""

    def tier_rank(self, name: str) -> int:
        """Position of a tier on the ladder, 0 lowest; LookupError names the tiers there are."""
        for rank, step in enumerate(self.ladder.steps):
            if step.name == name:
                return rank
        known = ", ".join(step.name for step in self.ladder.steps)
        raise LookupError(f"no tier {name!r}; there are {known}")


ALERT_KINDS: tuple[AlertKind, ...] = get_args(AlertKind)
ALERT_VERSION = 2
"""Version of the schema of alerts (schemas/alert/). A new kind changes the schema, so it is a new version."""
