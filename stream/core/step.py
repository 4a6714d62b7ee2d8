"""The core's whole API: an event or the passing of time goes in, the profile and its alerts come out.

An event passes through four rooms: facts (fold.py adds it to sums and sets), standing.py (what the facts mean
at one instant), judge.py (which episodes open, escalate or end) and alerts/build.py (one alert a transition).
Events of one customer and one instant that are at hand together go through `on_instant`: all are folded, then
the customer is judged once, so it does not matter which of them was read first (docs/decisions/0017).
Between events only time passes, and `next_review_ms` is the next instant at which that alone may change a
judgement. A caller that gives `on_review` every such instant in order, each before the customer's next event,
misses no change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from stream.core.alerts.alert import Alert
from stream.core.alerts.build import build_alert
from stream.core.calendar import Calendar
from stream.core.events.event import CustomerErased, Event
from stream.core.events.order import instant_order
from stream.core.facts.fold import CHANGES, CORRECTION, HARD, NONE, SOFT, News, fold
from stream.core.facts.memory.repeats import novelty
from stream.core.facts.profile import (
    ERASURE_GRACE_MS,
    EVERYTHING,
    JUDGEMENT,
    NOTHING,
    Episode,
    Judgement,
    Profile,
    ShadowJudgement,
    new_profile,
)
from stream.core.judgement.basis import Basis
from stream.core.judgement.episode import OPEN
from stream.core.judgement.judge import Transition, judge, retract_all

Outcome = Literal["applied", "duplicate", "unsure", "erased", "passed"]


class Step(Struct, gc=False):
    """What one event or review led to."""

    profile: Profile | None
    """None: nothing more is kept of the customer."""
    alerts: tuple[Alert, ...] = ()
    outcome: Outcome = "applied"
    late: bool = False
    """The event was older than the last judgement. It is folded like any other and judged as of that
    instant."""
    changed: int = EVERYTHING
    """The sections of the profile that may have changed, as bits (`profile.SECTIONS`); the head always
    may."""
    shadow: ShadowJudgement | None = None
    """What the shadow policy makes of the customer now (core/shadow.py); None: none has judged."""
    shadow_alerts: tuple[Alert, ...] = ()
    """The alerts that it would raise."""


class Unjudged(Struct, gc=False):
    """What was folded of an instant and is not judged yet."""

    news: News = NONE
    """The most that any of its events means for the judgement."""
    cause: str = ""
    """The id of the event that means it; of several the last."""

    def note(self, news: News, event_id: str) -> None:
        """One more event was folded."""
        if news >= self.news:
            self.news, self.cause = news, event_id


def on_event(
    profile: Profile | None,
    event: Event,
    basis: Basis,
    at_ms: int | None = None,
    unjudged: Unjudged | None = None,
) -> Step:
    """Fold an event into its customer's profile, in place (None: a new customer), and judge what follows.

    `at_ms` is the event's time, if the caller knows it already. With `unjudged` the judgement is left to the
    caller, and what it is about is added there. The outcome is `passed` for an event type that changes no
    profile, and `unsure` for an event from before what the profile remembers, which may be a repeat:
    it is not folded.
    """
    if at_ms is None:
        at_ms = event.time_ms
    changed = CHANGES.get(type(event))
    if changed is None:
        if type(event) is CustomerErased:
            return _erase(profile, event, at_ms, basis)
        return Step(profile, (), "passed", changed=NOTHING)
    if profile is None:
        profile, changed = new_profile(event.subject, basis.meaning.digest), EVERYTHING
    elif profile.erased_ms:
        if at_ms <= profile.erased_ms:
            return Step(profile, (), "erased", changed=NOTHING)
        profile, changed = _stub(profile, basis), EVERYTHING
    found = novelty(profile, event, at_ms, basis.meaning)
    if found != "applied":
        return Step(profile, (), found, changed=NOTHING)
    review_ms = profile.next_review_ms  # the silence before this event is judged first
    alerts = reviewed(profile, at_ms, basis) if review_ms is not None and review_ms <= at_ms else None
    if alerts is not None:
        changed |= JUDGEMENT
    late = at_ms < profile.judgement.judged_ms
    news = fold(profile, event, at_ms, basis.meaning)
    profile.events += 1
    if unjudged is not None:
        unjudged.note(news, event.id)
    elif news >= HARD:
        decided = judged(profile, at_ms, news, event.id, basis)
        alerts = alerts + decided if alerts else decided
        changed |= JUDGEMENT
    elif news is SOFT and profile.judgement.episodes:
        note_soft(profile, at_ms, basis.meaning.calendar)
    return Step(profile, tuple(alerts) if alerts else (), "applied", late, changed)


def on_instant(
    profile: Profile | None, events: Sequence[Event], basis: Basis, unjudged: Unjudged | None = None
) -> tuple[Step, tuple[Outcome, ...]]:
    """Fold events of one customer and one instant, in `instant_order`, and judge the customer once.

    The same step for any order in which they are given; with each event its outcome, in the given order. The
    step's own outcome is `applied` when that of any event is. An erasure among them takes away what was
    folded before it. What the events mean for the judgement is noted in `unjudged`, if it is given.
    """
    at_ms, unjudged = events[0].time_ms, Unjudged() if unjudged is None else unjudged
    keys = [instant_order(event) for event in events]
    outcomes: list[Outcome] = ["applied"] * len(events)
    whole = Step(profile, changed=NOTHING)
    alerts: list[Alert] = []
    for place in sorted(range(len(events)), key=keys.__getitem__):
        step = on_event(profile, events[place], basis, at_ms, unjudged)
        if type(events[place]) is CustomerErased:
            unjudged.news, unjudged.cause = NONE, ""
        profile, outcomes[place] = step.profile, step.outcome
        alerts += step.alerts
        whole.changed |= step.changed
        whole.late = whole.late or step.late
    if profile is not None and unjudged.news >= HARD:
        alerts += judged(profile, at_ms, unjudged.news, unjudged.cause, basis)
        whole.changed |= JUDGEMENT
    elif profile is not None and unjudged.news is SOFT:
        note_soft(profile, at_ms, basis.meaning.calendar)
    whole.profile, whole.alerts = profile, tuple(alerts)
    whole.outcome = "applied" if "applied" in outcomes else outcomes[-1]
    return whole, tuple(outcomes)


def on_review(profile: Profile, as_of_ms: int, basis: Basis) -> Step:
    """Judge a customer, in place, at each review that is due by `as_of_ms`."""
    if profile.erased_ms:
        gone = profile.next_review_ms is not None and profile.next_review_ms <= as_of_ms
        return Step(None if gone else profile)
    return Step(profile, tuple(reviewed(profile, as_of_ms, basis)), "applied", False, JUDGEMENT)


def on_basis(profile: Profile, as_of_ms: int, basis: Basis) -> Step:
    """Judge a customer, in place, by a new model or policy from `as_of_ms` on."""
    if profile.erased_ms:
        return Step(profile)
    decided = judge(profile, max(as_of_ms, profile.judgement.judged_ms), basis)
    return Step(profile, tuple(worded(decided, profile, basis)), changed=JUDGEMENT)


def worded(transitions: list[Transition], profile: Profile, basis: Basis) -> list[Alert]:
    """The alerts of what was just decided. They read the profile, so nothing else may be judged before."""
    return [build_alert(transition, profile, basis) for transition in transitions]


def judged(profile: Profile, at_ms: int, news: News, cause: str, basis: Basis) -> list[Alert]:
    """Judge what was folded of an instant, as of then or, when it is late, as of the last judgement."""
    judged_ms = profile.judgement.judged_ms
    late = at_ms < judged_ms
    corrected = late or news is CORRECTION
    decided = judge(profile, judged_ms if late else at_ms, basis, corrected=corrected, cause=cause)
    return worded(decided, profile, basis) if decided else []


def note_soft(profile: Profile, at_ms: int, calendar: Calendar) -> None:
    """While an alert is open, engagement is weighed at the next midnight (docs/decisions/0004)."""
    judgement = profile.judgement
    for episode in judgement.episodes.values():
        if episode.state in OPEN:
            midnight_ms = calendar.midnight_ms(calendar.local_day(max(at_ms, judgement.judged_ms)) + 1)
            profile.next_review_ms = min(profile.next_review_ms or midnight_ms, midnight_ms)
            return


def reviewed(profile: Profile, as_of_ms: int, basis: Basis) -> list[Alert]:
    """Judge every review that is due by `as_of_ms`, each as of its own instant; their alerts."""
    alerts: list[Alert] = []
    review_ms = profile.next_review_ms
    while review_ms is not None and review_ms <= as_of_ms:
        decided = judge(profile, review_ms, basis)
        if decided:
            alerts += worded(decided, profile, basis)
        review_ms = profile.next_review_ms
    return alerts


def _erase(profile: Profile | None, event: Event, at_ms: int, basis: Basis) -> Step:
    """Erase the customer: open alerts are retracted, and for a while a stub rejects events from before."""
    stub = _stub(profile or new_profile(event.subject, ""), basis)
    stub.erased_ms, stub.next_review_ms = at_ms, at_ms + ERASURE_GRACE_MS
    if profile is None:
        return Step(stub)
    if profile.erased_ms:
        return Step(stub if at_ms > profile.erased_ms else profile, (), "duplicate")
    alerts = reviewed(profile, at_ms, basis)
    as_of_ms = max(at_ms, profile.judgement.judged_ms)
    alerts += worded(retract_all(profile, as_of_ms, basis, event.id), profile, basis)
    return Step(numbered(stub, profile), tuple(alerts))


def _stub(before: Profile, basis: Basis) -> Profile:
    """A profile without facts of a customer who is erased, or comes back after that."""
    return numbered(new_profile(before.customer, basis.meaning.digest), before)


def numbered(stub: Profile, before: Profile) -> Profile:
    """The stub, which counts on from how many alerts and episodes there were before: by these numbers a
    reader knows alerts, and would take those of a new beginning for repeats."""
    stub.judgement = numbers_of(before.judgement)
    return stub


def numbers_of(judgement: Judgement) -> Judgement:
    """A judgement that says nothing but how many alerts and episodes there were."""
    episodes = {kind: Episode(n=each.n) for kind, each in judgement.episodes.items()}
    return Judgement(alerts=judgement.alerts, episodes=episodes)
