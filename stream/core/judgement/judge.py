"""The judgement of one customer at one instant: tier, stage, episodes, and when the next review is due.

It follows from the facts and from the previous judgement. Nothing here reads a clock or words an alert.
"""

from __future__ import annotations

from msgspec import Struct

from stream.core.facts.profile import Episode, Judgement, Profile
from stream.core.judgement.basis import Basis
from stream.core.judgement.episode import AlertState, advance, close, is_open, may_open, review_ms
from stream.core.judgement.levels import level_above, level_below
from stream.core.judgement.rules import NO_CONTACT_LIMIT, RULES, Signal
from stream.core.judgement.standing import (
    Standing,
    risk_leaves_ms,
    risk_reaches_ms,
    standing,
    unhappiness_falls_ms,
)
from stream.core.judgement.tier import falls_to_ms, stage_of, tier_lost_ms
from stream.core.policy.arms import assigned

TIER_MOVES_KEPT = 12
"""Changes of tier that a profile remembers, the latest."""
STAGE_MOVES_KEPT = 12
"""Changes of stage that a profile remembers, the latest."""


class Transition(Struct, frozen=True, gc=False):
    """One transition of one episode: what was decided, and all that its alert needs besides the profile."""

    standing: Standing
    signal: Signal
    state: AlertState
    previous_score: float
    """The score of the episode's transition before this one; 0 if there was none."""
    previous_closed_ms: int = 0
    """When the customer's previous episode of this kind ended; 0 if there was none."""
    cause: str | None = None
    """The id of the event that led to it; None when the passing of time did."""


def judge(
    profile: Profile, as_of_ms: int, basis: Basis, *, corrected: bool = False, cause: str | None = None
) -> list[Transition]:
    """Bring the judgement up to `as_of_ms`, in place; the transitions that this makes, in order of
    precedence.

    `corrected`: an event changed the past, so an alert that lost its cause is retracted, not cleared.
    `cause`: the id of the event that made this judgement necessary, if one did.
    """
    now = standing(profile, as_of_ms, basis)
    judgement = profile.judgement
    judgement.judged_ms = as_of_ms
    judgement.risk = now.risk
    _place(judgement, now, profile, basis)
    signals = _signals(now, profile, basis)
    transitions: list[Transition] = []
    for signal in signals:
        rule = basis.hysteresis[signal.kind]
        episode = judgement.episodes.get(signal.kind)
        if episode is None:
            if not may_open(signal, rule):
                continue
            episode = judgement.episodes[signal.kind] = Episode()
        before = episode.score
        closed_ms = episode.closed_ms
        held_back = _held_back(judgement, signal, as_of_ms, basis)
        state = advance(episode, signal, as_of_ms, rule, corrected=corrected, held_back=held_back)
        if state is not None:
            if state == "raised":
                judgement.contacts.append(as_of_ms)
                tier = basis.tier_names[now.tier]
                episode.experiment = assigned(basis.policy, profile.customer, signal.kind, tier, as_of_ms)
            transitions.append(Transition(now, signal, state, before, closed_ms, cause))
    profile.next_review_ms = _next_review(profile, now, signals, basis)
    return transitions


def retract_all(profile: Profile, as_of_ms: int, basis: Basis, cause: str) -> list[Transition]:
    """End every open episode of a customer who is about to be erased."""
    now = standing(profile, as_of_ms, basis)
    transitions = []
    for kind, episode in profile.judgement.episodes.items():
        if is_open(episode):
            before, closed_ms = episode.score, episode.closed_ms
            state = close(episode, as_of_ms, before, "retracted")
            signal = Signal(kind, before, eligible=False)  # type: ignore[arg-type]
            transitions.append(Transition(now, signal, state, before, closed_ms, cause))
    return transitions


def _signals(now: Standing, profile: Profile, basis: Basis) -> list[Signal]:
    """The signals of all rules that concern the customer, or did before, in order of precedence."""
    signals = []
    for rule in RULES:
        signal = rule(now, profile, basis)
        if signal is not None:
            signals.append(signal)
    return signals


def _place(judgement: Judgement, now: Standing, profile: Profile, basis: Basis) -> None:
    """Set tier and stage. A lapsed customer stays lapsed until the next purchase."""
    if now.tier != judgement.tier:
        judgement.tier = now.tier
        judgement.tier_since_ms = now.as_of_ms
        judgement.tier_moves.append((now.as_of_ms, now.tier))
        del judgement.tier_moves[:-TIER_MOVES_KEPT]
    stages = basis.policy.stages
    bought_ms = profile.buying.sums.last_at_ms
    if judgement.lapsed_after_ms != bought_ms:
        judgement.lapsed_after_ms = bought_ms if now.risk >= stages.lapsed_risk else -1
    lapsed = judgement.lapsed_after_ms >= 0
    stage = stage_of(stages, now.purchase_days, now.tenure_ms, lapsed)
    if stage != judgement.stage:
        judgement.stage = stage
        judgement.stage_moves.append((now.as_of_ms, stage))
        del judgement.stage_moves[:-STAGE_MOVES_KEPT]


def _held_back(judgement: Judgement, signal: Signal, as_of_ms: int, basis: Basis) -> bool:
    """Whether no alert may be raised: a kind of higher precedence is open, or the raising limit is
    reached."""
    for kind, episode in judgement.episodes.items():
        if kind < signal.kind and is_open(episode):  # the alphabetical order of kinds is their precedence
            return True
    contact = basis.policy.contact
    judgement.contacts = [at_ms for at_ms in judgement.contacts if at_ms > as_of_ms - contact.window_ms]
    return signal.kind not in NO_CONTACT_LIMIT and len(judgement.contacts) >= contact.alerts_max


def _next_review(profile: Profile, now: Standing, signals: list[Signal], basis: Basis) -> int | None:
    """The first instant at which time alone may change the judgement; None if there is none."""
    episodes = profile.judgement.episodes
    as_of_ms = now.as_of_ms
    policy, found = basis.policy, []
    if now.tier:
        found.append(tier_lost_ms(now.value_minor, now.tier, basis.cutoffs, policy.ladder.slack, as_of_ms))
    level = level_above(profile.judgement, now, signals, basis)
    if basis.model.seasons is not None:
        found.append(risk_leaves_ms(now, level, level_below(profile.judgement, now, signals, basis)))
    elif level is not None:
        found.append(risk_reaches_ms(now, level, basis))
    if now.unresolved_ms is not None:
        waited_ms = now.unresolved_ms + policy.at_risk_loyal.ticket_patience_ms
        if waited_ms > as_of_ms:
            found.append(waited_ms)
    if not now.loyal and now.purchase_days >= policy.stages.loyal_purchase_days:
        found.append(as_of_ms - now.tenure_ms + policy.stages.loyal_tenure_ms)
    if now.unhappiness:
        clear_at = basis.hysteresis["at_risk_loyal"].clear_at
        found.append(unhappiness_falls_ms(now, clear_at, policy.at_risk_loyal))
    for signal in signals:
        episode = episodes.get(signal.kind)
        if signal.waits_ms is not None and (signal.eligible or is_open(episode)):
            found.append(signal.waits_ms)
        if episode is None:
            continue
        rule = basis.hysteresis[signal.kind]
        at_ms = review_ms(episode, rule)
        if at_ms is not None and at_ms <= as_of_ms:  # pending, but held back
            at_ms = _limit_free_ms(profile.judgement, basis)
        found.append(at_ms)
        if signal.kind == "upgrade_opportunity" and is_open(episode):
            found.append(_closeness_falls_ms(now, signal, basis))
    instants = [at_ms for at_ms in found if at_ms is not None]
    return max(min(instants), as_of_ms + 1) if instants else None


def _limit_free_ms(judgement: Judgement, basis: Basis) -> int | None:
    """When the raising limit has room again; None if an open alert of another kind is what holds back.

    The end of that other alert is a review of its own.
    """
    contact = basis.policy.contact
    if len(judgement.contacts) < contact.alerts_max:
        return None
    return judgement.contacts[-contact.alerts_max] + contact.window_ms


def _closeness_falls_ms(now: Standing, signal: Signal, basis: Basis) -> int | None:
    """When decaying spend ends an upgrade opportunity: the customer is then too far from the next tier."""
    rule = basis.policy.upgrade_opportunity
    clear_at = basis.hysteresis["upgrade_opportunity"].clear_at
    if now.tier + 1 >= len(basis.cutoffs) or rule.closeness_weight <= 0.0 or signal.score < clear_at:
        return None
    cutoff = basis.cutoffs[now.tier + 1]
    closeness = min(1.0, now.value_minor / cutoff)
    rest = signal.score - rule.closeness_weight * closeness
    return falls_to_ms(now.value_minor, (clear_at - rest) / rule.closeness_weight * cutoff, now.as_of_ms)
