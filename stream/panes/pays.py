"""Which campaign pays: in words, and as a table of what became of each among all customers, won by it or not.

The table has the campaigns that were used; those that only reached customers, and those whose cost is not known,
are told in sentences, with how to record what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stream.look.html import Cell, Meter, html_table, html_text
from stream.panes.currencies import amount
from stream.wording.amounts import count, share

SURE_LOW = 1.0
"""A campaign whose value is a smaller multiple of its cost does not pay. Which pays best goes by the lower end of
the value of its customers: a few good ones are no proof."""

PAYS, PAYS_NOT, NOT_KNOWN = "yes", "no", "not known yet"
"""Whether a campaign pays, with a certainty of 90%."""
IN_A_SENTENCE = {
    PAYS: "it surely pays (90% interval)",
    PAYS_NOT: "it surely does not pay (90% interval)",
    NOT_KNOWN: "so few customers leave open whether it pays (90% interval)",
}
LINES_MAX = 15
"""So many lines are shown, those with most paid; the others are behind a click."""
COST_LINE = (
    '{"type": "marketing.cost_recorded", "id": "cost-spring-2026-03", "source": "/costs", "subject": "spring", '
    '"time": "2026-04-01T00:00:00Z", "specversion": "1.0", "data": {"campaign": {"id": "spring"}, "period": '
    '{"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}, "spend_minor": 120000, "currency": "EUR"}}'
)
"""One line of a file of costs: 1,200.00 euros for a campaign in a month."""
COST_COMMAND = "stream report EVENTS costs.jsonl --publish FOLDER"


def pays(numbers: Mapping[str, Any]) -> Iterator[str]:
    """Which campaign pays, and which does not, by the customers that it won; where none has both customers and a
    cost, by what was paid with it; of channels where that is not known either."""
    currency = numbers["currency"]
    used = [one for one in numbers.get("campaign_use", []) if was_used(one)] if currency else []
    campaigns, channels = (
        [one for one in numbers[name] if one["customers"] and one["ratio"] is not None] if currency else []
        for name in ("campaigns", "channels")
    )
    if campaigns:
        yield _best_and_worst(campaigns, "campaign", currency)
    elif any(one["cost_minor"] for one in used):
        yield _most_used(used, numbers["basis"]["margin"], currency)
    elif channels:
        yield _best_and_worst(channels, "channel", currency)
    elif used:
        yield _most_used(used, numbers["basis"]["margin"], currency)
    else:
        yield "Which campaign pays is not known: no campaign has both customers and a cost."


def _best_and_worst(found: Sequence[Mapping[str, Any]], word: str, currency: str) -> str:
    best = max(found, key=lambda one: (one["worth_low_minor"] / one["cost_per_customer_minor"], one["name"]))
    losing = sorted((one for one in found if one["ratio"] < SURE_LOW), key=lambda one: -one["ratio"])
    worth, cost = (amount(best[name], currency) for name in ("worth_minor", "cost_per_customer_minor"))
    sure = Counter(map(does_it_pay, found))
    verdicts = (
        f"{count(sure[PAYS], 'surely pays', 'surely pay')}, {sure[PAYS_NOT]:,} surely do not, of {sure[NOT_KNOWN]:,} "
        "it is not known yet"
    )
    text = (
        f"The {word} {best['name']} pays best: each of its {count(best['customers'], 'customer')} is worth {worth} on "
        f"average and cost {cost} to win, {best['ratio']:.1f} times as much"
    )
    if not losing:
        if len(found) == 1:
            return f"{text}; {IN_A_SENTENCE[does_it_pay(best)]}."
        return (
            f"{text}; none of the {len(found)} {word}s with a cost costs more than its customers are worth. "
            f"By the 90% intervals {verdicts}."
        )
    return (
        f"{text}; {count(len(losing), f'{word} costs', f'{word}s cost')} more than the customers are worth, such as "
        f"{losing[-1]['name']}. Of the {len(found)} {word}s with a cost {verdicts} (90% intervals)."
    )


def does_it_pay(one: Mapping[str, Any]) -> str:
    """The verdict on what won customers, by the 90% interval of their mean value against what each cost."""
    if one["ratio"] is None:
        return "its cost is not known"
    cost = one["cost_per_customer_minor"]
    if one["worth_low_minor"] >= cost:
        return PAYS
    return PAYS_NOT if one["worth_high_minor"] < cost else NOT_KNOWN


def _most_used(used: Sequence[Mapping[str, Any]], margin: float, currency: str) -> str:
    """Of campaigns that are not known to have won anybody: the one with which most was paid, and what it cost."""
    known = [one for one in used if one["cost_minor"]]
    best = max(known or used, key=lambda one: (one["paid_minor"], one["name"]))
    text = (
        f"No campaign is known to have won a customer at a cost, but {count(len(used), 'was', 'were')} used. Most was "
        f"paid with {called(best)}: {count(best['redeemed'], 'customer')} redeemed it, and "
        f"{count(best['orders'], 'order')} with it came to {amount(best['paid_minor'], currency)}"
    )
    if not known:
        return f"{text}; what it cost is not recorded, so whether it pays is not known."
    losing = sorted(one["name"] for one in known if margin_minor(one, margin) < one["cost_minor"])
    others = (
        f"Of {len(losing):,} of the {len(known):,} with a cost it is less than the cost, such as {losing[0]}"
        if losing
        else f"All {len(known):,} with a cost brought more margin than they cost"
    )
    return (
        f"{text}. The margin on these, {amount(margin_minor(best, margin), currency)}, is "
        f"{margin_minor(best, margin) / best['cost_minor']:.1f} times its cost of {amount(best['cost_minor'], currency)}. "
        f"{others}. How many of these orders would have come anyway is not known."
    )


def was_used(one: Mapping[str, Any]) -> bool:
    """Whether anybody redeemed the campaign or ordered by it."""
    return bool(one["redeemed"] or one["orders"])


def margin_minor(one: Mapping[str, Any], margin: float) -> float:
    """The margin on what was paid with a campaign."""
    return float(margin * one["paid_minor"])


def called(one: Mapping[str, Any]) -> str:
    """The id of a campaign and its name, where events tell one."""
    return f"{one['name']} ({one['title']})" if one["title"] else str(one["name"])


def used_by(numbers: Mapping[str, Any]) -> str:
    """The table and what is to be known of it; empty where no event of a customer names a campaign."""
    found = numbers.get("campaign_use", [])
    used = [one for one in found if was_used(one)]
    return _table(used, numbers) + _only_reached(found) + _without_cost(used)


def _table(used: Sequence[Mapping[str, Any]], numbers: Mapping[str, Any]) -> str:
    if not used:
        return ""
    currency, margin = numbers["currency"], numbers["basis"]["margin"]
    whole = sum(one["paid_minor"] for one in used) or 1
    rows: list[tuple[Cell, ...]] = [
        (
            called(one), f"{one['reached']:,}" if one["reached"] else "–", f"{one['redeemed']:,}",
            f"{one['orders']:,}", amount(one["paid_minor"], currency), _part(one, whole), Meter(one["paid_minor"] / whole),
            amount(margin_minor(one, margin), currency), amount(one["cost_minor"], currency),
            _times_cost(one, margin), _needed(one, margin),
        )
        for one in used
    ]  # fmt: skip
    head = (
        "campaign", "customers reached", "who redeemed it", "orders with it", "paid for these", "of all paid with campaigns", "",
        "margin on these", "its cost", "margin over cost", "worth its cost",
    )  # fmt: skip
    more = rows[LINES_MAX:]
    folded = f"<details><summary>{len(more)} more campaigns, with less paid</summary>{html_table(head, more)}</details>"
    return (
        "<h3>Who used a campaign, and what they paid</h3>"
        + html_table(head, rows[:LINES_MAX])
        + (folded if more else "")
        + "<p><small>All customers, whoever won them. Orders with it: those that name the campaign, and those of the day on "
        "which their customer redeemed a coupon of it; an order with two campaigns counts for both, and refunds are not taken off. Margin: "
        f"{margin:.0%} of what was paid (the policy's). Worth its cost: the share of these orders (or more) that must have come because of the campaign; how many did is "
        "not known from them: only customers who are left out of a campaign by chance tell.</small></p>"
    )


def _times_cost(one: Mapping[str, Any], margin: float) -> str:
    if one["cost_minor"] is None:
        return "cost not known"
    if not one["cost_minor"]:
        return "cost nothing"
    return f"{margin_minor(one, margin) / one['cost_minor']:.1f} times"


def _part(one: Mapping[str, Any], whole: int) -> str:
    return share(one["paid_minor"] / whole)


def _needed(one: Mapping[str, Any], margin: float) -> str:
    """What must be true for it to pay: how many of the orders with it would not have come without it."""
    cost, earned = one["cost_minor"], margin_minor(one, margin)
    if cost is None:
        return "not known without its cost"
    if not cost:
        return "yes, it cost nothing"
    if earned < cost:
        return "no, even if all came because of it"
    return f"if {share(cost / earned)} came because of it"


def _only_reached(found: Sequence[Mapping[str, Any]]) -> str:
    """Campaigns that reached customers, but which no order names and no coupon was redeemed of."""
    idle = [one for one in found if one["reached"] and not was_used(one)]
    if not idle:
        return ""
    came = sum(one["came"] for one in idle)
    came_words = f" ({count(came, 'visit or click', 'visits or clicks')} came of it)" if came else ""
    names = html_text(", ".join(called(one) for one in idle))
    text = (
        f"{count(len(idle), 'campaign')} reached customers{came_words}, but what was bought with "
        f"{'it' if len(idle) == 1 else 'them'} is not known: no order names {'it' if len(idle) == 1 else 'them'}, "
        "and no coupon was redeemed"
    )
    return f"<details><summary>{html_text(text)}</summary><p>{names}.</p></details>"


def _without_cost(used: Sequence[Mapping[str, Any]]) -> str:
    """How to say what campaigns cost, where that is missing."""
    unknown = [one for one in used if one["cost_minor"] is None]
    if not unknown:
        return ""
    named = "" if len(used) == 1 else f" of {len(unknown):,} of the {len(used):,}"
    return (
        f"<p>What they cost is not known{named}, so whether they pay is not. To tell it, write one line for each campaign and month into a file "
        f"costs.jsonl, such as <code>{html_text(COST_LINE)}</code> (spend_minor: in cents), and run "
        f"<code>{html_text(COST_COMMAND)}</code>.</p>"
    )
