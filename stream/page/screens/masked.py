"""Back from what a customer is shown as to the customer, where ids are masked."""

from __future__ import annotations

from collections.abc import Mapping

from stream.page.screens.view import View
from stream.page.store.store import Reading


class ElsewhereError(Exception):
    """The page has another address, which does not hold an id that is masked."""

    def __init__(self, filters: Mapping[str, str]) -> None:
        super().__init__("see the other address")
        self.filters = dict(filters)


def customer_of(reading: Reading, shown: str, view: View) -> str:
    """The customer who is shown so; empty where there is none."""
    if view.masks is None:
        return shown
    found = reading.rows("SELECT customer FROM masks WHERE mask = ?", [shown])
    return str(found[0][0]) if found else ""


def masked(reading: Reading, filters: Mapping[str, str], name: str, view: View) -> dict[str, str]:
    """The filters with the mask in place of a full id that somebody typed. Parts of ids find nobody."""
    typed = filters.get(name, "")
    known = view.masks is not None and typed and not customer_of(reading, typed, view)
    if known and reading.rows("SELECT 1 FROM masks WHERE customer = ?", [typed]):
        return {**filters, name: view.shown(typed)}
    return dict(filters)


def must_be_masked(reading: Reading, filters: Mapping[str, str], name: str, view: View) -> None:
    """ElsewhereError where the address holds the full id of a customer."""
    found = masked(reading, filters, name, view)
    if found != dict(filters):
        raise ElsewhereError(found)
