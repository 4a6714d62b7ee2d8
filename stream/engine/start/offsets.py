"""Where reading goes on, and whether Kafka still holds what was read: never a silent new beginning."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from stream.engine.failure import CUT_OVER, EngineError, Exit
from stream.engine.partition_id import PartitionId
from stream.engine.start.topic_ids import made_anew
from stream.engine.start.witnesses import Had, KeysAt, check_witnesses
from stream.engine.task.batch import Mark
from stream.engine.task.lane import Lane

log = logging.getLogger("stream.engine")
Marks = dict[PartitionId, tuple[int, Mark]]
OUTSIDE = (OffsetOutOfRangeError, NoOffsetForPartitionError)
"""What a fetch says that asks for what is not there."""


def starting_marks(
    places: Iterable[PartitionId],
    committed: Marks,
    first: Mapping[PartitionId, int],
    last: Mapping[PartitionId, int],
    ids: Mapping[str, str],
) -> Marks:
    """The committed marks, or the beginning of everything when there never was one.

    `ids`: those of the topics now, as far as they are known.
    """
    marks, known = {}, {place.partition for place, (_, mark) in committed.items() if mark.flush}
    for place in places:
        if place not in committed and place.partition in known:
            # Offsets of a partition number are committed together; Kafka forgets those of a deleted topic.
            raise EngineError(
                Exit.DATA_LOSS,
                f"{place.topic}/{place.partition} was made anew: its offset is forgotten, those of the other "
                f"inputs are not; {CUT_OVER}",
            )
        offset, mark = committed.get(place, (first[place], Mark(0, None, None)))
        topic_id = ids.get(place.topic, mark.topic_id)
        if mark.topic_id not in {"", topic_id}:
            raise made_anew(place.topic, mark.topic_id, topic_id)
        if not first[place] <= offset <= last[place]:
            raise EngineError(
                Exit.DATA_LOSS,
                f"{place.topic}/{place.partition} holds offsets {first[place]} to {last[place]}, but the "
                f"next one to read is {offset}: records were deleted unread, or the topic was made anew",
            )
        marks[place] = (offset, mark._replace(topic_id=topic_id))
    return marks


def check_rows(
    lanes: Iterable[Lane[Any]],
    marks: Marks,
    last: Mapping[PartitionId, int],
    forgotten: Container[PartitionId],
    keys_at: KeysAt,
) -> None:
    """Where the group's offsets were deleted or set by hand only the rows know what was read.

    `forgotten`: there is no offset, not even one set by hand. Blocks for a walk over all rows.
    """
    witnesses = {}
    for lane in lanes:
        places = [PartitionId(source.topic, lane.partition) for source in lane.sources]
        by_hand = [place for place in places if not marks[place][1].flush]
        if not by_hand:
            continue
        had = _had(lane)
        _warn(by_hand, marks, whole=len(by_hand) == len(places), any_row=bool(had))
        for place in by_hand:
            theirs = had.get(place.topic, Had())
            read, first = theirs.next_offset, marks[place][0]
            if read > last[place]:
                raise EngineError(Exit.DATA_LOSS, _shorter(place, last[place], read))
            if had and place in forgotten and first > read:
                raise EngineError(
                    Exit.DATA_LOSS,
                    f"{place.topic}/{place.partition} begins at {first}, but rows have only what came before "
                    f"{read}, and the group's offsets are forgotten: records seem to be deleted unread. "
                    "To go on without them set the group's offsets by hand",
                )
            witnesses[place] = theirs.witnesses
    check_witnesses(witnesses, keys_at)


def _had(lane: Lane[Any]) -> Mapping[str, Had]:
    """By topic. Empty: no row ever had anything."""
    had: defaultdict[str, Had] = defaultdict(Had)
    for key, applied in lane.table.applied():
        for topic, next_offset in applied.items():
            had[topic].note(key, next_offset)
    return had


def _warn(by_hand: Sequence[PartitionId], marks: Marks, *, whole: bool, any_row: bool) -> None:
    if not whole:
        for place in by_hand:
            log.warning("%s/%d: its offset was set by hand to %d", *place, marks[place][0])
    elif any_row:
        log.warning(
            "partition %d: there are rows, but no offsets that a worker has committed: what the rows "
            "already have of the inputs is passed by, and their last alerts are sent again",
            by_hand[0].partition,
        )


def check_fetch(
    offsets: Mapping[PartitionId, int], first: Mapping[PartitionId, int], last: Mapping[PartitionId, int]
) -> None:
    """These may be fetched: no record is gone that was not read yet, and the log is not a shorter one."""
    for place, offset in offsets.items():
        if last[place] < offset:
            raise EngineError(Exit.DATA_LOSS, _shorter(place, last[place], offset))
        if first[place] > offset:
            raise EngineError(
                Exit.DATA_LOSS,
                f"{place.topic}/{place.partition} begins at {first[place]}, but {offset} was not read "
                "yet: records were deleted before they were read",
            )


def _shorter(place: PartitionId, end: int, read: int) -> str:
    name = f"{place.topic}/{place.partition}"
    return f"{name} ends at {end}, but records up to {read} were read: it was made anew or cut; {CUT_OVER}"
