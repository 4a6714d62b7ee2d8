"""Why customers of each tier may leave now: the strongest reason of each open alert, and what to do.

It is what the alerts say, as of now; what went with leaving in the history is a matter of the report.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from msgspec import Struct

from stream.core.alerts.alert import AlertData
from stream.core.alerts.build import PLAY_LIKE
from stream.page.entries import OpenEntry
from stream.page.screens.counts import open_counted
from stream.page.screens.open_list import COLUMNS, alert_of, not_muted
from stream.page.screens.today import PATH
from stream.page.screens.view import View, url
from stream.page.store.store import Reading
from stream.wording.amounts import listed
from stream.wording.reasons import REASON_NAMES

LOOKED_AT_MAX = 30
"""Open alerts of a tier that are looked at, the worst."""
REASONS_SHOWN = 4
THEMES_SHOWN = 2
HISTORY = "HISTORY"
"""The purchase history is the reason where there is no other."""
KINDS = ("at_risk_loyal", "churn_risk")
"""A customer who has both alerts counts with that of loyal customers."""


class TierReason(Struct, frozen=True):
    """How many customers of a tier may leave for one reason first of all."""

    reason: str
    customers: int
    to_do: str
    """What the playbook says; empty: nothing."""


class KindOfTier(Struct, frozen=True):
    """The open alerts of one kind about customers of one tier."""

    customers: int
    url: str
    """Their list on the first page."""


class TierLeaving(Struct, frozen=True):
    """The customers of one tier who have an open alert that they may leave."""

    tier: str
    lists: list[KindOfTier]
    """Of each kind, in the order of `KINDS`; who has both alerts is in both."""
    customers: int
    looked_at: int
    """Of how many, the worst, the reasons are."""
    reasons: list[TierReason]
    """The most frequent first."""


def leaving_by_tier(reading: Reading, view: View) -> list[TierLeaving]:
    """Each tier of which somebody may leave, the highest first."""
    heard, until = not_muted(view)
    marks = ", ".join("?" * len(KINDS))
    sql = (
        f"SELECT tier, COUNT(DISTINCT customer) FROM open_alerts WHERE kind IN ({marks}) AND {heard} "
        "GROUP BY tier ORDER BY tier DESC"
    )
    return [
        _tier(reading, rank, customers, view)
        for rank, customers in reading.rows(sql, [*KINDS, *until])
        if rank >= 0
    ]


def _tier(reading: Reading, rank: int, customers: int, view: View) -> TierLeaving:
    first: Counter[str] = Counter()
    themes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    found = list(_worst(reading, rank, view))
    for data in found:
        others = (each for each in data.evidence if each.contribution > 0 and each.code != HISTORY)
        reason = next(others, None)
        code = reason.code if reason is not None else HISTORY
        first[code] += 1
        if reason is not None:
            themes[code].update(reason.themes[:1])
    tier = view.tier_name(rank)
    counted = open_counted(reading, ("kind",), "tier = ?", [rank], muted_after_ms=view.as_of_ms)
    of_kind = {row[0]: row[1] for row in counted}
    return TierLeaving(
        tier,
        [KindOfTier(of_kind.get(kind, 0), url(PATH, {"kind": kind, "tier": tier})) for kind in KINDS],
        customers,
        len(found),
        [
            TierReason(_named(code, themes[code]), many, play_text(code, view))
            for code, many in first.most_common(REASONS_SHOWN)
        ],
    )


def _worst(reading: Reading, rank: int, view: View) -> Iterator[AlertData]:
    """The alerts of the customers of a tier of whom most came into doubt lately, one of each customer."""
    heard, until = not_muted(view)
    seen: set[str] = set()
    for kind in KINDS:
        sql = (
            f"SELECT {', '.join(COLUMNS)} FROM open_alerts WHERE kind = ? AND tier = ? AND {heard} "
            "ORDER BY worth DESC, stake_mean DESC, customer LIMIT ?"
        )
        for row in reading.rows(sql, [kind, rank, *until, LOOKED_AT_MAX]):
            entry = OpenEntry(*row)
            if entry.customer not in seen and len(seen) < LOOKED_AT_MAX:
                seen.add(entry.customer)
                yield alert_of(reading, entry, view)


def play_text(code: str, view: View) -> str:
    """What the playbook says of a reason, or of the one that it is most like, as in alerts; else empty."""
    plays = view.basis.policy.playbook
    play = plays.get(code) or plays.get(PLAY_LIKE.get(code, ""))
    return play.text if play is not None else ""


def _named(code: str, themes: Counter[str]) -> str:
    most = [theme for theme, _ in themes.most_common(THEMES_SHOWN)]
    about = f", mostly about {listed(most)}" if most else ""
    return f"{REASON_NAMES.get(code, code.lower().replace('_', ' '))}{about}"
