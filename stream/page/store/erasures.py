"""Who was erased, and when, by the pseudonyms in the table `erasures` of the read store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

NAMES_AT_ONCE = 500
Read = Callable[[], AbstractContextManager[Any]]
"""Begins a short transaction for reading (`ReadStore.reading`)."""


def any_erasures(read: Read) -> bool:
    """Whether anybody was erased."""
    with read() as reading:
        return bool(reading.rows("SELECT 1 FROM erasures LIMIT 1"))


def erasures_known(read: Read, pseudonyms: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Of these pseudonyms those of erased customers, with the time of the erasure in ms."""
    names = iter(sorted(pseudonyms))
    while some := list(islice(names, NAMES_AT_ONCE)):
        marks = ", ".join("?" * len(some))
        with read() as reading:
            yield from reading.rows(f"SELECT customer, at_ms FROM erasures WHERE customer IN ({marks})", some)
