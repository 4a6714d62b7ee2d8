"""Which campaign pays, and which does not, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stream.panes.currencies import amount
from stream.wording.amounts import count

SURE_LOW = 1.0
"""A campaign whose value is a smaller multiple of its cost does not pay. Which pays best goes by the lower end of
the value of its customers: a few good ones are no proof."""


def pays(numbers: Mapping[str, Any]) -> Iterator[str]:
    """Which campaign pays, and which does not; of channels where no campaign has a cost."""
    for word in ("campaign", "channel"):
        found = [one for one in numbers[f"{word}s"] if one["customers"] and one["ratio"] is not None]
        if found and numbers["currency"]:
            yield _best_and_worst(found, word, numbers["currency"])
            return
    yield "Which campaign pays is not known: no campaign has both customers and a cost."


def _best_and_worst(found: Sequence[Mapping[str, Any]], word: str, currency: str) -> str:
    best = max(found, key=lambda one: (one["worth_low_minor"] / one["cost_per_customer_minor"], one["name"]))
    losing = sorted((one for one in found if one["ratio"] < SURE_LOW), key=lambda one: -one["ratio"])
    worth, cost = (amount(best[name], currency) for name in ("worth_minor", "cost_per_customer_minor"))
    text = (
        f"The {word} {best['name']} pays best: each of its {count(best['customers'], 'customer')} is worth {worth} on "
        f"average and cost {cost} to win, {best['ratio']:.1f} times as much"
    )
    if not losing:
        return (
            f"{text}; none of the {len(found)} {word}s with a cost costs more than its customers are worth."
            if len(found) > 1
            else f"{text}."
        )
    return f"{text}; {count(len(losing), f'{word} costs', f'{word}s cost')} more than the customers are worth, such as {losing[-1]['name']}."
