"""What a shadow policy makes of customers, kept in their rows beside the profile (core/shadow.py).

A row's shadow names the publication by which it began. One of an earlier publication than the last is over,
and leaves the row when that is written next. One of a later publication than the last is of before a crash:
it waits until that publication is read again.
"""

from __future__ import annotations

from collections.abc import Sequence

from stream.core.events.event import Event
from stream.core.facts.profile import Profile, ShadowJudgement
from stream.core.judgement.basis import Basis
from stream.core.shadow import on_instant_with_shadow, shadow_begins, shadow_on_basis, shadow_on_review
from stream.core.step import Outcome, Step, on_instant, on_review
from stream.engine import Lane
from stream.worker.rows.bases import PartitionBases
from stream.worker.rows.policies import ShadowInForce
from stream.worker.rows.row import LiveRow


class Shadows:
    """Judges beside the policy in force in partitions where a shadow is published."""

    def __init__(self, bases: PartitionBases) -> None:
        self.bases = bases

    def instant(
        self, lane: Lane[LiveRow], row: LiveRow | None, events: Sequence[Event], basis: Basis
    ) -> tuple[Step, tuple[Outcome, ...]]:
        """`on_instant`, with the shadow of the customer where there is one."""
        profile = row.profile if row is not None else None
        in_force = self.bases.shadows.get(lane.partition)
        shadow = self._of(row, in_force) if in_force is not None else None
        if in_force is None or shadow is None:
            return on_instant(profile, events, basis)
        return on_instant_with_shadow(profile, events, basis, shadow, in_force.basis)

    def review(self, lane: Lane[LiveRow], row: LiveRow, profile: Profile, at_ms: int) -> Step:
        """`on_review`, with the shadow's own reviews."""
        step, shadow = on_review(profile, at_ms, self.bases.basis_of(lane)), row.shadow
        if shadow is None or profile.erased_ms:
            return step
        in_force = self.bases.shadows.get(lane.partition)
        if in_force is not None and in_force.begun == shadow.begun:
            step.shadow_alerts = shadow_on_review(profile, shadow, at_ms, in_force.basis)
            step.shadow = shadow
        elif shadow.next_review_ms is not None and shadow.next_review_ms <= at_ms:
            row.shadow = None  # nobody judges it, and its timer must not come again
        return step

    def rebase(self, lane: Lane[LiveRow], row: LiveRow, step: Step, at_ms: int) -> None:
        """Add to a step what the shadow of its row makes of a new model."""
        in_force, shadow = self.bases.shadows.get(lane.partition), row.shadow
        if in_force is None or shadow is None or row.profile is None or shadow.begun != in_force.begun:
            return
        step.shadow_alerts = shadow_on_basis(row.profile, shadow, at_ms, in_force.basis)
        step.shadow = shadow

    def drop_if_over(self, lane: Lane[LiveRow], row: LiveRow) -> None:
        """Take a shadow out of its row that is of another publication than the last."""
        in_force, shadow = self.bases.shadows.get(lane.partition), row.shadow
        latest = max(self.bases.adopted_offsets(lane).values(), default=0)
        if (
            shadow is not None
            and shadow.begun <= latest
            and (in_force is None or in_force.begun != shadow.begun)
        ):
            row.shadow = None

    def _of(self, row: LiveRow | None, in_force: ShadowInForce) -> ShadowJudgement | None:
        """The shadow of a customer before an instant; None: it cannot be known."""
        if row is None or row.profile is None:
            return ShadowJudgement(in_force.begun)
        if row.shadow is not None and row.shadow.begun == in_force.begun:
            return row.shadow
        if row.profile.erased_ms:
            return shadow_begins(row.profile, in_force.begun, row.profile.erased_ms, in_force.basis).shadow
        return None
