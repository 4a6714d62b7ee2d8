"""In which months of the year a customer mostly buys, in plain words, by a model that knows seasons."""

from __future__ import annotations

from stream.core.model.features import Features
from stream.core.model.record import Model
from stream.core.risk.season import kind_shares
from stream.wording.amounts import months_words

CLEAR_FROM = 0.8
"""A customer's months are told from this probability on that they are those of their kind of buyers."""
ALL_YEAR = months_words((1.0 / 12,) * 12)


def season_lines(features: Features | None, model: Model) -> list[str]:
    """When they mostly buy and how their silence is measured; nothing if they buy all year or it is unclear.

    Kinds of buyers with the same words count together. `features` is None of who has not bought yet.
    """
    if model.seasons is None or features is None or not features.by_month:
        return []
    found: dict[str, float] = {}
    kinds = model.seasons.kinds
    for kind, share in zip(kinds, kind_shares(model.seasons, features.by_month), strict=True):
        words = months_words(kind.months)
        found[words] = found.get(words, 0.0) + share
    return [
        f"Buys {words}; silence is measured by their own purchasing time."
        for words, share in found.items()
        if share > CLEAR_FROM and words != ALL_YEAR
    ]
