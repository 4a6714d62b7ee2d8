"""From what people type or see of an id to customers, where ids are masked too."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stream.page.screens.view import View
from stream.page.store.store import Reading

ABOVE_ALL = "\U0010ffff"
"""Behind every text that begins as another does."""
IN_ANY_CASE = "lower(customer)"
"""Both stores turn A to Z only, and have an index by it."""


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


def found_by_id(reading: Reading, typed: str, view: View) -> tuple[str, list[str]]:
    """The condition of the customers who are meant by a part of an id, and its parameters.

    Meant are those whose id begins so; if there are none, those whose id begins so in large or small letters;
    else those whose id has it anywhere. Where ids are masked, only the beginning of a mask finds anybody.
    """
    ends = [typed, typed + ABOVE_ALL]
    if view.masks is not None:
        return "customer IN (SELECT customer FROM masks WHERE mask >= ? AND mask < ?)", ends
    small = "".join(letter.lower() if letter.isascii() else letter for letter in typed)
    steps = (
        ("customer >= ? AND customer < ?", ends),
        (f"{IN_ANY_CASE} >= ? AND {IN_ANY_CASE} < ?", [small, small + ABOVE_ALL]),
    )
    for where, values in steps:
        if reading.rows(f"SELECT 1 FROM customers WHERE {where} LIMIT 1", values):
            return where, values
    part = re.sub(r"[!%_]", r"!\g<0>", small)
    return f"{IN_ANY_CASE} LIKE ? ESCAPE '!'", [f"%{part}%"]
