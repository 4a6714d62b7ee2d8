"""A readout and a plan in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stream.analysis.statistics.two_arms import Difference
from stream.analysis.uplift.plan import AlertedShop, Plan
from stream.analysis.uplift.readout import (
    MISMATCH_P,
    WINSORISED_AT,
    Comparison,
    Readout,
    ReadoutOptions,
    Verdict,
)
from stream.analysis.uplift.records import Trial
from stream.core.calendar import Calendar
from stream.core.units import DAY_MS
from stream.wording.alert import ALERT_NAMES
from stream.wording.amounts import count, date, money, share


def trial_words(trial: Trial, periods: Sequence[str]) -> str:
    """`experiment 2026 of policy default, 10% held out, periods from 2026-12-01`."""
    since = f", periods from {', '.join(periods)}" if periods else ""
    return f"experiment {trial.salt} of policy {trial.policy_id}, {trial.share:.0%} held out{since}"


def readout_lines(found: Readout, choice: ReadoutOptions, calendar: Calendar) -> Iterator[str]:
    """The readout, one line each; the first one says what came out."""
    window = choice.window_ms // DAY_MS
    yield headline(found, choice)
    yield (
        f"{count(found.customers, 'customer')}: {found.treated:,} treated, {found.held_out:,} held out; the "
        f"{window} days are over for {found.over:,} of them by {date(choice.as_of_ms, calendar)}"
    )
    if not found.fits:
        yield from _mismatch(found, choice)
        return
    yield from _erased_and_foreign(found, choice)
    groups = [("all alerts", found.all)]
    groups += [(ALERT_NAMES.get(kind, kind), one) for kind, one in found.kinds.items()]
    groups += [(f"{tier} tier", one) for tier, one in found.tiers.items()]
    for name, one in groups:
        if one is not None:
            yield from ("", *comparison_lines(name, one, choice))
    yield ""
    yield (
        "Ranges hold however often you look. Customers count in the arm that was drawn, once for each "
        f"period, with their first alert; money above the {WINSORISED_AT:.0%} quantile counts as that."
    )


def headline(found: Readout, choice: ReadoutOptions) -> str:
    """One sentence: does it help?"""
    if found.all is None:
        return "Not known: the two arms are not of the size that was drawn."
    return f"Acting on alerts: {verdict_words(found.all.verdict, found.all.repurchase, choice)}."


def verdict_words(verdict: Verdict, found: Difference | None, choice: ReadoutOptions) -> str:
    """`it helps`, `it hurts`, `nothing larger than 2.1 points`, or `not known yet`."""
    if verdict == "nothing larger" and found is not None:
        return f"nothing larger than {points(max(abs(found.low), abs(found.high)))}"
    return {"helps": "it helps", "hurts": "it hurts"}.get(verdict, "not known yet")


def comparison_lines(name: str, one: Comparison, choice: ReadoutOptions) -> Iterator[str]:
    """One group: verdict, who bought again, money, and what could have been seen."""
    yield f"{name[:1].upper()}{name[1:]}: {verdict_words(one.verdict, one.repurchase, choice)}"
    treated, held = _share(one.bought_treated, one.treated), _share(one.bought_held_out, one.held_out)
    line = f"  bought again: {treated} of {one.treated:,} treated, {held} of {one.held_out:,} held out"
    if one.repurchase is None:
        yield f"{line}; too few customers in an arm to compare"
        return
    difference = one.repurchase
    yield (
        f"{line}: {_more(points(abs(difference.value)), difference.value)} "
        f"(between {signed_points(difference.low)} and {signed_points(difference.high)})"
    )
    if one.repurchase_visible is not None:
        yield f"  the smallest difference that so many customers show: {points(one.repurchase_visible)}"
    if one.money is not None:
        yield _money_line(one, one.money, choice.currency)


def _money_line(one: Comparison, difference: Difference, currency: str) -> str:
    means = [money(each, currency) for each in (one.money_treated, one.money_held_out)]
    low, high = (money(each, currency) for each in (difference.low, difference.high))
    more = _more(money(abs(difference.value), currency), difference.value)
    verdict = {"helps": "more money", "hurts": "less money"}.get(one.money_verdict, "not known yet")
    paid = f"  paid: {means[0]} a customer treated, {means[1]} held out"
    return f"{paid}: {more} (between {low} and {high}): {verdict}"


def _mismatch(found: Readout, choice: ReadoutOptions) -> Iterator[str]:
    yield (
        f"By chance {choice.share:.1%} of the customers are held out; here it is "
        f"{found.held_out / found.customers:.1%}. The probability of that is below {MISMATCH_P}, so every "
        "figure is hidden: something other than chance decides who is in an arm. Look for deliveries or "
        "alerts of one arm that are missing or were deleted."
    )


def _erased_and_foreign(found: Readout, choice: ReadoutOptions) -> Iterator[str]:
    if erased := found.erased_treated + found.erased_held_out:
        were = "was" if erased == 1 else "were"
        yield (
            f"{count(erased, 'customer')} {were} erased and {'is' if erased == 1 else 'are'} left out: "
            f"{found.erased_treated:,} treated, {found.erased_held_out:,} held out"
        )
    if found.other_money:
        currency = choice.currency or "one"
        who = count(found.other_money, "customer")
        yield f"{who} paid in another currency than {currency}: not counted as money"


def points(difference: float) -> str:
    """A difference of shares: `4.6 points`."""
    return f"{100 * difference:.1f} points"


def signed_points(difference: float) -> str:
    """`+4.6` or `-1.2`."""
    return f"{100 * difference:+.1f}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"


def _more(amount: str, value: float) -> str:
    return f"{amount} {'more' if value >= 0 else 'fewer' if 'points' in amount else 'less'}"


def plan_lines(plan: Plan, shop: AlertedShop, window_ms: int) -> Iterator[str]:
    """What to write into the policy, and a table of all ways."""
    yield (
        f"{share(shop.repurchase)} of the customers who are alerted about buy again within "
        f"{window_ms // DAY_MS} days; {shop.alerted[1]:,} are alerted about in a month."
    )
    best = plan.proposed
    if best is None:
        yield (
            f"Within a year no share shows a difference of {points(plan.effect)}: ask for a larger one, or "
            "for more kinds and tiers in the experiment."
        )
    else:
        yield (
            f"Hold out {best.share:.0%} for {count(best.months, 'month')}: {best.held_out:,} of "
            f"{best.customers:,} customers are left alone, and a difference of {points(plan.effect)} is "
            "seen 8 times in 10."
        )
        yield f'In the policy: [experiment] share = {best.share:g}, period = "{30 * best.months}d".'
    yield ""
    yield "The smallest difference that is seen 8 times in 10, by months and share held out:"
    shares = sorted({option.share for option in plan.options})
    yield "  months  " + "  ".join(f"{each:>11.0%}" for each in shares)
    for months in sorted({option.months for option in plan.options}):
        row = [option for option in plan.options if option.months == months]
        cells = [f"{points(option.visible) if option.visible is not None else '-':>11}" for option in row]
        yield f"  {months:>6}  " + "  ".join(cells)
