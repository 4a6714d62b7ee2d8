"""An alert is an episode: raised, perhaps escalated, then cleared, expired or retracted.

Four rules keep a noisy score from raising an alert twice: separate thresholds to raise and to clear, a dwell
before raising, a cool-down after closing, and after an episode that expired no other before the score has
been below the clear threshold.
"""

from __future__ import annotations

from typing import Literal

from stream.core.facts.profile import Episode
from stream.core.judgement.rules import Signal
from stream.core.policy.policy import Hysteresis

AlertState = Literal["raised", "escalated", "cleared", "expired", "retracted"]
"""The transitions of an episode. Each becomes one alert, whose `state` names it."""
OPEN = ("raised", "escalated")


def is_open(episode: Episode | None) -> bool:
    """Whether an alert of this episode is open."""
    return episode is not None and episode.is_open


def may_open(signal: Signal, rule: Hysteresis) -> bool:
    """Whether the signal is one that opens an episode, as far as the customer is concerned."""
    return signal.eligible and signal.counts and signal.score >= rule.raise_at


def advance(
    episode: Episode, signal: Signal, as_of_ms: int, rule: Hysteresis, *, corrected: bool, held_back: bool
) -> AlertState | None:
    """Bring an episode up to `as_of_ms`, in place; the transition that this makes, if any.

    `corrected`: the past was changed (refund, cancellation, late event), so an alert that lost its cause is
    retracted. `held_back`: nothing may be raised now (another kind is open, or the raising limit
    is reached).
    """
    if episode.is_open:
        return _advance_open(episode, signal, as_of_ms, rule, corrected)
    if signal.score < rule.clear_at:
        episode.armed = True
    if not (may_open(signal, rule) and episode.armed):
        episode.state = "idle"
        return None
    if episode.state == "idle":
        episode.state, episode.since_ms = "pending", as_of_ms
    if held_back or as_of_ms < raisable_ms(episode, rule):
        return None
    episode.state = "escalated" if _severe(signal, rule) else "raised"
    episode.n += 1
    episode.opened_ms = as_of_ms
    episode.score = signal.score
    return "raised"


def _advance_open(
    episode: Episode, signal: Signal, as_of_ms: int, rule: Hysteresis, corrected: bool
) -> AlertState | None:
    if signal.reached:
        return close(episode, as_of_ms, signal.score, "cleared")
    if signal.score < rule.clear_at or (corrected and not signal.eligible):
        return close(episode, as_of_ms, signal.score, "retracted" if corrected else "cleared")
    if as_of_ms >= episode.opened_ms + rule.expire_ms:
        episode.armed = False
        return close(episode, as_of_ms, signal.score, "expired")
    if episode.state == "raised" and signal.counts and _severe(signal, rule):
        episode.state = "escalated"
        episode.score = signal.score
        return "escalated"
    return None


def _severe(signal: Signal, rule: Hysteresis) -> bool:
    return signal.urgent or signal.score >= rule.escalate_at


def close(episode: Episode, as_of_ms: int, score: float, state: AlertState) -> AlertState:
    """End an open episode, in place; gives the state back."""
    episode.state = "idle"
    episode.closed_ms = as_of_ms
    episode.score = score
    return state


def raisable_ms(episode: Episode, rule: Hysteresis) -> int:
    """The instant from which a pending episode may be raised: after its dwell and the last one's
    cool-down."""
    rested_ms = episode.closed_ms + rule.cool_down_ms if episode.closed_ms else 0
    return max(episode.since_ms + rule.dwell_ms, rested_ms)


def review_ms(episode: Episode, rule: Hysteresis) -> int | None:
    """The next instant at which time alone may change this episode; None if there is none."""
    if episode.is_open:
        return episode.opened_ms + rule.expire_ms
    if episode.state == "pending":
        return raisable_ms(episode, rule)
    return None
