"""The settings of the shop and the planted life of each customer; all random numbers follow from the seed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random

from msgspec import Struct

SOURCE = "/generated"
"""The source of every generated event, so that nobody takes it for a real one."""
DAY = timedelta(days=1)
CATALOGUE: Mapping[str, tuple[int, ...]] = {
    "Home/Kitchen": (1_290, 2_450, 3_990, 8_900),
    "Home/Garden": (990, 1_990, 4_500, 12_900),
    "Books/Novels": (899, 1_199, 1_499, 1_999),
    "Games/Board": (1_999, 2_999, 4_499, 5_999),
    "Beauty/Care": (590, 1_250, 1_890, 3_500),
    "Sports/Outdoor": (1_490, 3_990, 7_900, 14_900),
    "Toys/Creative": (790, 1_590, 2_490, 4_990),
    "Food/Delicatessen": (450, 890, 1_490, 2_900),
}
"""Category -> the prices of its products in cents."""
CHANNELS: Mapping[str, tuple[float, int]] = {
    "search": (1.0, 1_800),
    "social": (0.7, 2_600),
    "referral": (1.5, 900),
    "display": (0.5, 3_100),
}
"""Acquisition channel -> factor on the purchase rate of its customers, cost of acquiring one in cents."""
DRIVERS: Mapping[str, Mapping[str, float]] = {
    "platinum": {"delivery": 0.7, "service": 0.3},
    "gold": {"quality": 0.5, "delivery": 0.3, "app": 0.2},
    "basic": {"price": 0.6, "returns": 0.2, "quality": 0.2},
}
"""Value class -> theme -> how often it is the reason of dissatisfaction: the planted drivers, sum 1."""


class Shop(Struct, frozen=True, kw_only=True):
    """All settings of the generator. Shares are 0 to 1."""

    seed: int = 1
    customers: int = 500
    days: int = 730
    begins: datetime = datetime(2024, 1, 1, tzinfo=UTC)
    drivers: bool = True
    """False: only noise. Nobody leaves because of trouble, nobody grows, and feedback predicts nothing."""
    trouble_share: float = 0.25
    """Of all customers: have one period of trouble."""
    leaves_after_trouble: float = 0.8
    """Of those in trouble: leave at its end."""
    growth_share: float = 0.12
    """Of those without trouble: buy more and more from some day on."""
    mean_lifetime_days: float = 900.0
    refund_share: float = 0.04
    """Of all orders; eight times as many while quality or returns are the trouble."""
    cancelled_share: float = 0.01
    """Of all orders."""
    review_share: float = 0.15
    """Of the orders of customers who are not in trouble."""

    @property
    def ends(self) -> datetime:
        return self.begins + self.days * DAY


class Trouble(Struct, frozen=True, kw_only=True):
    """A period in which one theme (delivery, price ...) goes wrong for a customer."""

    theme: str
    from_at: datetime
    to_at: datetime
    leaves: bool


class Customer(Struct, frozen=True, kw_only=True):
    """The life of a customer as planned before any event is drawn: the truth."""

    id: str
    value: str
    """platinum (top tenth by expected yearly spend), gold (next fifth) or basic."""
    channel: str
    campaign: str
    acquired_at: datetime
    orders_per_day: float
    order_minor: float
    """Mean spend of one order, cents."""
    likes: tuple[str, ...]
    dies_at: datetime
    """There is no order after this time; later than the end of the shop for customers who stay."""
    cause: str
    """`natural`, or the theme that made the customer leave; empty for those who stay."""
    trouble: Trouble | None = None
    grows_from: datetime | None = None


class _CustomerDraft(Struct, frozen=True, kw_only=True):
    """What is drawn of a customer before the value classes are known."""

    number: int
    channel: str
    acquired_at: datetime
    orders_per_day: float
    order_minor: float
    likes: tuple[str, ...]


def customers(shop: Shop) -> list[Customer]:
    """All customers; value classes follow from the rank of the expected yearly spend among all."""
    drafts = [_draft(shop, number) for number in range(shop.customers)]
    by_value = sorted(drafts, key=lambda d: (-d.orders_per_day * d.order_minor, d.number))
    value = {
        draft.number: "platinum" if place < 0.1 else "gold" if place < 0.3 else "basic"
        for place, draft in ((i / len(drafts), draft) for i, draft in enumerate(by_value))
    }
    return [_customer(shop, draft, value[draft.number]) for draft in drafts]


def random_for(shop: Shop, *names: object) -> Random:
    """A random generator for each purpose and customer: the draws of one never change those of another."""
    return Random(":".join(str(name) for name in (shop.seed, *names)))


def _draft(shop: Shop, number: int) -> _CustomerDraft:
    """Purchase rates are gamma-distributed as in the NBD models; mean order values are log-normal."""
    random = random_for(shop, "draft", number)
    channel = random.choice(list(CHANNELS))
    rate = random.gammavariate(1.6, 1 / 40) * CHANNELS[channel][0]
    return _CustomerDraft(
        number=number,
        channel=channel,
        acquired_at=shop.begins + random.random() * 0.6 * shop.days * DAY,
        orders_per_day=min(max(rate, 1 / 240), 1 / 3),
        order_minor=min(max(random.lognormvariate(8.4, 0.6), 800.0), 60_000.0),
        likes=tuple(random.sample(list(CATALOGUE), random.randint(1, 3))),
    )


def _customer(shop: Shop, draft: _CustomerDraft, value: str) -> Customer:
    random = random_for(shop, "fate", draft.number)
    lifetime = random.expovariate(1 / random.gammavariate(4.0, shop.mean_lifetime_days / 3.0))
    dies_at, cause = draft.acquired_at + lifetime * DAY, "natural"
    trouble = _trouble(shop, random, draft, value)
    if trouble is not None and trouble.from_at >= dies_at:
        trouble = None
    grows_from = None
    if trouble is not None and trouble.leaves:
        dies_at, cause = min((dies_at, "natural"), (trouble.to_at, trouble.theme))
    elif shop.drivers and trouble is None and random.random() < shop.growth_share:
        grows_from = draft.acquired_at + random.uniform(0.2, 0.5) * (shop.ends - draft.acquired_at)
    return Customer(
        id=f"customer-{draft.number:05d}",
        value=value,
        channel=draft.channel,
        campaign=f"{draft.channel}-{draft.acquired_at:%Y-%m}",
        acquired_at=draft.acquired_at,
        orders_per_day=draft.orders_per_day,
        order_minor=draft.order_minor,
        likes=draft.likes,
        dies_at=dies_at,
        cause=cause if dies_at < shop.ends else "",
        trouble=trouble,
        grows_from=grows_from,
    )


def _trouble(shop: Shop, random: Random, draft: _CustomerDraft, value: str) -> Trouble | None:
    """Begins when there is a purchase history; lasts 3 to 5 mean purchase gaps, and 21 to 120 days."""
    if not shop.drivers or random.random() >= shop.trouble_share:
        return None
    begins = draft.acquired_at + random.uniform(0.3, 0.8) * (shop.ends - draft.acquired_at)
    span = min(max(random.uniform(3, 5) / draft.orders_per_day, 21.0), 120.0)
    themes = DRIVERS[value]
    return Trouble(
        theme=random.choices(list(themes), list(themes.values()))[0],
        from_at=begins,
        to_at=begins + span * DAY,
        leaves=random.random() < shop.leaves_after_trouble,
    )
