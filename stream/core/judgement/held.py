"""Why no alert is raised though the score is high: as a value, for people who ask how many are held back.

It is read from the judgement alone, which reviews keep up to date: an episode whose score is high enough and
that was not raised is pending.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from stream.core.facts.profile import Episode, Judgement
from stream.core.judgement.basis import Basis
from stream.core.judgement.episode import is_open, raisable_ms
from stream.core.policy.policy import ALERT_KINDS, AlertKind

_NONE: frozenset[str] = frozenset()
HeldBy = Literal["dwell", "cool_down", "other_open", "raising_limit", "expired"]
"""The score has not been high for long enough; the last alert of the kind ended not long ago; a kind of
higher precedence is open; the raising limit is reached; an alert expired and the score has not been low
since."""


def held_back(judgement: Judgement, as_of_ms: int, basis: Basis) -> Iterator[tuple[AlertKind, HeldBy]]:
    """Each kind of alert that is held back for a customer at an instant, and by what."""
    for kind in ALERT_KINDS:
        episode = judgement.episodes.get(kind)
        if episode is None or is_open(episode):
            continue
        if episode.state == "pending":
            yield kind, _why_pending(kind, episode, judgement, as_of_ms, basis)
        elif not episode.armed:
            yield kind, "expired"


def held_kinds(judgement: Judgement) -> frozenset[str]:
    """The kinds that `held_back` gives; this does not look for reasons, and costs far less."""
    if not judgement.episodes:
        return _NONE
    return frozenset(
        kind
        for kind, episode in judgement.episodes.items()
        if episode.state == "pending" or not (episode.armed or is_open(episode))
    )


def _why_pending(
    kind: AlertKind, episode: Episode, judgement: Judgement, as_of_ms: int, basis: Basis
) -> HeldBy:
    rule = basis.hysteresis[kind]
    if as_of_ms < raisable_ms(episode, rule):
        is_high_enough = as_of_ms >= episode.since_ms + rule.dwell_ms
        return "cool_down" if is_high_enough else "dwell"
    if any(other < kind and is_open(found) for other, found in judgement.episodes.items()):
        return "other_open"
    return "raising_limit"
