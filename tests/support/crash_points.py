"""A process that dies at its n-th step: before or after a transaction, inside it, around an attempt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stream.deliver.queue.database import Database


class KilledError(Exception):
    """The process is gone; what it had in memory is lost."""


class CrashPoints:
    """Counts steps; the one with the number `at` kills. 0: none does."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.passed = 0
        self.dead = False

    def step(self) -> None:
        self.passed += 1
        if self.dead or self.passed == self.at:
            self.dead = True
            raise KilledError(f"step {self.passed}")


class CrashingDatabase:
    """A database whose process may die around each transaction, and before each is committed."""

    def __init__(self, database: Database, points: CrashPoints) -> None:
        self._database, self._points = database, points
        self.locked, self.skip_locked = database.locked, database.skip_locked
        self.alone, self.pseudonyms = database.alone, database.pseudonyms

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._points.step()
        with self._database.transaction():
            yield
            self._points.step()
        self._points.step()

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._database.rows(statement, *values)

    def run(self, statement: str, *values: Any) -> None:
        self._database.run(statement, *values)

    def changed(self, statement: str, *values: Any) -> int:
        return self._database.changed(statement, *values)

    def overwrite_deleted(self) -> None:
        self._points.step()
        self._database.overwrite_deleted()

    def close(self) -> None:
        self._database.close()
