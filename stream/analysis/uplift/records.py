"""Who is in an experiment, in which arm, and since when: from alerts, and from what became of them.

A customer counts once in a period, with the first alert that was sent or would have been sent. A later one
does not count: whether it comes, and of which kind, may follow from how the first one was acted on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from stream.core.policy.arms import HELD_OUT, TREATED, Arm, Assignment, arm_of

Line = tuple[str, bytes | None]
"""Where it is (file and line, or topic, partition and offset), and its JSON."""
OPENING = frozenset({"raised", "escalated"})


class Opening(Struct, frozen=True):
    """An alert with which an episode began."""

    customer: str
    episode: str
    kind: str
    tier: str
    policy_id: str
    raised_ms: int
    score: float
    experiment: Assignment | None = None
    stake_minor: int | None = None
    currency: str = ""


class Trial(Struct, frozen=True):
    """One experiment: a policy, a salt and a share, over all its periods."""

    policy_id: str
    salt: str
    share: float


class Entrant(Struct, frozen=True):
    """A customer in a period of the experiment, from the moment at which the first alert was sent or would
    have been."""

    opening: Opening
    moment_ms: int
    period: str
    arm: Arm

    @property
    def is_treated(self) -> bool:
        """Whether alerts about the customer are sent."""
        return self.arm == TREATED


class TrialRecords(Struct):
    """What was read; the notes say what could not be used, and why."""

    openings: dict[str, Opening] = field(default_factory=dict)
    """By episode."""
    moments: dict[str, int] | None = None
    """Episode -> when an alert of it was first sent or would have been. None: nothing is known of
    deliveries."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """What a record should have been -> how many are not."""
    first_unreadable: dict[str, str] = field(default_factory=dict)
    """The same -> where the first of them is, and what is wrong with it."""

    def notes(self) -> list[str]:
        """One line for each kind of record of which some could not be read."""
        return [
            f"{number:,} of the records of {what} could not be read and are left out, the first: "
            f"{self.first_unreadable[what]}"
            for what, number in sorted(self.unreadable.items())
        ]


class _Stake(Struct):
    p50_minor: int
    currency: str = ""


class _CustomerLine(Struct):
    tier: str


class _ScoreLine(Struct):
    value: float


class _PolicyId(Struct):
    id: str


class _AlertLineData(Struct):
    kind: str
    state: str
    customer: _CustomerLine
    score: _ScoreLine
    policy: _PolicyId
    value_at_risk: _Stake | None = None
    experiment: Assignment | None = None


_Time = Annotated[datetime, Meta(tz=True)]
"""Without a zone it would be taken in that of the machine."""


class _AlertLine(Struct):
    subject: str
    time: _Time
    correlationid: str
    data: _AlertLineData


class _DeliveryLineData(Struct):
    endpoint: str
    state: str
    episode: str
    sent_at: _Time | None = None


class _DeliveryLine(Struct):
    data: _DeliveryLineData


_read_alert = msgspec.json.Decoder(_AlertLine).decode
_read_delivery = msgspec.json.Decoder(_DeliveryLine).decode


def read_alerts(lines: Iterable[Line], into: TrialRecords) -> None:
    """Note the episodes that alerts began; of two alerts about one beginning the first counts."""
    for place, body in lines:
        read = _decoded(place, body, _read_alert, "alerts", into)
        if read is None or read.data.state != "raised":
            continue
        data, stake = read.data, read.data.value_at_risk
        opening = Opening(
            customer=read.subject,
            episode=read.correlationid,
            kind=data.kind,
            tier=data.customer.tier,
            policy_id=data.policy.id,
            raised_ms=_ms(read.time),
            score=data.score.value,
            experiment=data.experiment,
            stake_minor=stake.p50_minor if stake else None,
            currency=stake.currency if stake else "",
        )
        into.openings.setdefault(read.correlationid, opening)


def read_deliveries(lines: Iterable[Line], into: TrialRecords, endpoint: str = "") -> None:
    """Note when the first alert of each episode was sent, or would have been; `endpoint`: only there."""
    moments: dict[str, int] = {}
    for place, body in lines:
        read = _decoded(place, body, _read_delivery, "deliveries", into)
        if read is None or read.data.state not in OPENING or (endpoint and read.data.endpoint != endpoint):
            continue
        data = read.data
        if data.sent_at is not None:
            at_ms = _ms(data.sent_at)
            moments[data.episode] = min(moments.get(data.episode, at_ms), at_ms)
    into.moments = moments


def _decoded(place: str, body: bytes | None, decode: Any, what: str, into: TrialRecords) -> Any:
    try:
        return decode(body or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        into.unreadable[what] += 1
        into.first_unreadable.setdefault(what, f"{place}: {_reason(error, body)}")
        return None


def _reason(error: Exception, body: bytes | None) -> str:
    if not body:
        return "a record without value"
    return str(error) if isinstance(error, msgspec.ValidationError) else "not JSON"


def trials_of(records: TrialRecords) -> dict[Trial, int]:
    """Every experiment that the alerts name -> how many episodes are in it; the latest one last."""
    counts: Counter[Trial] = Counter()
    latest: dict[Trial, int] = {}
    for opening in records.openings.values():
        assigned = opening.experiment
        if assigned is not None:
            trial = Trial(opening.policy_id, assigned.salt, assigned.share)
            counts[trial] += 1
            latest[trial] = max(latest.get(trial, 0), opening.raised_ms)
    order = sorted(counts, key=lambda trial: (latest[trial], trial.salt, trial.share, trial.policy_id))
    return {trial: counts[trial] for trial in order}


def entrants_of(records: TrialRecords, trial: Trial) -> tuple[list[Entrant], int]:
    """The customers of an experiment, once for each period, in order of customer and period; and how many
    alerts are left out because their arm is not the one that follows from their customer."""
    found: dict[tuple[str, str], Entrant] = {}
    foreign = 0
    for opening in records.openings.values():
        assigned = opening.experiment
        if assigned is None or Trial(opening.policy_id, assigned.salt, assigned.share) != trial:
            continue
        moment_ms = moment_of(opening, records.moments)
        if moment_ms is None:
            continue
        salt = f"{assigned.salt} {assigned.period}"
        if assigned.arm != arm_of(opening.customer, trial.policy_id, salt, trial.share):
            foreign += 1
            continue
        entrant = Entrant(opening, moment_ms, assigned.period, assigned.arm)
        key = opening.customer, assigned.period
        if key not in found or _order(entrant) < _order(found[key]):
            found[key] = entrant
    return [found[key] for key in sorted(found)], foreign


def _order(entrant: Entrant) -> tuple[int, int, str]:
    return entrant.moment_ms, entrant.opening.raised_ms, entrant.opening.episode


def moment_of(opening: Opening, moments: Mapping[str, int] | None) -> int | None:
    """When an alert was sent or would have been, never before it was raised; None: it was not, and would not
    have been. Where nothing is known of deliveries, when it was raised."""
    if moments is None:
        return opening.raised_ms
    at_ms = moments.get(opening.episode)
    return None if at_ms is None else max(at_ms, opening.raised_ms)


def arms_of(entrants: Iterable[Entrant]) -> tuple[int, int]:
    """How many are treated, and how many are held out."""
    counts = Counter(entrant.arm for entrant in entrants)
    return counts[TREATED], counts[HELD_OUT]


def _ms(when: datetime) -> int:
    return round(when.timestamp() * 1_000)
