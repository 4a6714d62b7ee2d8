"""By which model a partition is judged: the settings' own, or one that was published on the control topic.

A published model holds from its instant of event time on, and a row of the partition remembers it, so that a
restart goes on with it. It gives way at a start when the settings name another model than at its publication,
and that one was fitted later.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import chain, repeat
from typing import NamedTuple

from msgspec import Raw

from stream.core.events.event import ModelPublished
from stream.core.judgement.basis import Book
from stream.core.model.record import Model, decode_model
from stream.engine import Arrival, Lane
from stream.worker.rows.row import MODEL_KEY, LiveRow, StoredRow

log = logging.getLogger("stream.worker")


class PartitionModels:
    """The book of each partition. The first look at a lane must come before its first commit."""

    def __init__(self, own: Book) -> None:
        self.own = own
        self._books: dict[int, Book] = {}
        self._lanes: dict[int, Lane[LiveRow]] = {}
        self._adopted: dict[int, dict[str, int]] = {}

    def book_of(self, lane: Lane[LiveRow]) -> Book:
        """What this partition is judged by now."""
        if self._lanes.get(lane.partition) is not lane:
            self._take_up(lane)
        return self._books[lane.partition]

    def adopted(self, lane: Lane[LiveRow]) -> dict[str, int]:
        """What a new row starts with: the publication it need not be judged by again, after a crash."""
        return self._adopted[lane.partition]

    def adopt(self, lane: Lane[LiveRow], arrival: Arrival, event: ModelPublished, model: Model) -> Book:
        """From here on the partition is judged by this model."""
        known, own = lane.get(MODEL_KEY) or LiveRow(StoredRow()), self.book_of(lane) is self.own
        here = {arrival.topic: arrival.offset + 1}
        before = [] if own else _before(_publications(known), arrival.offset + 1, lane)
        models = [Raw(bytes(event.data.model)), *(each.model for each in before)]
        adopted = [each.behind for each in before]
        row = StoredRow(here, models=models, instead_of=self.own.model.version, adopted=adopted)
        lane.put(MODEL_KEY, LiveRow(row))
        self._adopted[lane.partition] = here
        book = self._books[lane.partition] = self._book_with(model)
        return book

    def _take_up(self, lane: Lane[LiveRow]) -> None:
        """A partition is ours anew: what it remembers holds, up to what is committed."""
        kept = lane.get(MODEL_KEY) or LiveRow(StoredRow())
        held = [each for each in _publications(kept) if each.is_committed(lane)]
        self._lanes[lane.partition] = lane
        self._adopted[lane.partition] = {each.topic: each.behind for each in held[:1] if each.behind}
        self._books[lane.partition] = self.own
        if held:
            model = decode_model(held[0].model)
            if self._gives_way(model, kept):
                version = self.own.model.version
                log.info("partition %d: model %s of STREAM_MODEL was fitted later", lane.partition, version)
                return
            self._books[lane.partition] = self._book_with(model)
            log.info("partition %d: judged by the published model %s", lane.partition, model.version)

    def _gives_way(self, published: Model, kept: LiveRow) -> bool:
        own = self.own.model
        return own.version != kept.instead_of and own.fitted_at_ms > published.fitted_at_ms

    def _book_with(self, model: Model) -> Book:
        for book in (self.own, *self._books.values()):
            if book.model.version == model.version:
                return book
        return Book(self.own.policy, model)


class Publication(NamedTuple):
    """A model that was in force, and the offset behind the event that brought it."""

    model: Raw
    topic: str
    behind: int

    def is_committed(self, lane: Lane[LiveRow]) -> bool:
        """Whether the event that brought this model will not come again."""
        return lane.committed_offset(self.topic) >= self.behind


def _publications(kept: LiveRow) -> list[Publication]:
    """The last one first. Of one that an earlier version kept beside it no offset is known."""
    for topic, behind in kept.applied.items():
        offsets = chain((behind, *kept.adopted), repeat(0))
        return [
            Publication(model, topic, offset) for model, offset in zip(kept.models, offsets, strict=False)
        ]
    return []


def _before(known: Iterable[Publication], behind: int, lane: Lane[LiveRow]) -> list[Publication]:
    """Those that a restart may go back to, and not what comes again by itself."""
    before: list[Publication] = []
    for each in known:
        if each.behind < behind:
            before.append(each)
            if each.is_committed(lane):
                break
    return before
