"""What the queue needs of a database: transactions, and statements with `?` for each value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from stream.pseudonyms import ERASED, Pseudonyms

Row = TypeVar("Row")
VERSION = 3
"""Of the tables; a queue of a later version is refused."""

CONSENT = """
CREATE TABLE consent (
    customer TEXT NOT NULL,
    purpose TEXT NOT NULL,
    stated_ms BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    read_ms BIGINT NOT NULL,
    PRIMARY KEY (customer, purpose)
);
"""
UPGRADES = {2: CONSENT}
"""Version -> what it lacks of the next one."""
TABLES = (
    f"{CONSENT}\n"
    + """
CREATE TABLE alert (
    seq {serial},
    alert_id TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL,
    episode TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    tier TEXT NOT NULL,
    at_stake_minor BIGINT,
    at_ms BIGINT NOT NULL,
    expires_ms BIGINT,
    arm TEXT NOT NULL,
    body {bytes} NOT NULL,
    origin TEXT NOT NULL,
    read_ms BIGINT NOT NULL,
    erasing BIGINT NOT NULL DEFAULT 0,
    zone TEXT NOT NULL DEFAULT ''
);
CREATE INDEX alert_episode ON alert (episode);
CREATE INDEX alert_read ON alert (read_ms);
CREATE INDEX alert_customer ON alert (customer);
CREATE INDEX alert_erasing ON alert (erasing, seq) WHERE erasing > 0;
CREATE TABLE erased (
    customer TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    read_ms BIGINT NOT NULL
);
CREATE INDEX erased_read ON erased (read_ms);
CREATE TABLE muted (
    customer TEXT PRIMARY KEY,
    stated_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE delivery (
    endpoint TEXT NOT NULL,
    seq BIGINT NOT NULL REFERENCES alert (seq),
    customer TEXT NOT NULL,
    episode TEXT NOT NULL,
    due_ms BIGINT NOT NULL,
    expires_ms BIGINT,
    lease_ms BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    failures BIGINT NOT NULL DEFAULT 0,
    resends BIGINT NOT NULL DEFAULT 0,
    outcome TEXT,
    reason TEXT NOT NULL DEFAULT '',
    ended_ms BIGINT NOT NULL DEFAULT 0,
    status BIGINT NOT NULL DEFAULT 0,
    detail TEXT NOT NULL DEFAULT '',
    reported BIGINT NOT NULL DEFAULT 0,
    sent_ms BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (endpoint, seq)
);
CREATE INDEX delivery_unreported ON delivery (seq) WHERE outcome IS NOT NULL AND reported = 0;
CREATE INDEX delivery_sent ON delivery (customer, sent_ms) WHERE sent_ms > 0;
CREATE INDEX delivery_due ON delivery (endpoint, due_ms, seq) WHERE outcome IS NULL;
CREATE INDEX delivery_customer ON delivery (endpoint, customer, seq) WHERE outcome IS NULL;
CREATE INDEX delivery_expires ON delivery (expires_ms) WHERE outcome IS NULL;
CREATE INDEX delivery_seq ON delivery (seq, endpoint);
CREATE INDEX delivery_episode ON delivery (episode, endpoint);
CREATE INDEX delivery_ended ON delivery (ended_ms) WHERE outcome IS NOT NULL;
CREATE TABLE endpoint (
    name TEXT PRIMARY KEY,
    disabled_ms BIGINT NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    failing_since_ms BIGINT NOT NULL DEFAULT 0,
    failures BIGINT NOT NULL DEFAULT 0,
    hold_until_ms BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE position (
    topic TEXT NOT NULL,
    partition_number BIGINT NOT NULL,
    next_offset BIGINT NOT NULL,
    PRIMARY KEY (topic, partition_number)
);
CREATE TABLE unread (
    topic TEXT NOT NULL,
    partition_number BIGINT NOT NULL,
    record_offset BIGINT NOT NULL,
    reason TEXT NOT NULL,
    read_ms BIGINT NOT NULL,
    PRIMARY KEY (topic, partition_number, record_offset)
);
"""
)
"""`due_ms`: not attempted before. `lease_ms`: until then an attempt is under way in some process; with an
outcome: its report. `erasing`: 1 when the body goes as soon as no delivery needs it, 2 when it is gone.
`reported`: 1 when the outcome is on the deliveries topic. `sent_ms`: when it was first sent, or would have
been if its customer were not held out; 0: neither. `reason` of a delivery without outcome: what it waits for.
`muted`: the latest word about a customer; `until_ms` 0: unmuted. `consent`: the latest statement about a
purpose."""


ROWS_AT_ONCE = 500
"""Rows of one statement: at 15 values each well below the most that SQLite takes (32,766) and PostgreSQL
(65,535)."""


def portions(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows, for statements of at most ROWS_AT_ONCE each."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]


def marks(rows: Sequence[Sequence[Any]]) -> str:
    """What follows VALUES for these rows: one statement for all of them, which a database beyond a network
    plans and answers once."""
    one = f"({', '.join('?' * len(rows[0]))})"
    return ", ".join([one] * len(rows))


NOBODY = Pseudonyms("", ERASED)


class QueueError(Exception):
    """The queue cannot be used: the message says which, and why."""


class Database(Protocol):
    """One connection; calls come one after the other."""

    pseudonyms: Pseudonyms
    """By which the queue knows customers who were erased; without a key it keeps their ids for a week."""
    locked: str
    """What a SELECT ends with that locks the rows it finds; empty where a transaction locks everything."""
    alone: bool
    """Whether no other process makes attempts from this queue."""
    skip_locked: str
    """The same, leaving out rows that another process has locked."""

    def transaction(self) -> AbstractContextManager[None]:
        """All statements of the block, or none of them; QueueError when they cannot be written."""

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement; the rows that it gives."""

    def run(self, statement: str, *values: Any) -> None:
        """Run a statement; within a transaction an error may be raised at its end only."""

    def changed(self, statement: str, *values: Any) -> int:
        """Run an UPDATE or DELETE; how many rows it changed."""

    def overwrite_deleted(self) -> None:
        """Outside a transaction, after an erasure: what it took away is in no log of the queue any more."""

    def close(self) -> None:
        """Close the connection."""
