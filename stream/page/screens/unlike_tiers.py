"""Whether the borders of the tiers are those of another shop, told by how many are in the highest tier."""

from __future__ import annotations

from typing import NamedTuple

from stream.page.screens.counts import counted
from stream.page.screens.view import View
from stream.page.store.store import Reading
from stream.wording.amounts import share

RANKED_MIN = 200
"""Of fewer customers the shares of the tiers say little."""
TOP_TIMES_MAX = 3.0
"""How many times as many customers as the policy means may be in the highest tier, before it is said."""


class UnlikeTiers(NamedTuple):
    """That the borders of the tiers are those of another shop, in words."""

    what: str
    to_do: str


def tiers_unlike(reading: Reading, view: View) -> UnlikeTiers | None:
    """Whether the borders of the tiers are those of another shop; None where they seem to fit.

    They come with the model: one that was learnt on other customers, such as the shipped one, may call nearly
    everybody the best.
    """
    ranked = {tier: customers for tier, customers, _ in counted(reading, ("tier",), "tier >= 0")}
    names, meant = view.basis.tier_names, 1.0 - view.basis.policy.ladder.steps[-1].quantile
    top, whole = ranked.get(len(names) - 1, 0), sum(ranked.values())
    if whole < RANKED_MIN or top <= TOP_TIMES_MAX * meant * whole:
        return None
    return UnlikeTiers(
        f"Tiers, values and alerts do not fit this shop: {top:,} of {whole:,} customers are {names[-1]}, "
        f"where the best {share(meant)} are meant.",
        "The model was learnt on other customers. Let one be fitted to this shop's own events: stream try "
        "makes one in its folder, stream fit one for --model, and stream fit publish sends one to running "
        "workers.",
    )
