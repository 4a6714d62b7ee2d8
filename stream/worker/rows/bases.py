"""What a partition's customers are judged by: STREAM_POLICY and STREAM_MODEL, or what was published.

A model or policy that is published on the control topic is in force from its instant of event time on. Rows
of the partition store them (MODEL_KEY, POLICY_KEY), so a restarted worker goes on with them. After a restart
STREAM_MODEL takes the place of a published model when both hold: it names another model than at the time of
the publication, and that model was fitted later than the published one. For STREAM_POLICY see
`policies.published_in`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Raw

from stream.core.events.event import ModelPublished, PolicyPublished
from stream.core.judgement.basis import Basis
from stream.core.model.document import ModelError, decode_model
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.core.trial import tried_basis
from stream.engine import Arrival, Lane
from stream.policy_file.published import check_fits, decode_policy, hash_in
from stream.worker.rows.policies import PublishedPolicies, ShadowInForce, after, kept, named, published_in
from stream.worker.rows.row import MODEL_KEY, POLICY_KEY, LiveRow, PolicyEntry, StoredRow

log = logging.getLogger("stream.worker")


class PartitionBases:
    """Policy, shadow policy and model of each partition.

    `basis_of` must see a lane before the lane's first commit.
    """

    def __init__(self, configured: Basis) -> None:
        self.configured = configured
        """The policy and the model of the settings."""
        self.shadows: dict[int, ShadowInForce] = {}
        """Partition -> its shadow policy, where it has one; of lanes that `basis_of` has seen."""
        self._bases: dict[int, Basis] = {}
        self._lanes: dict[int, Lane[LiveRow]] = {}
        self._adopted: dict[int, dict[str, int]] = {}
        self._published: dict[int, PublishedPolicies] = {}

    def basis_of(self, lane: Lane[LiveRow]) -> Basis:
        """What the customers of this partition are judged by now."""
        if self._lanes.get(lane.partition) is not lane:
            self._restore(lane)
        return self._bases[lane.partition]

    def in_force(self, partitions: Iterable[int]) -> list[Basis]:
        """What these partitions are judged by, as far as their customers were judged."""
        return [self._bases[each] for each in partitions if each in self._bases]

    def adopted_offsets(self, lane: Lane[LiveRow]) -> dict[str, int]:
        """Topic -> offset after the last publication that is in force; empty for the settings' own.

        A new row starts with these offsets in `applied`: if the publication is read again after a crash, this
        customer needs no second judgement by it.
        """
        return self._adopted[lane.partition]

    def tried(self, policy: Policy, model: Model) -> Basis:
        """The basis of what was published; ModelError: no customer can be judged by it."""
        shadows = (shadow.basis for shadow in self.shadows.values())
        for basis in (self.configured, *self._bases.values(), *shadows):
            if basis.model.version == model.version and basis.policy.hash == policy.hash:
                return basis
        return tried_basis(policy, model)

    def adopt(self, lane: Lane[LiveRow], arrival: Arrival, event: ModelPublished) -> Basis:
        """Put a published model in force in this partition, and store it in the partition's model row.

        ModelError: no customer can be judged by it.
        """
        model, now = decode_model(event.data.model), self.basis_of(lane)
        basis = self.tried(now.policy, model)
        stored = lane.get(MODEL_KEY) or LiveRow(StoredRow())
        is_first = now.model.version == self.configured.model.version
        next_offset = arrival.offset + 1
        earlier = [] if is_first else _still_needed(_publications(stored), next_offset, lane)
        row = StoredRow(
            {arrival.topic: next_offset},
            models=[Raw(bytes(event.data.model)), *(each.model for each in earlier)],
            instead_of=self.configured.model.version,
            adopted=[each.next_offset for each in earlier],
        )
        lane.put(MODEL_KEY, LiveRow(row))
        self._adopted[lane.partition] = {arrival.topic: next_offset}
        self._judge_by(lane.partition, basis)
        return basis

    def adopt_policy(self, lane: Lane[LiveRow], arrival: Arrival, event: PolicyPublished) -> Basis:
        """Put a published policy in force in this partition, or beside it, or out of force, and store it.

        PublishedPolicyError, ModelError: no customer can be judged by it.
        """
        now, mode, content = self.basis_of(lane), event.data.mode, event.data.policy
        policy: Policy | str = hash_in(content) if mode == "off" else decode_policy(content)
        if not isinstance(policy, str):
            check_fits(policy, mode, now.policy)
            self.tried(policy, now.model)
        next_offset, configured = arrival.offset + 1, self.configured.policy
        entry = PolicyEntry(next_offset, mode, event.time_ms, Raw(bytes(content)), configured.hash)
        published = after(self._published[lane.partition], entry, policy, configured)
        basis = self.tried(published.policies.active or configured, now.model)
        stored = lane.get(POLICY_KEY) or LiveRow(StoredRow())
        entries = [*(each for each in stored.policies if each.next_offset < next_offset), entry]
        committed_offset = lane.committed_offset(arrival.topic)
        committed = published_in((e for e in entries if e.next_offset <= committed_offset), configured)
        row = StoredRow({arrival.topic: next_offset}, policies=kept(entries, committed, committed_offset))
        lane.put(POLICY_KEY, LiveRow(row))
        self._adopted[lane.partition] = {arrival.topic: next_offset}
        self._published[lane.partition] = published
        self._judge_by(lane.partition, basis)
        return basis

    def _judge_by(self, partition: int, basis: Basis) -> None:
        """Put policy and model in force, and the published shadow beside them, with the same model."""
        self._bases[partition] = basis
        found, shadow = self._published[partition], None
        if found.shadow is not None and found.policies.shadow is not None:
            try:
                judged_by = self.tried(found.policies.shadow, basis.model)
                shadow = ShadowInForce(found.shadow.next_offset, judged_by)
            except ModelError as error:
                log.error("partition %d: the shadow policy judges no more (%s)", partition, error)
        if shadow is not None:
            self.shadows[partition] = shadow
        else:
            self.shadows.pop(partition, None)

    def _restore(self, lane: Lane[LiveRow]) -> None:
        """This worker got the partition: go on with what was published last and is committed.

        A publication that is not committed is read again, and is adopted then.
        """
        number = lane.partition
        self._lanes[number], self._adopted[number] = lane, {}
        policy = self._restore_policies(lane)
        stored = lane.get(MODEL_KEY) or LiveRow(StoredRow())
        in_force = next((each for each in _publications(stored) if each.is_committed(lane)), None)
        try:
            basis = self.tried(policy, self.configured.model)
        except ModelError as error:
            log.error("partition %d: the published policy is not used (%s)", number, error)
            basis = self.configured
        if in_force is not None:
            offsets = self._adopted[number]
            offsets[in_force.topic] = max(in_force.next_offset, offsets.get(in_force.topic, 0))
            basis = self._with_published(in_force, stored, basis, number)
        self._judge_by(number, basis)

    def _restore_policies(self, lane: Lane[LiveRow]) -> Policy:
        """What of the stored policies is committed; the policy in force."""
        stored, number = lane.get(POLICY_KEY) or LiveRow(StoredRow()), lane.partition
        entries: list[PolicyEntry] = []
        for topic in stored.applied:  # the control topic
            committed_offset = lane.committed_offset(topic)
            entries = [each for each in stored.policies if each.next_offset <= committed_offset]
            if entries:
                self._adopted[number] = {topic: entries[-1].next_offset}
        found = published_in(entries, self.configured.policy)
        self._published[number] = found
        for what, policy in (("is in force", found.policies.active), ("is a shadow", found.policies.shadow)):
            if policy is not None:
                log.info("partition %d: the published policy %s %s", number, named(policy), what)
        return found.policies.active or self.configured.policy

    def _with_published(self, found: Publication, stored: LiveRow, own: Basis, partition: int) -> Basis:
        """The basis with a stored model, unless that of the settings (`own`) takes its place."""
        try:
            model = decode_model(found.model)
            basis = self.tried(own.policy, model)
        except ModelError as error:  # stored by a version that did not try models
            line = "partition %d: the published model is not used (%s): model %s of STREAM_MODEL is in force"
            log.error(line, partition, error, own.model.version)
            return own
        if _replaces(self.configured.model, model, stored.instead_of):
            line = "partition %d: model %s of STREAM_MODEL replaces the published model %s, which is older"
            log.info(line, partition, own.model.version, model.version)
            return own
        log.info("partition %d: the published model %s is in force", partition, model.version)
        return basis


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
