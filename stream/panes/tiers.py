"""What a tier is in the numbers of a report, where the list of customers and the alerts count otherwise."""

from __future__ import annotations

from stream.panes.places import Places

OF_TIERS = (
    "<p><small>Tier: by recent spending on the day of the report, by the borders of its model, whatever tier the customer "
    "had before. But the list of customers, where a click leads, keeps a tier until spending is well below its border, as "
    "alerts do, and is as of now: it has some of them in a higher tier.</small></p>"
)


def of_tiers(places: Places) -> str:
    """The note, where a click leads to a list that counts otherwise; else empty."""
    return OF_TIERS if places({"tier": ""}) else ""
