"""Start offsets: where reading goes on, and whether Kafka still holds what was not read yet.

The engine never starts from the beginning without a sign of it: an offset that is missing or outside of the
log stops the worker (exit 74), unless it was the first start or somebody set the offset by hand.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from stream.engine.failure import CUT_OVER, EngineError, Exit
from stream.engine.partition_id import PartitionId
from stream.engine.start.spot_check import KeysAt, ReadByRows, spot_check
from stream.engine.start.topic_ids import created_again
from stream.engine.task.commit_point import CommitPoint, CommitPoints
from stream.engine.task.lane import Lane

log = logging.getLogger("stream.engine")
OUT_OF_LOG = (OffsetOutOfRangeError, NoOffsetForPartitionError)
"""What a fetch raises when its offset is not in the log."""


def start_points(
    tps: Iterable[PartitionId],
    committed: CommitPoints,
    first: Mapping[PartitionId, int],
    last: Mapping[PartitionId, int],
    ids: Mapping[str, str],
) -> CommitPoints:
    """The committed point of each partition, or its first offset if no offset of it was ever committed.

    `first`, `last`: first and next offset of each partition. `ids`: topic -> its id now, where it is known.
    EngineError: the committed offset is not of this log.
    """
    points, known = {}, {tp.partition for tp, point in committed.items() if point.flush}
    for tp in tps:
        if tp not in committed and tp.partition in known:
            # A worker commits all inputs of a partition number together; Kafka forgot those of one topic.
            raise EngineError(
                Exit.DATA_LOSS,
                f"{tp} was created again: its offset is forgotten, those of the other inputs are not; "
                f"{CUT_OVER}",
            )
        point = committed.get(tp, CommitPoint(first[tp]))
        topic_id = ids.get(tp.topic, point.topic_id)
        if point.topic_id not in {"", topic_id}:
            raise created_again(tp.topic, point.topic_id, topic_id)
        if not first[tp] <= point.offset <= last[tp]:
            raise EngineError(
                Exit.DATA_LOSS,
                f"{tp} holds offsets {first[tp]} to {last[tp]}, but the next one to read is {point.offset}: "
                "records were deleted before they were read, or the topic was created again",
            )
        points[tp] = point._replace(topic_id=topic_id)
    return points


def check_rows(
    lanes: Iterable[Lane[Any]],
    points: CommitPoints,
    last: Mapping[PartitionId, int],
    forgotten: Container[PartitionId],
    keys_at: KeysAt,
) -> None:
    """Compare the inputs with what rows have read, where no worker has committed the offset.

    `forgotten`: partitions of which the group has no offset at all, not even one set by hand. EngineError:
    the input is not the one that the rows know, or was set back without the others. Blocks, and reads all
    rows of such a lane.
    """
    last_keys, alone = {}, []
    for lane in lanes:
        tps = [source.tp for source in lane.sources]
        by_hand = [tp for tp in tps if not points[tp].flush]
        if not by_hand:
            continue
        read_by_rows = _read_by_rows(lane)
        whole = len(by_hand) == len(tps)
        _warn(by_hand, points, whole=whole, any_row=bool(read_by_rows))
        for tp in by_hand:
            rows = read_by_rows.get(tp.topic, ReadByRows())
            read, start = rows.next_offset, points[tp].offset
            if read > last[tp]:
                raise EngineError(Exit.DATA_LOSS, _shorter(tp, last[tp], read))
            if read_by_rows and tp in forgotten and start > read:
                raise EngineError(
                    Exit.DATA_LOSS,
                    f"{tp}: the records from {read} to {start - 1} are missing. The rows have applied "
                    f"what came before {read}, the topic begins at {start} now, and the group's offsets are "
                    "forgotten (they expired, or were deleted): so nobody read what is in between before it "
                    "was deleted. To go on without it set the group's offsets by hand",
                )
            if not whole and (start < read or (not read_by_rows and start < last[tp])):
                alone.append(_alone(tp, start, read, tps, by_hand))
            last_keys[tp] = rows.last_keys
    spot_check(last_keys, keys_at)
    if alone:
        raise EngineError(Exit.CONFIGURATION, alone[0])


def _read_by_rows(lane: Lane[Any]) -> Mapping[str, ReadByRows]:
    """By topic; empty when no row has ever applied a record."""
    read: defaultdict[str, ReadByRows] = defaultdict(ReadByRows)
    for key, applied in lane.table.applied():
        for topic, next_offset in applied.items():
            read[topic].note(key, next_offset)
    return read


def _warn(by_hand: Sequence[PartitionId], points: CommitPoints, *, whole: bool, any_row: bool) -> None:
    if not whole:
        for tp in by_hand:
            log.warning("%s: its offset was set by hand to %d", tp, points[tp].offset)
    elif any_row:
        log.warning(
            "partition %d: there are rows, but no offsets that a worker has committed: records that the rows "
            "have applied already are skipped, and what is in the outboxes of the rows is sent again",
            by_hand[0].partition,
        )


def check_fetch(
    offsets: Mapping[PartitionId, int], first: Mapping[PartitionId, int], last: Mapping[PartitionId, int]
) -> None:
    """EngineError: a log ends before the offset to fetch, or its records from there on were deleted."""
    for tp, offset in offsets.items():
        if last[tp] < offset:
            raise EngineError(Exit.DATA_LOSS, _shorter(tp, last[tp], offset))
        if first[tp] > offset:
            raise EngineError(
                Exit.DATA_LOSS,
                f"{tp} begins at {first[tp]}, but {offset} was not read yet: records were deleted before "
                "they were read",
            )


def _alone(
    tp: PartitionId, start: int, read: int, tps: Iterable[PartitionId], by_hand: Container[PartitionId]
) -> str:
    """An input goes back without the others, such as that which tells what was deleted on request."""
    others = ", ".join(other.topic for other in tps if other not in by_hand)
    until = f", though rows have read up to {read}" if read else ""
    return (
        f"{tp}: its offset was set back by hand to {start}{until}, those of {others} were not: what these "
        "deleted since then would come back. Set back the group's offsets of all inputs together, to one "
        "point in time (kafka-consumer-groups.sh --reset-offsets --all-topics --to-datetime ...)"
    )


def _shorter(tp: PartitionId, end: int, read: int) -> str:
    return f"{tp} ends at {end}, but records up to {read} were read: it was created again or cut; {CUT_OVER}"
