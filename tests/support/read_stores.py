"""The two read stores of the dashboard, each as it is run: a file of SQLite, a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.page.store.postgres import PostgresStore
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import ReadStore
from tests.support.postgres import postgres


@contextmanager
def read_store(name: str, folder: Path) -> Iterator[ReadStore]:
    """The store of a name, `sqlite` or `postgres`, which is closed at the end; `folder` is for its file."""
    if name == "sqlite":
        small = SqliteStore(folder / "store.db")
        yield small
        small.close()
        return
    with postgres() as url:
        large = PostgresStore(url)
        yield large
        large.close()
