"""In which months of the year a customer mostly buys, in plain words, by a model that knows seasons."""

from __future__ import annotations

from stream.core.model.features import Features
from stream.core.model.record import Model
from stream.core.risk.buying_months import buying_months
from stream.wording.amounts import month_names, month_of_year, month_text


def season_lines(features: Features | None, model: Model, as_of_ms: int) -> list[str]:
    """When they mostly buy, whether they did the last time and when they are expected again, and how their
    silence is measured; nothing if they buy all year or it is unclear.

    `features` is None of who has not bought yet.
    """
    season = buying_months(features, model, as_of_ms)
    if season is None:
        return []
    missed = ", but did not the last time" if season.is_missed else ""
    expected = f"expected again in {month_of_year(month_text(season.next_month))}"
    return [
        f"Buys mostly in {month_names(season.places)}{missed}; {expected}. Silence is measured by their own "
        "purchasing time."
    ]
