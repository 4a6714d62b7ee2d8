"""Remedies are rehearsed on a copy: the profile itself stays as it is, whatever is tried out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import astuple

from stream.core.alerts.rehearsal import Rehearsal
from stream.core.events.event import Event
from stream.core.facts.feedback import Note
from stream.core.facts.memory.corrections import Refunded
from stream.core.facts.profile import Profile
from stream.core.facts.purchases import ORDERS_KEPT
from stream.core.facts.sums import Order
from stream.core.judgement.basis import Basis
from stream.core.policy.policy import AlertKind
from stream.core.units import DAY_MS
from tests.support.builders import at, basis, bought, cancelled, complained, learnt_basis, refunded, reviewed
from tests.support.laws import ENCODE, lived
from tests.support.strategies import in_time_order, loyal_lives, mixtures

NEVER_CHANGED = (Order, Refunded, Note)
KINDS: tuple[AlertKind, ...] = get_args(AlertKind)


def rehearsed(profile: Profile, kind: AlertKind, in_force: Basis, start_ms: int) -> list[float]:
    """The scores after all that remedies may do, tried twice from the beginning."""
    stage = Rehearsal(profile, kind, in_force)
    scores = []
    for _ in range(2):
        stage.begin()
        stage.resolve_tickets(start_ms)
        for number in range(3):
            stage.praise(start_ms + number)
            stage.order(start_ms + number * DAY_MS, 4_000)
            scores.append(stage.score)
    return scores


def assert_untouched(profile: Profile, in_force: Basis, start_ms: int) -> None:
    before = ENCODE(profile)
    for kind in KINDS:
        scores = rehearsed(profile, kind, in_force, start_ms)
        assert ENCODE(profile) == before, "the profile itself was changed"
        assert scores[:3] == scores[3:], "the second time it did not begin with the profile as it is"


@pytest.mark.slow
@given(st.one_of(loyal_lives(), mixtures().map(in_time_order)), st.integers(-90, 200))
def test_whatever_is_rehearsed_the_profile_stays_as_it_is(life, days):
    in_force = learnt_basis()
    profile, _ = lived(life, in_force)
    assert_untouched(profile, in_force, life[-1].time_ms + days * DAY_MS)


@given(loyal_lives())
def test_a_copied_section_shares_nothing_that_is_changed_in_place(life):
    profile, _ = lived(life, basis())
    for section in (profile.buying, profile.feedback, profile.interests):
        twin = section.copy()

        assert twin == section
        assert not set(changeable(twin)) & set(changeable(section))


def changeable(part: object) -> Iterator[int]:
    """What `part` consists of and events change in place, by identity."""
    if isinstance(part, list | dict) or (isinstance(part, Struct) and not isinstance(part, NEVER_CHANGED)):
        yield id(part)
    if isinstance(part, Struct):
        part = astuple(part)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else ():
        yield from changeable(inner)


def test_a_rehearsal_moves_no_order_and_no_refund_of_a_customer_with_as_many_as_are_kept():
    life: list[Event] = [bought(day * 3.0, 5_000, f"o{day}") for day in range(ORDERS_KEPT + 5)]
    life += [refunded(20.0, f"o{number}", 900) for number in range(5, 9)]
    life += [cancelled(300.0, "o6"), reviewed(301.0, 2, "The delivery was late."), complained(302.0, "t1")]
    profile, _ = lived(life, basis())
    assert profile.buying.older is not None

    assert_untouched(profile, basis(), at(310))
