"""Whether what is stored of a customer was judged by a given policy and model, or by others.

A profile does not name the policy and the model of its judgement. But tier and churn risk follow from the
facts, the instant of the judgement and these two, so computing both once more shows a difference that
matters. Alerts name both.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose

from stream.core.alerts.alert import Alert
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.judgement.standing import standing
from stream.wording.amounts import date

RISK_TOLERANCE = 1e-9
"""Absolute; sums of floats may differ in their last digits when the facts were folded in another order."""


def judged_otherwise(profile: Profile, basis: Basis) -> bool:
    """Whether `basis` gives another tier or churn risk at the instant of the stored judgement.

    The risk is compared only where the last engagement was before the judgement, because engagement alone is
    not judged at once.
    """
    judgement = profile.judgement
    if not judgement.judged_ms or profile.erased_ms:
        return False
    then = standing(profile, judgement.judged_ms, basis)
    if then.tier != judgement.tier:
        return True
    engaged = profile.engagement.last_at_ms >= judgement.judged_ms
    return not engaged and not isclose(then.risk, judgement.risk, rel_tol=0.0, abs_tol=RISK_TOLERANCE)


def other_bases(alerts: Sequence[Alert], basis: Basis) -> list[str]:
    """The other policies and models that these alerts name, each in words, the latest last."""
    named = [alert.data.policy for alert in alerts]
    others = [
        f"policy {one.id} ({one.hash}) and model {one.model}"
        for one in named
        if (one.hash, one.model) != (basis.policy.hash, basis.model.version)
    ]
    return list(dict.fromkeys(others))


def basis_notes(profile: Profile | None, alerts: Sequence[Alert], basis: Basis) -> list[str]:
    """One line where the stored judgement or an alert is not by `basis`; none where all of them are."""
    mine = f"policy {basis.policy.id} ({basis.policy.hash}) and model {basis.model.version}"
    others = other_bases(alerts, basis)
    by_alerts = f" (the alerts name {'; '.join(others)})" if others else ""
    if profile is not None and judged_otherwise(profile, basis):
        when = date(profile.judgement.judged_ms, basis.meaning.calendar)
        return [
            f"the stored judgement of {when} is not by {mine}{by_alerts}: tier, stage and risk are shown as "
            "stored, value and RFM by the former; name those in force then with --policy and --model"
        ]
    return [f"not all alerts are by {mine}{by_alerts}; they are shown as they were sent"] if others else []
