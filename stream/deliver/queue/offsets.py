"""How far each topic was read: in the queue, so that offsets and what they stand for are one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stream.deliver.queue.database import Database

_NEXT = "SELECT next_offset FROM position WHERE topic = ? AND partition_number = ?"


def positions(database: Database, topic: str) -> dict[int, int]:
    """Partition -> the offset to read next."""
    read = database.rows("SELECT partition_number, next_offset FROM position WHERE topic = ?", topic)
    return {int(partition): int(offset) for partition, offset in read}


def set_positions(database: Database, topic: str, offsets: Mapping[int, int]) -> None:
    """Read on from these offsets, unless another process has come further meanwhile."""
    with database.transaction():
        for partition, offset in offsets.items():
            if not database.rows(f"{_NEXT} {database.locked}", topic, partition):
                move_position(database, topic, partition, offset)


def forget_positions(database: Database, topic: str, partitions: Iterable[int]) -> None:
    """The topic no longer holds what was to be read next there: `set_positions` decides anew."""
    with database.transaction():
        for partition in partitions:
            database.run("DELETE FROM position WHERE topic = ? AND partition_number = ?", topic, partition)


def next_offset(database: Database, topic: str, partition: int) -> int:
    """The offset to read next, locked until the end of the transaction; 0 for a partition that is new."""
    read = database.rows(f"{_NEXT} {database.locked}", topic, partition)
    return int(read[0][0]) if read else 0


def move_position(database: Database, topic: str, partition: int, offset: int) -> None:
    """Read on from this offset."""
    database.run(
        "INSERT INTO position (topic, partition_number, next_offset) VALUES (?, ?, ?)"
        " ON CONFLICT (topic, partition_number) DO UPDATE SET next_offset = excluded.next_offset",
        topic,
        partition,
        offset,
    )
