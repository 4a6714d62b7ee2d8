"""The tables of the read store, and the SQL that fills them; the same text for SQLite and PostgreSQL.

Columns are the fields of the entries (stream/page/entries.py), in the same order. Placeholders are `?`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from stream.page.cells import COUNTED_BY, Cell
from stream.page.entries import AlertEntry, CustomerEntry, OpenEntry, ProfileEntry, UnseenEntry
from stream.page.masks import MaskEntry
from stream.page.remarks import ActionEntry, ErasureEntry, MuteEntry, NotCounted

STORE_VERSION = 9
"""Of tables and of what their columns mean: a store of another version is built anew. Add one at a change."""


class StoreTable(NamedTuple):
    """A table: its name, the entry that its columns are, its key and its other indexes."""

    name: str
    entry: type[Struct]
    key: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    """Indexes that no writing needs: they are made once the store is filled, which is quicker."""


TABLES = (
    StoreTable(
        "customers",
        CustomerEntry,
        ("customer",),
        late=(
            *(f"{column}, customer" for column in ("value_minor", "risk", "risk_rise", "last_purchase_ms")),
            "currency, value_minor, customer",
            "held",
            *(f"{column}, value_minor" for column in ("campaign", "channel", "country", "tier", "stage")),
        ),
    ),
    StoreTable("cells", Cell, COUNTED_BY),
    StoreTable("unseen", UnseenEntry, ("customer",)),
    StoreTable("masks", MaskEntry, ("customer",), late=("mask, customer",)),
    StoreTable("profiles", ProfileEntry, ("customer",)),
    StoreTable(
        "open_alerts",
        OpenEntry,
        ("customer", "kind"),
        ("kind, currency, worth, stake_mean, customer", "kind, opened_ms"),
    ),
    StoreTable("alerts", AlertEntry, ("id",), ("customer, sequence", "kind, at_ms")),
    StoreTable("actions", ActionEntry, ("id",), ("customer, at_ms", "alert_id")),
    StoreTable("mutes", MuteEntry, ("customer",)),
    StoreTable("erasures", ErasureEntry, ("customer",)),
    StoreTable("not_counted", NotCounted, ("day", "source", "reason")),
)
CUSTOMERS, CELLS, UNSEEN, MASKS, PROFILES, OPEN_ALERTS, ALERTS, ACTIONS, MUTES, ERASURES, NOT_COUNTED = TABLES
META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
OFFSETS = (
    "CREATE TABLE offsets (topic TEXT, place INTEGER, next BIGINT NOT NULL, epoch BIGINT NOT NULL DEFAULT 0, "
    "PRIMARY KEY (topic, place))"
)


def create_statements(types: dict[type, str]) -> list[str]:
    """The statements that make all tables; `types` gives the SQL type of str, int, float and bytes."""
    made = [META, OFFSETS]
    for table in TABLES:
        columns = [
            f"{field.name} {types[field.type]} NOT NULL" for field in msgspec.structs.fields(table.entry)
        ]
        made.append(f"CREATE TABLE {table.name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(table.key)}))")
        made += _indexes(table, "", table.indexes)
    return made


def late_statements() -> list[str]:
    """The statements that make the indexes of a store that is filled, where they are not there yet."""
    return [statement for table in TABLES for statement in _indexes(table, "late_", table.late)]


def _indexes(table: StoreTable, prefix: str, columns: Sequence[str]) -> list[str]:
    return [
        f"CREATE INDEX IF NOT EXISTS {table.name}_{prefix}{place} ON {table.name} ({each})"
        for place, each in enumerate(columns)
    ]


def drop_statements() -> list[str]:
    """The statements that take all tables away, where they are."""
    return [f"DROP TABLE IF EXISTS {name}" for name in ("meta", "offsets", *(table.name for table in TABLES))]


def upsert(table: StoreTable) -> str:
    """The statement that adds a row, or replaces the one with the same key."""
    names = table.entry.__struct_fields__
    if table in CONFLICTS:
        return _insert(table, names) + CONFLICTS[table]
    sets = ", ".join(f"{name} = excluded.{name}" for name in names if name not in table.key)
    done = f"UPDATE SET {sets}" if sets else "NOTHING"
    return _insert(table, names) + f"ON CONFLICT ({', '.join(table.key)}) DO {done}"


CONFLICTS = {
    MUTES: (
        "ON CONFLICT (customer) DO UPDATE SET until_ms = excluded.until_ms, at_ms = excluded.at_ms, "
        "reason = excluded.reason, actor = excluded.actor "
        "WHERE (excluded.at_ms, excluded.until_ms) >= (mutes.at_ms, mutes.until_ms)"
    ),
    ERASURES: (
        "ON CONFLICT (customer) DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms > erasures.at_ms"
    ),
    NOT_COUNTED: (
        "ON CONFLICT (day, source, reason) DO UPDATE SET count = not_counted.count + excluded.count"
    ),
}
"""What is done about a key that is there already, where the new row does not simply replace it: the latest
word counts, in whatever order two of them are read; counts add up."""


KNOWN_MINOR = "CASE WHEN value_step >= 0 THEN value_minor ELSE 0 END"
"""Of a row of customers: the value where it is known, else 0."""


def count_statement(sign: int, where: str) -> str:
    """The statement that counts the customers of a condition in (1) or out (-1)."""
    key = ", ".join(COUNTED_BY)
    sets = ", ".join(f"{name} = cells.{name} + excluded.{name}" for name in ("customers", "minor"))
    return (
        f"INSERT INTO cells ({key}, customers, minor) SELECT {key}, {sign} * COUNT(*), "
        f"{sign} * SUM({KNOWN_MINOR}) FROM customers WHERE {where} GROUP BY {key} "
        f"ON CONFLICT ({key}) DO UPDATE SET {sets}"
    )


def _insert(table: StoreTable, names: Sequence[str]) -> str:
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "


def values_of(entries: Sequence[Struct]) -> list[tuple[Any, ...]]:
    """The rows of these entries."""
    return [msgspec.structs.astuple(entry) for entry in entries]
