"""Who was erased, and when, by the pseudonyms in the table `erasures` of the read store."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from stream.page.remarks import ErasureEntry
from stream.page.store.differences import Read, rows_named
from stream.page.store.tables import ERASURES
from stream.pseudonyms import ERASED, Pseudonyms

OWN_KEY = "erasure-key"
"""The note with the store's own key of pseudonyms."""


def erasures_of(
    erasures: Sequence[ErasureEntry],
    touched: set[str],
    pseudonyms: Callable[[], Pseudonyms],
    read: Read,
) -> tuple[list[ErasureEntry], dict[str, int]]:
    """The erasures of a batch under pseudonyms, and when those of `touched` were erased, whichever of the two
    was read first. `touched`: customers of whom the batch has alerts or words."""
    erased = {each.customer: each.at_ms for each in sorted(erasures, key=lambda each: each.at_ms)}
    touched = touched | erased.keys()
    if not touched or not (erased or read("SELECT 1 FROM erasures LIMIT 1", [])):
        return [], {}
    names = pseudonyms()
    known_as = {name: customer for customer in touched for name in names.all_of(customer)}
    for name, at_ms in rows_named(ERASURES, known_as, read):
        erased[known_as[name]] = max(at_ms, erased.get(known_as[name], -1))
    return [ErasureEntry(names.of(each.customer), each.at_ms) for each in erasures], erased


def own_pseudonyms(read: Read, note: Callable[..., Any]) -> Pseudonyms:
    """By a key that is kept in the store: for who sets none, so that at least no id stays there."""
    found = read("SELECT value FROM meta WHERE name = ?", [OWN_KEY])
    key = found[0][0] if found else secrets.token_hex(16)
    if not found:
        note(**{OWN_KEY: key})
    return Pseudonyms(key, ERASED)
