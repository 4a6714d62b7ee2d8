"""By which model a partition is judged: the settings' own, or one that was published on the control topic.

A published model holds from its instant of event time on, and a row of the partition remembers it, so that a
restart goes on with it. It gives way at a start when the settings name another model than at its publication,
and that one was fitted later.
"""

from __future__ import annotations

import logging

from msgspec import Raw

from stream.core.book import Book
from stream.core.event import ModelPublished
from stream.core.model import Model, decode_model
from stream.engine import Arrival, Lane
from stream.worker.row import MODEL_KEY, LiveRow, Row

log = logging.getLogger("stream.worker")


class Models:
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
        known, own = lane.get(MODEL_KEY) or LiveRow(Row()), self.book_of(lane) is self.own
        before = [] if own else known.models if _is_committed(known, lane) else known.models[1:]
        here = {arrival.topic: arrival.offset + 1}
        models = [Raw(bytes(event.data.model)), *before[:1]]
        lane.put(MODEL_KEY, LiveRow(Row(here, models=models, instead_of=self.own.model.version)))
        self._adopted[lane.partition] = here
        book = self._books[lane.partition] = self._book_with(model)
        return book

    def _take_up(self, lane: Lane[LiveRow]) -> None:
        """A partition is ours anew: what it remembers holds, up to what is committed."""
        kept = lane.get(MODEL_KEY) or LiveRow(Row())
        committed = _is_committed(kept, lane)
        models = kept.models if committed else kept.models[1:]
        self._lanes[lane.partition] = lane
        self._adopted[lane.partition] = dict(kept.applied) if committed else {}
        self._books[lane.partition] = self.own
        if models:
            model = decode_model(models[0])
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


def _is_committed(kept: LiveRow, lane: Lane[LiveRow]) -> bool:
    """Whether the event that brought this model will not come again."""
    return all(lane.committed_offset(topic) >= offset for topic, offset in kept.applied.items())
