"""Which campaign pays, and which does not, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stream.panes.currencies import amount
from stream.wording.amounts import count

SURE_LOW = 1.0
"""A campaign pays where even the lower end of its value per customer is above its cost."""


def pays(numbers: Mapping[str, Any]) -> Iterator[str]:
    """Which campaign pays, and which does not; of channels where no campaign has a cost."""
    for word in ("campaign", "channel"):
        found = [one for one in numbers[f"{word}s"] if one["customers"] and one["ratio"] is not None]
        if found and numbers["currency"]:
            yield _best_and_worst(found, word, numbers["currency"])
            return
    yield "Which campaign pays is not known: no campaign has both customers and a cost."


def _best_and_worst(found: Sequence[Mapping[str, Any]], word: str, currency: str) -> str:
    ordered = sorted(found, key=lambda one: -one["ratio"])
    best, losing = ordered[0], [one for one in ordered if one["ratio"] < SURE_LOW]
    text = (
        f"The {word} {best['name']} pays best: a customer of it is worth {best['ratio']:.1f} times what it cost to win "
        f"them ({amount(best['worth_minor'], currency)} to {amount(best['cost_per_customer_minor'], currency)})"
    )
    if not losing:
        return (
            f"{text}; none of the {len(found)} {word}s with a cost costs more than its customers are worth."
            if len(found) > 1
            else f"{text}."
        )
    return f"{text}; {count(len(losing), f'{word} costs', f'{word}s cost')} more than the customers are worth, such as {losing[-1]['name']}."
