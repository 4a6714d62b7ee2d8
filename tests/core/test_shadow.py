"""A shadow policy judges the same facts as the one in force: as if it had been put in force when it began."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.alerts.alert import Alert
from stream.core.events.event import Event
from stream.core.facts.profile import Profile, ShadowJudgement
from stream.core.judgement.basis import Basis
from stream.core.shadow import on_instant_with_shadow, shadow_begins, shadow_on_review
from stream.core.step import on_basis, on_instant, on_review
from stream.core.units import DAY_MS
from tests.support.builders import basis, bought, erased
from tests.support.published_policies import BOLD_TEXT
from tests.support.strategies import loyal_lives, mixtures, tied_lives


def by_instant(life: list[Event]) -> list[list[Event]]:
    instants: dict[int, list[Event]] = {}
    for event in life:
        instants.setdefault(event.time_ms, []).append(event)
    return [instants[at_ms] for at_ms in sorted(instants)]


class Alone:
    """One customer under one policy, which `other` replaces at the instant `switch`."""

    def __init__(self, other: Basis | None, switch: int) -> None:
        self.profile: Profile | None = None
        self.alerts: list[Alert] = []
        self.basis, self.other, self.switch = basis(), other, switch

    def took(self, step: Any) -> None:
        self.profile = step.profile
        self.alerts += step.alerts

    def until(self, at_ms: int) -> None:
        while self.profile is not None and (due := self.profile.next_review_ms) is not None and due <= at_ms:
            self.took(on_review(self.profile, due, self.basis))

    def lives(self, instants: list[list[Event]]) -> None:
        for number, events in enumerate(instants):
            at_ms = events[0].time_ms
            self.until(at_ms)
            self.took(on_instant(self.profile, events, self.basis)[0])
            if number == self.switch and self.other is not None:
                self.basis = self.other
                self.alerts = []
                if self.profile is not None:
                    self.took(on_basis(self.profile, at_ms, self.basis))
        self.until(instants[-1][0].time_ms + 400 * DAY_MS)


class Beside(Alone):
    """The same with the other policy as a shadow."""

    shadow: ShadowJudgement | None = None

    def took(self, step: Any) -> None:
        super().took(step)
        if step.shadow is not None:
            self.shadow = step.shadow
            self.shadow_alerts += step.shadow_alerts

    def until(self, at_ms: int) -> None:
        """Both have reviews of their own; neither waits for the other."""
        while self.profile is not None and not self.profile.erased_ms:
            dues = [self.profile.next_review_ms, self.shadow.next_review_ms if self.shadow else None]
            due = min((one for one in dues if one is not None), default=None)
            if due is None or due > at_ms:
                return
            step = on_review(self.profile, due, self.basis)
            if self.shadow is not None and self.other is not None:
                step.shadow, step.shadow_alerts = (
                    self.shadow,
                    shadow_on_review(self.profile, self.shadow, due, self.other),
                )
            self.took(step)
        super().until(at_ms)

    def lives(self, instants: list[list[Event]]) -> None:
        assert self.other is not None
        self.shadow_alerts: list[Alert] = []
        for number, events in enumerate(instants):
            at_ms = events[0].time_ms
            self.until(at_ms)
            if number > self.switch:
                shadow = self.shadow if self.profile is not None and self.shadow else ShadowJudgement(1)
                step, _ = on_instant_with_shadow(self.profile, events, self.basis, shadow, self.other)
                self.took(step)
            else:
                self.took(on_instant(self.profile, events, self.basis)[0])
            if number == self.switch and self.profile is not None:
                self.took(shadow_begins(self.profile, 1, at_ms, self.other))
        self.until(instants[-1][0].time_ms + 400 * DAY_MS)


def compared(instants: list[list[Event]], switch: int) -> Beside:
    other = basis(BOLD_TEXT)
    beside, active, instead = Beside(other, switch), Alone(None, switch), Alone(other, switch)
    for one in (beside, active, instead):
        one.lives(instants)
    assert beside.alerts == active.alerts, "the shadow changed what is sent"
    assert beside.profile == active.profile, "the shadow changed the profile"
    assert beside.shadow_alerts == instead.alerts
    if instead.profile is not None and not instead.profile.erased_ms and beside.shadow is not None:
        assert beside.shadow.judgement == instead.profile.judgement
        assert beside.shadow.next_review_ms == instead.profile.next_review_ms
    return beside


@given(st.one_of(mixtures(), loyal_lives(), tied_lives()), st.data())
def test_its_alerts_are_those_of_the_policy_in_force_from_that_instant_on(life, data):
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(life) - 1))
        life = [*life, msgspec.structs.replace(erased(0, event_id="gone"), time=life[at].time)]
    instants = by_instant(life)

    compared(instants, data.draw(st.integers(0, len(instants) - 1)))


@given(loyal_lives())
def test_a_bold_shadow_of_a_loyal_customer_who_leaves_alerts(life):
    assert compared(by_instant(life), 0).shadow_alerts


@pytest.mark.parametrize("hours", [0, 1])
def test_what_it_has_open_at_the_instant_of_an_erasure_is_retracted_then(hours):
    """Raised by silence at that very instant, or an hour before; the policy in force raised nothing."""
    life: list[Event] = [bought(week * 7.0, 30_000, event_id=f"b{week}") for week in range(30)]
    raised = compared(by_instant(life), 5).shadow_alerts[0]
    gone_at = datetime.fromisoformat(raised.time) + timedelta(hours=hours)
    gone = msgspec.structs.replace(erased(0, event_id="gone"), time=gone_at)

    beside = compared(by_instant([*life, gone]), 5)

    assert [alert.data.state for alert in beside.shadow_alerts] == ["raised", "retracted"]
    assert datetime.fromisoformat(beside.shadow_alerts[-1].time) == gone_at
    assert beside.alerts == []
