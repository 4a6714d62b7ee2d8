"""Customers whom nobody may contact about an alert: they stay in the list, but not as the first."""

from __future__ import annotations

from stream.core.alerts.build import open_alert_at
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.policy.arms import HELD_OUT
from stream.core.policy.policy import AlertKind


def is_closed_to_us(kind: AlertKind, profile: Profile, as_of_ms: int, basis: Basis) -> bool:
    """Whether every play for the open alert of a kind needs a consent that the customer refused, or the
    customer is held out: left alone, so that it can be seen whether acting on alerts helps."""
    trial = profile.judgement.episodes[kind].experiment
    if trial is not None and trial.arm == HELD_OUT:
        return True
    if all(status == "grant" for _, status in profile.identity.consent.values()):
        return False  # few refused anything: for the others the action need not be worked out
    action = open_alert_at(kind, profile, as_of_ms, basis).recommended_action
    return action is not None and action.consent == "denied"
