"""The tables of the read store, and the SQL that fills them; the same text for SQLite and PostgreSQL.

Columns are the fields of the entries (stream/page/entries.py), in the same order. Placeholders are `?`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from stream.page.cells import COUNTED_BY, OPEN_COUNTED_BY, Cell, OpenCell
from stream.page.entries import AlertEntry, CustomerEntry, OpenEntry, ProfileEntry, UnseenEntry
from stream.page.masks import MaskEntry
from stream.page.remarks import ActionEntry, ErasureEntry, MuteEntry, NotCounted

STORE_VERSION = 14
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
            *(
                f"({column} DESC, customer)"
                for column in ("value_minor", "risk", "risk_rise", "last_purchase_ms")
            ),
            "(currency, value_minor DESC, customer)",
            "(held) WHERE held <> ''",
            "(lower(customer))",
            *(
                f"({column}, value_minor DESC, customer)"
                for column in ("campaign", "channel", "country", "tier", "stage")
            ),
        ),
    ),
    StoreTable("cells", Cell, COUNTED_BY),
    StoreTable("unseen", UnseenEntry, ("customer",)),
    StoreTable("masks", MaskEntry, ("customer",), late=("(mask, customer)",)),
    StoreTable("profiles", ProfileEntry, ("customer",)),
    StoreTable(
        "open_alerts",
        OpenEntry,
        ("customer", "kind"),
        late=(
            "(kind, currency, closed_to_us, worth DESC, stake_mean DESC, customer, opened_ms, tier, urgent)",
            "(kind, currency, closed_to_us, likely_lost DESC, stake_mean DESC, customer)",
            "(kind, opened_ms)",
        ),
    ),
    StoreTable("open_cells", OpenCell, OPEN_COUNTED_BY),
    StoreTable("alerts", AlertEntry, ("id",), ("(customer, sequence)", "(kind, at_ms, state)")),
    StoreTable("actions", ActionEntry, ("id",), ("(customer, at_ms)", "(alert_id)")),
    StoreTable("mutes", MuteEntry, ("customer",)),
    StoreTable("erasures", ErasureEntry, ("customer",)),
    StoreTable("not_counted", NotCounted, ("day", "source", "reason")),
)
(
    CUSTOMERS, CELLS, UNSEEN, MASKS, PROFILES, OPEN_ALERTS, OPEN_CELLS, ALERTS, ACTIONS, MUTES, ERASURES,
    NOT_COUNTED,
) = TABLES  # fmt: skip
META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
OFFSETS = (
    "CREATE TABLE offsets (topic TEXT, place INTEGER, next BIGINT NOT NULL, epoch BIGINT NOT NULL DEFAULT 0, "
    "PRIMARY KEY (topic, place))"
)

PUT_OFFSETS = (
    "INSERT INTO offsets (topic, place, next, epoch) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (topic, place) DO UPDATE SET next = excluded.next, epoch = excluded.epoch"
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
        f"CREATE INDEX IF NOT EXISTS {table.name}_{prefix}{place} ON {table.name} {each}"
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
    **{
        cells: f"ON CONFLICT ({', '.join(cells.key)}) DO UPDATE SET "
        + ", ".join(
            f"{name} = {cells.name}.{name} + excluded.{name}"
            for name in cells.entry.__struct_fields__[len(cells.key) :]
        )
        for cells in (CELLS, OPEN_CELLS)
    },
    NOT_COUNTED: (
        "ON CONFLICT (day, source, reason) DO UPDATE SET count = not_counted.count + excluded.count"
    ),
}
"""What is done about a key that is there already, where the new row does not simply replace it: the latest
word counts, in whatever order two of them are read; counts add up."""


KNOWN_MINOR = "CASE WHEN value_step >= 0 THEN value_minor ELSE 0 END"
"""Of a row of customers: the value where it is known, else 0."""


OPEN_SUMS = (
    "COUNT(*), COALESCE(SUM(CASE WHEN stake_minor < 0 THEN 1 ELSE 0 END), 0), "
    "COALESCE(SUM(stake_mean), 0), COALESCE(SUM(stake_variance), 0)"
)
"""Of rows of open alerts: their number, how many have no known stake, mean and variance of the stakes."""
_KEY, _OPEN_KEY = ", ".join(COUNTED_BY), ", ".join(OPEN_COUNTED_BY)
COUNT_ALL = (
    "DELETE FROM cells",
    f"INSERT INTO cells SELECT {_KEY}, COUNT(*), SUM({KNOWN_MINOR}) FROM customers GROUP BY {_KEY}",
    "DELETE FROM open_cells",
    f"INSERT INTO open_cells SELECT {_OPEN_KEY}, {OPEN_SUMS} FROM open_alerts GROUP BY {_OPEN_KEY}",
)
"""The statements that count all customers and all open alerts."""


def _insert(table: StoreTable, names: Sequence[str]) -> str:
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
