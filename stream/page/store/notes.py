"""What a read store knows of itself: names and texts in the table `meta`."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any


class StoreNotes(ABC):
    """The part of a store that keeps notes."""

    @abstractmethod
    def _run(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a statement once for each row of parameters."""

    @abstractmethod
    def _meta(self) -> Mapping[str, str]:
        """What the store knows of itself; empty where it has no tables, or cannot be read as a store."""

    @property
    def is_indexed(self) -> bool:
        """Whether it was filled for the first time, and has indexes and counts."""
        return self._meta().get("indexed") == "1"

    def note(self, name: str) -> str:
        """A text that the source keeps in the store (`Batch.notes`); empty: there is none."""
        return self._meta().get(name, "")

    def as_of_ms(self) -> int:
        """The instant that the rows are as of; 0 before `finish`."""
        return int(self._meta().get("as_of_ms", "0"))

    def notes(self) -> tuple[str, ...]:
        """What is to be said of the rows as a whole."""
        return tuple(json.loads(self._meta().get("notes", "[]")))

    def _note(self, **texts: str) -> None:
        self._run(
            "INSERT INTO meta (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            list(texts.items()),
        )
