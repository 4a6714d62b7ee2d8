"""The business report in five sentences: what changed, who matters, who is at risk, what pays, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stream.look.html import signed_percent
from stream.panes.currencies import amount
from stream.panes.pays import pays
from stream.panes.why import left_after
from stream.panes.won import before_words
from stream.wording.amounts import count


def summary_sentences(numbers: Mapping[str, Any]) -> list[str]:
    """Up to five sentences; what is not known is said to be so."""
    return [_won(numbers), _moved(numbers), _at_risk(numbers), *pays(numbers), *_why(numbers)]


def _won(numbers: Mapping[str, Any]) -> str:
    found = numbers["acquisition"]
    now, before = found["new_90_days"], found["new_90_days_before"]
    customers = count(now, "customer has", "customers have")
    if before is None:
        return f"{customers} bought for the first time in the last 90 days; {before_words(before)}."
    if not now and not before:
        return "Nobody has bought for the first time in the last 180 days: no customer was won."
    if not before:
        return f"{customers} bought for the first time in the last 90 days; none in the 90 days before."
    if not now:
        return f"Nobody has bought for the first time in the last 90 days; in the 90 days before it was {before:,}."
    change = now / before - 1
    compared = (
        f"{abs(change):.0%} {'more' if change > 0 else 'fewer'} than" if round(change, 2) else "as many as"
    )
    return f"{customers} bought for the first time in the last 90 days, {compared} in the 90 days before ({before:,})."


def _moved(numbers: Mapping[str, Any]) -> str:
    found = numbers["development"]
    text = (
        f"{count(found['moved_up'], 'customer')} moved to a higher value tier in the last 90 days and "
        f"{found['moved_down']:,} to a lower one"
    )
    ways = [
        (each, each["basket_now_minor"] / each["basket_before_minor"] - 1)
        for each in found["growth"]
        if each["basket_before_minor"] and each["basket_now_minor"] is not None
    ]
    if not ways or not numbers["currency"]:
        return f"{text}."
    best, change = ways[-1]
    return (
        f"{text}; the mean order of customers who were {best['tier']} 180 days ago went from "
        f"{amount(best['basket_before_minor'], numbers['currency'])} to "
        f"{amount(best['basket_now_minor'], numbers['currency'])} ({signed_percent(change)})."
    )


def _at_risk(numbers: Mapping[str, Any]) -> str:
    """Who matters most, and how many of them, and of all, have a risk from which alerts are raised."""
    tiers = [(name, one) for name, one in numbers["retention"]["by_tier"].items() if one["customers"]]
    if not tiers:
        return "No customer has a tier, so nobody can be said to matter most."
    name, best = tiers[-1]
    level = f"{numbers['retention']['raise_at']:.0%}"
    has_spent = bool(numbers["currency"] and best["at_risk"])
    money = amount(best["value_at_risk_minor"], numbers["currency"]) if has_spent else ""
    spent = f", with {money} of recent spending" if has_spent else ""
    if len(tiers) == 1:
        return f"{_of_one_tier(name, best, level)}{spent}."
    if best["customers"] == 1:
        head = f"Who matters most is the one {name} customer: {_own_risk(best, level)}"
    else:
        head = f"Who matters most are the {best['customers']:,} {name} customers: {_of_them(best, level, 'of them')}"
    return f"{head}{spent}; {_of_all([one for _, one in tiers], best)}."


def _of_one_tier(name: str, one: Mapping[str, Any], level: str) -> str:
    if one["customers"] == 1:
        return f"The only customer is of the {name} tier: {_own_risk(one, level)}"
    of = f"of the {one['customers']:,}"
    return f"All customers are of the {name} tier: {_of_them(one, level, of)}"


def _own_risk(one: Mapping[str, Any], level: str) -> str:
    return f"their risk of not buying again is {f'{level} or more' if one['at_risk'] else f'below {level}'}"


def _of_them(tier: Mapping[str, Any], level: str, of: str) -> str:
    count = tier["at_risk"]
    who = f"{count:,} {of} {'has' if count == 1 else 'have'}" if count else f"none {of} has"
    return f"{who} a risk of {level} or more of not buying again"


def _of_all(tiers: list[Mapping[str, Any]], best: Mapping[str, Any]) -> str:
    """The same of the customers of all tiers; the best one was told before."""
    at_risk, customers = (sum(one[name] for one in tiers) for name in ("at_risk", "customers"))
    is_one = best["customers"] == 1
    if not at_risk:
        return f"so is that of all {customers:,} customers" if is_one else "nor has any other customer"
    has = f"{'has' if at_risk == 1 else 'have'}{' such a risk' if is_one else ''}"
    return f"of all {customers:,} customers {at_risk:,} {has}, with an open alert or without"


def _why(numbers: Mapping[str, Any]) -> Iterator[str]:
    leaving = [one for one in numbers["drivers"] if one["found"] and one["odds_ratio"] > 1]
    if not leaving:
        yield "Nothing was found that goes with leaving more than chance would explain, so no general action follows."
        return
    tiers = [*numbers["retention"]["by_tier"]]
    of_best = [
        one for one in leaving if tiers and (one["tier"].startswith(tiers[-1]) or "and above" in one["tier"])
    ]
    one = (of_best or leaving)[0]
    who = "all customers" if one["tier"] == "everybody" else f"{one['tier']} customers"
    to_do = f": {one['to_do']}" if one["play"] else ""
    yield (
        f"What goes with leaving most clearly among {who}: {one['name']}; {left_after(one)} left after it, "
        f"{one['left_matched']:.0%} of similar customers{to_do}{'' if to_do.endswith('.') else '.'}"
    )
