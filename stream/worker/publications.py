"""What a published model or policy does to a partition: every customer in it is judged anew.

It is put in force from the event's time on, at one point of the partition's order of events. One customer is
judged per part, as a partition may have a million. What cannot judge (core/trial.py) is a dead letter, and
what was in force before stays.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from stream.core.events.event import ModelPublished, PolicyPublished, Publication
from stream.core.judgement.basis import Basis
from stream.core.model.document import ModelError
from stream.core.shadow import shadow_begins
from stream.core.step import Step, on_basis
from stream.engine import Arrival, Lane
from stream.policy_file.published import PublishedPolicyError
from stream.wire import encode_event
from stream.worker.kafka.dead_letter import InputRecord
from stream.worker.monitoring.batch_counts import BatchCounts
from stream.worker.rejections import Rejections
from stream.worker.rows.row import OWN_ROWS, LiveRow
from stream.worker.rows.shadows import Shadows

log = logging.getLogger("stream.worker")
Judge = Callable[[LiveRow], Step]
RowOf = Callable[[Lane[LiveRow], bytes], LiveRow | None]
Keep = Callable[[Lane[LiveRow], bytes, LiveRow, Step, Arrival | None], None]


class Publications:
    """Puts what is published in force. `row_of` reads a customer's row, `keep` stores what was decided."""

    def __init__(
        self, shadows: Shadows, rejections: Rejections, counts: BatchCounts, row_of: RowOf, keep: Keep
    ) -> None:
        self._shadows, self._bases, self._rejections = shadows, shadows.bases, rejections
        self._counts, self._row_of, self._keep = counts, row_of, keep

    def adopt_model(self, lane: Lane[LiveRow], arrival: Arrival, event: ModelPublished) -> Iterator[None]:
        """A model was published: judge every customer of this partition by it from the event's time on."""
        try:
            basis = self._bases.adopt(lane, arrival, event)
        except ModelError as error:
            self._refuse(lane, arrival, event, "model", error)
            return
        yield from self._all_judged(lane, arrival, self._by(lane, event.time_ms, basis))
        self._counts.event(arrival.topic, event, "applied")

    def adopt_policy(self, lane: Lane[LiveRow], arrival: Arrival, event: PolicyPublished) -> Iterator[None]:
        """A policy was put in force, beside the one in force, or out of force, from the event's time on."""
        before = self._bases.basis_of(lane)
        try:
            basis = self._bases.adopt_policy(lane, arrival, event)
        except (PublishedPolicyError, ModelError) as error:
            self._refuse(lane, arrival, event, "policy", error)
            return
        mode, shadow = event.data.mode, self._bases.shadows.get(lane.partition)
        if mode == "shadow" and shadow is not None:
            begun, judged_by, at_ms = shadow.begun, shadow.basis, event.time_ms

            def begin(row: LiveRow) -> Step:
                assert row.profile is not None
                return shadow_begins(row.profile, begun, at_ms, judged_by)

            yield from self._all_judged(lane, arrival, begin)
        elif mode == "active" or basis.policy.hash != before.policy.hash:
            yield from self._all_judged(lane, arrival, self._by(lane, event.time_ms, basis, own_only=True))
        self._counts.event(arrival.topic, event, "applied")

    def _by(self, lane: Lane[LiveRow], at_ms: int, basis: Basis, *, own_only: bool = False) -> Judge:
        """Judge a row by a basis; unless `own_only` also its shadow, by the shadow's own."""

        def judge(row: LiveRow) -> Step:
            assert row.profile is not None
            step = on_basis(row.profile, at_ms, basis)
            if not own_only and row.shadow is not None:
                self._shadows.rebase(lane, row, step, at_ms)
            return step

        return judge

    def _all_judged(self, lane: Lane[LiveRow], arrival: Arrival, judge: Judge) -> Iterator[None]:
        for key in lane.table.all_keys():
            row = self._row_of(lane, key)
            if (
                key.startswith(OWN_ROWS)
                or row is None
                or row.profile is None
                or row.applied.get(arrival.topic, 0) > arrival.offset
            ):
                continue  # judged by it before a crash
            row.applied[arrival.topic] = arrival.offset + 1
            self._keep(lane, key, row, judge(row), arrival)
            yield

    def _refuse(
        self, lane: Lane[LiveRow], arrival: Arrival, event: Publication, what: str, error: Exception
    ) -> None:
        value = encode_event(event)
        record = InputRecord(arrival.topic, arrival.partition, arrival.offset, arrival.key, value)
        text = "partition %d: a published %s is refused (%s): it is a dead letter"
        log.error(text, lane.partition, what, error)
        self._rejections.send(lane, record, "schema", str(error))
