"""Erases a customer from the read store of the dashboard by the store's own code, which also counts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from stream.page.remarks import ErasureEntry
from stream.page.store.postgres import PostgresStore
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch, ReadStore, StoreError
from stream.privacy.sql_stores import POSTGRES, SqlStoreError
from stream.pseudonyms import ERASED, Pseudonyms


def wipe_read_store(place: str, customer: str, at_ms: int, keys: str) -> None:
    """Take the customer out, beside a running dashboard; one that holds the lock of a PostgreSQL does it when
    it reads the erasure. `keys`: STREAM_ERASURE_KEY. SqlStoreError."""
    try:
        store: ReadStore = PostgresStore(place) if place.startswith(POSTGRES) else SqliteStore(Path(place))
    except StoreError as error:
        if place.startswith(POSTGRES) and "another" in str(error):
            return
        raise SqlStoreError(str(error)) from error
    with closing(store):
        store.pseudonyms = Pseudonyms(keys, ERASED)
        try:
            store.write(Batch(erased=[customer], erasures=[ErasureEntry(customer, at_ms)]))
        except StoreError as error:
            raise SqlStoreError(str(error)) from error
