"""The model that a partition's customers are judged by: STREAM_MODEL, or one published on the control topic.

A published model is in force from its instant of event time on. The row under MODEL_KEY of the partition
stores it, so a restarted worker goes on with it. After a restart STREAM_MODEL takes its place when both
hold: it names another model than at the time of the publication, and that model was fitted later than the
published one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Raw

from stream.core.events.event import ModelPublished
from stream.core.judgement.basis import Basis
from stream.core.model.document import ModelError, decode_model
from stream.core.model.record import Model
from stream.core.trial import tried_basis
from stream.engine import Arrival, Lane
from stream.worker.rows.row import MODEL_KEY, LiveRow, StoredRow

log = logging.getLogger("stream.worker")


class PartitionModels:
    """Policy and model of each partition. `basis_of` must see a lane before the lane's first commit."""

    def __init__(self, configured: Basis) -> None:
        self.configured = configured
        """The policy and the model of the settings."""
        self._bases: dict[int, Basis] = {}
        self._lanes: dict[int, Lane[LiveRow]] = {}
        self._adopted: dict[int, dict[str, int]] = {}

    def basis_of(self, lane: Lane[LiveRow]) -> Basis:
        """What the customers of this partition are judged by now."""
        if self._lanes.get(lane.partition) is not lane:
            self._restore(lane)
        return self._bases[lane.partition]

    def versions(self, partitions: Iterable[int]) -> set[str]:
        """The versions of the models in force in these partitions, as far as their customers were judged."""
        return {self._bases[each].model.version for each in partitions if each in self._bases}

    def adopted_offsets(self, lane: Lane[LiveRow]) -> dict[str, int]:
        """Topic -> offset after the publication of the model in force; empty for the configured one.

        A new row starts with these offsets in `applied`: if the publication is read again after a crash, this
        customer needs no second judgement by it.
        """
        return self._adopted[lane.partition]

    def tried(self, model: Model) -> Basis:
        """The basis of a published model; ModelError: no customer can be judged by it."""
        for basis in (self.configured, *self._bases.values()):
            if basis.model.version == model.version:
                return basis
        return tried_basis(self.configured.policy, model)

    def adopt(self, lane: Lane[LiveRow], arrival: Arrival, event: ModelPublished, basis: Basis) -> None:
        """Put a published model in force in this partition, and store it in the partition's model row."""
        stored, is_first = lane.get(MODEL_KEY) or LiveRow(StoredRow()), self.basis_of(lane) is self.configured
        next_offset = arrival.offset + 1
        earlier = [] if is_first else _still_needed(_publications(stored), next_offset, lane)
        adopted = {arrival.topic: next_offset}
        row = StoredRow(
            adopted,
            models=[Raw(bytes(event.data.model)), *(each.model for each in earlier)],
            instead_of=self.configured.model.version,
            adopted=[each.next_offset for each in earlier],
        )
        lane.put(MODEL_KEY, LiveRow(row))
        self._adopted[lane.partition] = adopted
        self._bases[lane.partition] = basis

    def _restore(self, lane: Lane[LiveRow]) -> None:
        """This worker got the partition: go on with the last stored model whose publication is committed.

        A publication that is not committed is read again, and is adopted then.
        """
        stored = lane.get(MODEL_KEY) or LiveRow(StoredRow())
        in_force = next((each for each in _publications(stored) if each.is_committed(lane)), None)
        self._lanes[lane.partition] = lane
        self._adopted[lane.partition] = {}
        self._bases[lane.partition] = self.configured
        if in_force is None:
            return
        self._adopted[lane.partition] = {in_force.topic: in_force.next_offset}
        try:
            model = decode_model(in_force.model)
            basis = self.tried(model)
        except ModelError as error:  # stored by a version that did not try models
            line = "partition %d: the published model is not used (%s): model %s of STREAM_MODEL is in force"
            log.error(line, lane.partition, error, self.configured.model.version)
            return
        if self._is_replaced(model, stored):
            newer = self.configured.model.version
            line = "partition %d: model %s of STREAM_MODEL replaces the published model %s, which is older"
            log.info(line, lane.partition, newer, model.version)
            return
        self._bases[lane.partition] = basis
        log.info("partition %d: the published model %s is in force", lane.partition, model.version)

    def _is_replaced(self, published: Model, stored: LiveRow) -> bool:
        return _replaces(self.configured.model, published, stored.instead_of)


class Publication(NamedTuple):
    """A published model, and the offset after the event that published it."""

    model: Raw
    topic: str
    next_offset: int

    def is_committed(self, lane: Lane[LiveRow]) -> bool:
        """Whether the event that published this model will not be read again."""
        return lane.committed_offset(self.topic) >= self.next_offset


def model_in_force(stored: StoredRow, configured: Model) -> Model:
    """The model that a worker with this STREAM_MODEL goes on with, by a partition's model row (empty: none).

    Every stored publication counts as committed.
    """
    if not stored.models:
        return configured
    published = decode_model(stored.models[0])
    return configured if _replaces(configured, published, stored.instead_of) else published


def _replaces(configured: Model, published: Model, instead_of: str) -> bool:
    return configured.version != instead_of and configured.fitted_at_ms > published.fitted_at_ms


def _publications(stored: LiveRow) -> list[Publication]:
    """The published models of a partition's model row, the newest first."""
    return [
        Publication(model, topic, offset)
        for topic, newest in stored.applied.items()
        for model, offset in zip(stored.models, (newest, *stored.adopted), strict=True)
    ]


def _still_needed(known: Iterable[Publication], next_offset: int, lane: Lane[LiveRow]) -> list[Publication]:
    """Of the publications before `next_offset` those that a restart may need: down to a committed one."""
    needed: list[Publication] = []
    for each in known:
        if each.next_offset < next_offset:
            needed.append(each)
            if each.is_committed(lane):
                break
    return needed
