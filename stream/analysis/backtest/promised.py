"""What a model promised of its alerts, and how it compares with what came of them."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from stream.core.model.record import Model


def promised_share(kind: str, model: Model, at_start: int, judged: int) -> float | None:
    """The share of alerts of one kind that the model said would be right; None where it said nothing.

    Alerts raised in the first moment, when the model came into force, have a promise of their own: of the
    judged ones, `at_start` were raised then.
    """
    if kind == "upgrade_opportunity":
        return None if model.upgrade is None else _known(model.upgrade.promised)
    levels = model.thresholds
    if levels is None:
        return None
    if kind == "at_risk_loyal":
        return _known(levels.promised_loyal)
    whole, first, later = (
        _known(one) for one in (levels.promised, levels.promised_at_start, levels.promised_later)
    )
    if whole is None or not judged:
        return whole
    first, later = (whole if one is None else one for one in (first, later))
    return (at_start * first + (judged - at_start) * later) / judged


def _known(share: float | UnsetType) -> float | None:
    return None if share is UNSET or isinstance(share, UnsetType) else share
