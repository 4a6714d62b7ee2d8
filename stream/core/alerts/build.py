"""A transition becomes an alert: about whom, why, what is at stake, what would clear it, what to do."""

from __future__ import annotations

from msgspec import structs

from stream.core.alerts.alert import (
    ALERT_SCHEMA,
    ALERT_SOURCE,
    SEVERITY_NUMBER,
    Action,
    Alert,
    AlertData,
    Consent,
    Counterfactual,
    CustomerRef,
    EpisodeRef,
    Evidence,
    PolicyRef,
    Score,
    Severity,
    ValueAtRisk,
    alert_id,
    rfc3339,
)
from stream.core.alerts.reasons import ALERT_FORMS, AlertForm, reasons
from stream.core.alerts.wording import text_of
from stream.core.facts.profile import Episode, Profile
from stream.core.judgement.basis import Basis
from stream.core.judgement.episode import OPEN, AlertState
from stream.core.judgement.judge import Transition
from stream.core.judgement.rules import Signal, signal_of
from stream.core.judgement.standing import Standing, standing
from stream.core.judgement.worth import is_priced, spread_if_kept
from stream.core.policy.policy import AlertKind
from stream.core.units import DAY_MS
from stream.core.value.rfm import scores, summary


def build_alert(transition: Transition, profile: Profile, basis: Basis) -> Alert:
    """The alert of one transition; its number in the customer's sequence is counted in the profile.

    Must be called before anything else is judged: the alert describes the episode as it is then.
    """
    judgement, policy = profile.judgement, basis.policy
    kind, state, now = transition.signal.kind, transition.state, transition.standing
    episode = judgement.episodes[kind]
    judgement.alerts += 1
    name = _dedupe_key(kind, profile.customer, episode.n)
    identity = alert_id(policy.id, policy.version, name, episode.opened_ms, state)
    severity = _severity(kind, state, episode.state == "escalated")
    expires = rfc3339(episode.opened_ms + basis.hysteresis[kind].expire_ms)
    body, ends = _body(transition, identity, profile, basis), expires if state in OPEN else None
    return Alert(
        specversion="1.0",
        id=identity,
        source=ALERT_SOURCE,
        type=f"{kind}.{state}",
        subject=profile.customer,
        time=rfc3339(now.as_of_ms),
        partitionkey=profile.customer,
        datacontenttype="application/json",
        dataschema=ALERT_SCHEMA,
        expirytime=ends,
        severitynumber=SEVERITY_NUMBER[severity],
        severitytext=severity,
        sequence=f"{judgement.alerts:010d}",
        correlationid=episode_id(kind, profile.customer, episode),
        causationid=transition.cause,
        data=structs.replace(body, text=text_of(body, ends, now.as_of_ms, policy.calendar)),
    )


def open_alert_at(kind: AlertKind, profile: Profile, as_of_ms: int, basis: Basis) -> AlertData:
    """What the open alert of this kind says at a later instant than the one at which it was sent.

    Score, reasons, money at stake, remedies and advice are those of `as_of_ms`; its `score.previous` is the
    score at the episode's last transition. Nothing is changed and nothing is counted. KeyError: the customer
    never had an alert of this kind.
    """
    episode = profile.judgement.episodes[kind]
    now = standing(profile, as_of_ms, basis)
    signal = signal_of(kind, now, profile, basis) or Signal(kind, episode.score, eligible=False)
    state: AlertState = "escalated" if episode.state == "escalated" else "raised"
    name = _dedupe_key(kind, profile.customer, episode.n)
    identity = alert_id(basis.policy.id, basis.policy.version, name, episode.opened_ms, state)
    return _body(Transition(now, signal, state, episode.score), identity, profile, basis)


def open_alert_in_brief(
    kind: AlertKind, profile: Profile, now: Standing, basis: Basis
) -> tuple[float, ValueAtRisk | None]:
    """The score and the money at stake that `open_alert_at` says as of a standing, without reasons and
    remedies: a fifth of the work. KeyError: the customer never had an alert of this kind."""
    episode = profile.judgement.episodes[kind]
    signal = signal_of(kind, now, profile, basis)
    return signal.score if signal is not None else episode.score, _value_at_risk(profile, now, basis)


def _body(transition: Transition, identity: str, profile: Profile, basis: Basis) -> AlertData:
    kind, state, now = transition.signal.kind, transition.state, transition.standing
    episode = profile.judgement.episodes[kind]
    policy, rule, form = basis.policy, basis.hysteresis[kind], ALERT_FORMS[kind]
    base, evidence = (0.0, ()) if transition.signal.reached else reasons(kind, now, profile, basis)
    opening = state in OPEN  # only then there is something to do
    previous_closed_ms = transition.previous_closed_ms if state == "raised" else 0
    return AlertData(
        alert_id=identity,
        dedupe_key=_dedupe_key(kind, profile.customer, episode.n),
        kind=kind,
        state=state,
        episode=EpisodeRef(
            n=episode.n,
            opened_at=rfc3339(episode.opened_ms),
            previous_closed=rfc3339(previous_closed_ms) if previous_closed_ms else None,
        ),
        policy=PolicyRef(id=policy.id, version=policy.version, hash=policy.hash, model=basis.model.version),
        customer=_customer(profile, now, basis),
        score=Score(
            name=form.score_name,
            value=transition.signal.score,
            scale=form.scale,
            base=base,
            previous=transition.previous_score,
            raise_at=rule.raise_at,
            clear_at=rule.clear_at,
        ),
        evidence=evidence,
        value_at_risk=_value_at_risk(profile, now, basis) if opening else None,
        counterfactual=_counterfactual(form, profile, now.as_of_ms, basis, episode.opened_ms + rule.expire_ms)
        if opening
        else None,
        recommended_action=_action(kind, evidence, profile, basis) if opening else None,
        experiment=episode.experiment,
        risk_of=basis.model.risk_of,
    )


def episode_id(kind: str, customer: str, episode: Episode) -> str:
    """The `correlationid` of all alerts of an episode."""
    return f"{_dedupe_key(kind, customer, episode.n)}|{episode.opened_ms}"


def _dedupe_key(kind: str, customer: str, n: int) -> str:
    """One key for all alerts of an episode. Without the policy's version: a new one does not raise it
    again."""
    return f"{kind}|{customer}|{n}"


def _counterfactual(
    form: AlertForm, profile: Profile, now_ms: int, basis: Basis, before_ms: int
) -> Counterfactual | None:
    found = form.remedies(profile, now_ms, basis, before_ms)
    if found is None:
        return None
    return Counterfactual(
        clears_if=tuple(found.remedies), score_then=round(found.score, 6), before=rfc3339(found.before_ms)
    )


def _severity(kind: AlertKind, state: AlertState, escalated: bool) -> Severity:
    if not ALERT_FORMS[kind].is_warning or state in ("cleared", "expired", "retracted"):
        return "INFO"
    return "ERROR" if escalated else "WARN"


def _customer(profile: Profile, now: Standing, basis: Basis) -> CustomerRef:
    identity, sums = profile.identity, profile.buying.sums
    rfm = ""
    if sums.orders and now.ranked:
        ranks = scores(summary(profile.buying, now.as_of_ms, basis.model.process.unit_ms), basis.model)
        rfm = f"{ranks.r}{ranks.f}{ranks.m}"
    return CustomerRef(
        tier=basis.tier_names[now.tier],
        stage=profile.judgement.stage,
        rfm=rfm,
        purchase_days=now.purchase_days,
        tenure_days=now.tenure_ms // DAY_MS,
        last_purchase=rfc3339(sums.last_at_ms) if sums.orders else None,
        campaign=identity.campaign or None,
        channel=identity.channel or None,
        timezone=identity.timezone or None,
    )


def _value_at_risk(profile: Profile, now: Standing, basis: Basis) -> ValueAtRisk | None:
    """Expected earnings if the customer is kept, as they were expected right after the last purchase.

    None where it is not known what the customer pays.
    """
    if not is_priced(profile, now):
        return None  # never bought, or not known what
    finance, spread = basis.policy.finance, spread_if_kept(profile, now, basis)
    return ValueAtRisk(
        p10_minor=round(spread.p10_minor),
        p50_minor=round(spread.p50_minor),
        p90_minor=round(spread.p90_minor),
        currency=profile.buying.currency,
        horizon_days=finance.risk_horizon_ms // DAY_MS,
        annual_discount=finance.annual_discount,
        margin=finance.margin,
    )


def _action(kind: AlertKind, evidence: tuple[Evidence, ...], profile: Profile, basis: Basis) -> Action | None:
    """The play for the strongest reason whose play the customer's consent allows; else for the strongest.

    A reason without a play of its own has that of the one that it is most like; without any reason for the
    alert there is the play of its kind. None where the policy's playbook has none of them. The next tier has
    its play only while it is near.
    """
    playbook = basis.policy.playbook
    first: Action | None = None
    far = {each.code for each in evidence if _is_far(each, basis)}
    reasons = [(reason.code, reason.themes) for reason in evidence if reason.contribution > 0.0]
    for code, themes in (*reasons, (ALERT_FORMS[kind].reason_of_last_resort, ())):
        if code in far:
            continue
        play = playbook.get(code) or playbook.get(PLAY_LIKE.get(code, ""))
        if play is None:
            continue
        action = Action(
            code=play.action,
            text=play.text,
            because=":".join((code, *themes[:1])),
            channels=play.channels,
            consent=_consent(play.requires_consent, profile),
            requires_consent=play.requires_consent,
        )
        if action.consent != "denied":
            return action
        first = first or action
    return first


def _is_far(reason: Evidence, basis: Basis) -> bool:
    """Whether the next tier is further away than from where on the policy raises an alert: it was reached, or
    spend became older, and the alert goes on for a while."""
    near = basis.policy.upgrade_opportunity.closeness_min
    return reason.code == "NEAR_NEXT_TIER" and reason.observed < near * (reason.baseline or 0.0) - 0.5


PLAY_LIKE = {"HISTORY": "RISK_OF_NO_PURCHASE", "RETURNS": "SENTIMENT_DROP"}
"""Reasons that have no play in the playbook that is shipped -> the reason whose play serves them."""


def _consent(purpose: str | None, profile: Profile) -> Consent:
    if purpose is None:
        return "not_needed"
    stated = profile.identity.consent.get(purpose)
    if stated is None:
        return "unknown"
    return "granted" if stated[1] == "grant" else "denied"
