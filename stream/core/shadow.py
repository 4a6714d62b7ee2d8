"""A shadow policy judges beside the one in force: the same facts, a judgement of its own, alerts for nobody.

A shadow begins with the judgement that the customer has at its publication, and is judged by the other policy
from then on. So its alerts are, byte for byte, those that would have been sent had the policy been put in
force at that instant (docs/decisions/0050). Facts are folded once, whoever judges; only what follows from
them is worked out twice. While the shadow judges, its judgement stands in the profile in place of the
customer's own, which nothing reads in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from stream.core.alerts.alert import Alert
from stream.core.events.event import CustomerErased, Event
from stream.core.events.order import instant_order
from stream.core.facts.fold import HARD, SOFT
from stream.core.facts.profile import NOTHING, Judgement, Profile, ShadowJudgement
from stream.core.judgement.basis import Basis
from stream.core.judgement.judge import judge, retract_all
from stream.core.step import (
    Outcome,
    Step,
    Unjudged,
    judged,
    note_soft,
    numbers_of,
    on_instant,
    reviewed,
    worded,
)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Judgement).decode


def shadow_begins(profile: Profile, begun: int, as_of_ms: int, basis: Basis) -> Step:
    """A shadow with the judgement of now, judged by its policy from `as_of_ms` on.

    `begun` names its publication. An erased customer has numbers only, and no alerts.
    """
    shadow = ShadowJudgement(begun, _decode(_encode(profile.judgement)), profile.next_review_ms)
    if profile.erased_ms:
        shadow.next_review_ms = None
    alerts = shadow_on_basis(profile, shadow, as_of_ms, basis)
    return Step(profile, changed=NOTHING, shadow=shadow, shadow_alerts=alerts)


def shadow_on_basis(
    profile: Profile, shadow: ShadowJudgement, as_of_ms: int, basis: Basis
) -> tuple[Alert, ...]:
    """Judge the shadow, in place, by its policy or by a new model; its alerts (`step.on_basis`)."""
    if profile.erased_ms:
        return ()

    def judge_now() -> list[Alert]:
        decided = judge(profile, max(as_of_ms, profile.judgement.judged_ms), basis)
        return worded(decided, profile, basis)

    return tuple(_beside(profile, shadow, judge_now))


def shadow_on_review(
    profile: Profile, shadow: ShadowJudgement, as_of_ms: int, basis: Basis
) -> tuple[Alert, ...]:
    """Judge the shadow, in place, at each of its own reviews that is due by `as_of_ms`; its alerts."""
    due_ms = shadow.next_review_ms
    if profile.erased_ms or due_ms is None or due_ms > as_of_ms:
        return ()
    return tuple(_beside(profile, shadow, lambda: reviewed(profile, as_of_ms, basis)))


def on_instant_with_shadow(
    profile: Profile | None,
    events: Sequence[Event],
    basis: Basis,
    shadow: ShadowJudgement,
    shadow_basis: Basis,
) -> tuple[Step, tuple[Outcome, ...]]:
    """`step.on_instant`, whose step has the shadow too, and its alerts.

    The shadow's silence before the instant is judged first, by the facts of then.
    """
    at_ms, unjudged, known = events[0].time_ms, Unjudged(), profile
    alerts = list(shadow_on_review(known, shadow, at_ms, shadow_basis)) if known is not None else []
    step, outcomes = on_instant(profile, events, basis, unjudged)
    after = step.profile
    if known is not None and not known.erased_ms and after is not known:
        alerts += _erased(known, events, shadow, shadow_basis)
    elif after is not None and unjudged.news >= HARD:
        news, cause = unjudged.news, unjudged.cause
        alerts += _beside(after, shadow, lambda: judged(after, at_ms, news, cause, shadow_basis))
    elif after is not None and unjudged.news is SOFT:
        calendar = shadow_basis.meaning.calendar

        def note() -> list[Alert]:
            note_soft(after, at_ms, calendar)
            return []

        _beside(after, shadow, note)
    step.shadow, step.shadow_alerts = shadow, tuple(alerts)
    return step, outcomes


def _erased(before: Profile, events: Sequence[Event], shadow: ShadowJudgement, basis: Basis) -> list[Alert]:
    """Retract what the shadow has open, by the facts before the erasure; its numbers stay, as the customer's
    do."""
    erasure = min((each for each in events if type(each) is CustomerErased), key=instant_order)

    def retract() -> list[Alert]:
        as_of_ms = max(erasure.time_ms, before.judgement.judged_ms)
        return worded(retract_all(before, as_of_ms, basis, erasure.id), before, basis)

    alerts = _beside(before, shadow, retract)
    shadow.judgement, shadow.next_review_ms = numbers_of(shadow.judgement), None
    return alerts


def _beside(profile: Profile, shadow: ShadowJudgement, decide: Callable[[], list[Alert]]) -> list[Alert]:
    """Decide with the shadow's judgement in place of the customer's own, which is put back after that."""
    own, own_review_ms = profile.judgement, profile.next_review_ms
    profile.judgement, profile.next_review_ms = shadow.judgement, shadow.next_review_ms
    alerts = decide()
    shadow.judgement, shadow.next_review_ms = profile.judgement, profile.next_review_ms
    profile.judgement, profile.next_review_ms = own, own_review_ms
    return alerts
