"""The pane `won`: new customers, where they came from, what they are worth and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stream.look.html import Cell, Link, Meter, html_table, html_text, share_of
from stream.panes.campaigns import won_by
from stream.panes.pays import pays, used_by
from stream.panes.places import Places, nowhere
from stream.panes.tiers import of_tiers


def won(numbers: Mapping[str, Any], places: Places = nowhere) -> str:
    """The pane, without its heading; `numbers` are those of the business report, `priced`."""
    tiers = numbers["retention"]["by_tier"]
    best = f"<p><b>What pays:</b> {html_text(' '.join(pays(numbers)))}</p>"
    return (
        _acquisition(numbers["acquisition"], tiers, places)
        + best
        + used_by(numbers)
        + won_by(numbers, places)
    )


def _acquisition(numbers: Mapping[str, Any], tiers: Iterable[str], places: Places) -> str:
    channels, tiers = numbers["channels"], list(tiers)
    words = (
        f"<p><b>{numbers['new_90_days']:,}</b> customers bought for the first time in the last 90 days; "
        f"{before_words(numbers['new_90_days_before'])}.</p>"
    )
    if not any(name != "unknown" for name in channels):
        return words
    whole = sum(one.get("new", 0) for one in channels.values())
    rows: list[tuple[Cell, ...]] = [
        (
            Link(channel, places({"channel": channel}) if channel != "unknown" else ""),
            f"{one['customers']:,}",
            f"{one.get('new', 0):,}",
            *_part_of_new(one.get("new", 0), whole),
            f"{one.get('settled', 0):,}",
            _settled(one, tiers),
        )
        for channel, one in channels.items()
    ]
    head = (
        "channel", "customers", "new in the last 90 days", *(["of all new", ""] if whole else []), "new 90 to 180 days ago",
        "the tiers these had on that day",
    )  # fmt: skip
    return words + html_table(head, rows) + of_tiers(places)


def _part_of_new(new: int, whole: int) -> tuple[Cell, ...]:
    """The share of all new customers, and its bar; nothing where there was none."""
    return (share_of(new, whole), Meter(new / whole)) if whole else ()


def before_words(new: int | None) -> str:
    """How many were new in the 90 days before the last 90; None where the history begins within them."""
    if new is None:
        return "how many in the 90 days before is not known: the history does not reach back so far"
    return f"{new:,} in the 90 days before that"


def _settled(one: Mapping[str, Any], tiers: Iterable[str]) -> str:
    """The current tiers of customers won 90 to 180 days ago, the lowest first."""
    counts = {name: one.get(f"settled_{name}", 0) for name in tiers}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "–"
