"""Why customers of each tier have left, in a sentence: how many, what preceded, and whether a cause is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stream.look.html import html_text, part_of, signed_percent
from stream.wording.amounts import count, listed

FALL_MIN = 0.05
"""Orders of a tier that changed by less than this are as many as before."""
TROUBLES_SHOWN = 2
"""So many of what went wrong are named, the most frequent."""
KINDS = {
    "visits": "visits or carts",
    "messages": "what customers do with messages",
    "feedback": "reviews or surveys",
    "tickets": "tickets or complaints",
    "refunds": "refunds",
}
"""Kind of events as the report names it -> in words."""
LEFT_WORDS = (
    "<p><small>Left: no purchase for 60 days and for three of the customer's own usual gaps; customers with three purchases "
    "or more are counted, in the tier of the time when they still bought. Buying less: on fewer days in the last 90 days up to "
    "the last purchase than in the 90 days before. Went wrong: within 90 days, until they counted as having left.</small></p>"
)


def left_by_tier(numbers: Mapping[str, Any]) -> str:
    """A sentence for each tier, the highest first; empty for a report that does not know it yet."""
    tiers = [one for one in reversed(numbers.get("leaving", [])) if _all(one)]
    if not tiers:
        return ""
    known = numbers["recorded"]
    lines = "".join(
        f"<p><b>{html_text(one['tier'])}</b>: {html_text('; '.join(_parts(one, numbers)))}.</p>"
        for one in tiers
    )
    return f"{lines}{_to_record(known)}{LEFT_WORDS}"


def _all(one: Mapping[str, Any]) -> int:
    return int(one["left"]["customers"] + one["stayed"]["customers"])


def _parts(one: Mapping[str, Any], numbers: Mapping[str, Any]) -> Iterator[str]:
    gone = one["left"]
    if gone["customers"]:
        yield f"{gone['customers']:,} of {count(_all(one), 'customer has', 'customers have')} left"
        yield from _before(gone, one["stayed"], numbers["recorded"])
        yield _cause(one["tier"], numbers["drivers"])
    else:
        yield f"none of {count(_all(one), 'customer has', 'customers have')} left"
    yield from _orders(one["tier"], numbers["development"]["growth"], has_cause=bool(gone["customers"]))


def _before(gone: Mapping[str, Any], stayed: Mapping[str, Any], known: Mapping[str, bool]) -> Iterator[str]:
    """What preceded, beside the same of those who stayed."""
    if gone["slower_known"]:
        yield (
            f"before that {part_of(gone['slower'], gone['slower_known'])} had been buying less"
            + _beside(stayed["slower"], stayed["slower_known"])
        )
    if known["feedback"] or known["tickets"] or known["refunds"]:
        most = sorted(gone["troubles"].items(), key=lambda each: -each[1])[:TROUBLES_SHOWN]
        what = [f"{name} {many:,}" for name, many in most]
        named = f" ({listed(what)})" if what else ""
        yield (
            f"for {part_of(gone['troubled'], gone['customers'])} something went wrong{named}"
            + _beside(stayed["troubled"], stayed["customers"])
        )
    if gone["unhappy_known"]:
        yield (
            f"{part_of(gone['unhappy'], gone['unhappy_known'])} who gave feedback were unhappy"
            + _beside(stayed["unhappy"], stayed["unhappy_known"])
        )
    if known["visits"] or known["messages"]:
        yield f"{part_of(gone['active_after'], gone['customers'])} still visited or answered after their last purchase"


def _beside(part: int, whole: int) -> str:
    return f" (of those who stayed {part_of(part, whole)})" if whole else ""


def _cause(tier: str, drivers: list[Mapping[str, Any]]) -> str:
    """What goes with leaving more than by chance, of this tier by itself; of several together, or of nobody."""
    leaving = [one for one in drivers if one["found"] and one["odds_ratio"] > 1]
    own = [one["name"] for one in leaving if one["tier"] == tier]
    if own:
        return f"what goes with leaving most clearly: {own[0]}"
    if leaving:
        return "no cause is known from this tier alone, but one of several tiers together stands below"
    return "no cause is known in these events"


def _orders(tier: str, growth: list[Mapping[str, Any]], *, has_cause: bool) -> Iterator[str]:
    """How much more or less they order than in the 90 days before; `has_cause`: whether the sentence speaks of a cause already."""
    one = next((one for one in growth if one["tier"] == tier and one["customers"]), None)
    if one is None or not one["orders_before"]:
        return
    change = one["orders_now"] / one["orders_before"] - 1.0
    who = f"the {count(one['customers'], 'customer')} who {'was' if one['customers'] == 1 else 'were'} {tier} 180 days ago"
    if abs(change) < FALL_MIN:
        yield f"{who} order as often as before"
        return
    way = "less" if change < 0 else "more"
    yield (
        f"{who} order {way}: {one['orders_now']:.1f} times each in the last 90 days, {one['orders_before']:.1f} "
        f"times in the 90 days before ({signed_percent(change)})"
    )
    if change < 0 and not has_cause:
        yield "why they order less is not known in these events"


def _to_record(known: Mapping[str, bool]) -> str:
    """What would tell more, where it is not in the events."""
    missing = [words for kind, words in KINDS.items() if not known[kind]]
    if not missing:
        return ""
    return (
        f"<p>Not in these events: {html_text(listed(missing))}. A reason that lies there cannot be known: record them as "
        "events (<code>stream import</code> reads them from files) and publish the report again.</p>"
    )
