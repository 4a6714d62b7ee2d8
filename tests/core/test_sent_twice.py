"""A history that is sent again counts nothing twice, whatever its age: what cannot be hint is not added."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events.event import ConsentChanged
from stream.core.facts import purchases, seen
from stream.core.facts.purchases import ORDERS_KEPT
from stream.core.step import on_event
from tests.support.builders import (
    basis,
    bought,
    cancelled,
    consented,
    from_source,
    mailed,
    refunded,
    reviewed,
    visited,
)
from tests.support.laws import ENCODE, assert_same_facts, lived
from tests.support.strategies import in_time_order, mixtures


def weekly(orders: int):
    """A customer of so many weekly orders, with a visit and a review after each."""
    purchases = [bought(week * 7.0, 2_500, event_id=f"b{week}") for week in range(orders)]
    others = [visited(week * 7.0 + 1, event_id=f"v{week}") for week in range(orders)]
    words = [reviewed(week * 7.0 + 2, 5, event_id=f"r{week}") for week in range(orders)]
    return in_time_order([*purchases, *others, *words])


def outcomes(life, profile=None):
    """What became of each event; the profile after all of them."""
    found = []
    for event in life:
        step = on_event(profile, event, basis())
        profile = step.profile
        found.append(step.outcome)
    return profile, found


@pytest.mark.parametrize("orders", [5, 20, ORDERS_KEPT, ORDERS_KEPT + 5, 3 * ORDERS_KEPT])
def test_a_history_that_is_sent_again_changes_nothing_at_all(orders):
    profile, first = outcomes(weekly(orders))
    before = ENCODE(profile)

    profile, again = outcomes(weekly(orders), profile)

    assert set(first) == {"applied"}
    assert set(again) <= {"duplicate", "unsure"}
    assert ENCODE(profile) == before


def test_orders_that_are_kept_are_told_by_their_numbers_and_older_ones_are_unsure():
    life = [bought(week * 7.0, 2_500, event_id=f"b{week}") for week in range(ORDERS_KEPT + 5)]

    _, again = outcomes(life, outcomes(life)[0])

    assert again == ["unsure"] * 5 + ["duplicate"] * ORDERS_KEPT


def test_what_is_new_in_the_history_that_is_sent_again_counts():
    profile, _ = outcomes(weekly(20))
    news = [
        bought(20 * 7.0, 2_500, event_id="b20"),
        refunded(3.5 * 7, "o-b3", 500, event_id="back"),
        cancelled(4.5 * 7, "o-b4", event_id="gone"),
    ]

    profile, found = outcomes(in_time_order([*weekly(20), *news]), profile)

    assert found.count("applied") == 3
    assert (profile.buying.sums.orders, profile.buying.net_minor) == (20, 20 * 2_500 - 500)


def test_a_history_of_another_kind_or_source_counts_however_late_it_is_sent():
    profile, _ = outcomes(weekly(60))
    clicks = [mailed(week * 7.0, event_id=f"m{week}") for week in range(60)]
    other = [from_source("/store", visited(week * 7.0, event_id=f"v{week}")) for week in range(60)]

    profile, found = outcomes([*clicks, *other], profile)

    assert set(found) == {"applied"}
    assert profile.engagement.sessions == 120


@pytest.mark.parametrize("event", [consented(3.0, "grant", event_id="x"), cancelled(3.0, "o9", event_id="x")])
def test_a_statement_that_changes_nothing_the_second_time_is_taken_also_where_its_id_is_forgotten(event):
    profile, _ = outcomes(in_time_order([*weekly(60), *_of_kind(event)]))

    _, found = outcomes([event], profile)

    assert found == ["applied"]


def _of_kind(event):
    """So many events of one kind that its ids are forgotten."""
    if isinstance(event, ConsentChanged):
        return [consented(week * 7.0, "grant", event_id=f"k{week}") for week in range(60)]
    return [cancelled(week * 7.0, "nothing", event_id=f"k{week}") for week in range(60)]


def test_an_unsure_event_is_neither_added_nor_judged():
    profile, _ = outcomes(weekly(60))
    before = ENCODE(profile)

    step = on_event(profile, visited(1.5, event_id="late"), basis())

    assert (step.outcome, step.alerts, step.changed) == ("unsure", (), 0)
    assert ENCODE(profile) == before


@given(mixtures(), st.data())
def test_repeats_of_any_age_anywhere_change_neither_profile_nor_alerts(life, data):
    ordered = in_time_order(life)
    doubled = []
    for position, event in enumerate(ordered):
        doubled += [event, data.draw(st.sampled_from(ordered[: position + 1]))]
    once, twice = lived(ordered, basis()), lived(doubled, basis())

    assert ENCODE(twice[0]) == ENCODE(once[0])
    assert ENCODE(twice[1]) == ENCODE(once[1])


def forget(patch: pytest.MonkeyPatch) -> None:
    for name, value in {"SEEN_MIN": 2, "SEEN_MAX": 8, "SPARE": 2, "CROWDED": 36, "ROUND": 18}.items():
        patch.setattr(seen, name, value)
    patch.setattr(purchases, "ORDERS_KEPT", 3)
    patch.setattr(purchases, "REFUNDS_KEPT", 3)


@given(life=mixtures(), data=st.data())
def test_a_profile_that_remembers_little_counts_nothing_twice_either(life, data):
    """The history in order of time, then parts of it again."""
    with pytest.MonkeyPatch.context() as patch:
        forget(patch)
        ordered = in_time_order(life)
        once, _ = lived(ordered, basis())
        again = data.draw(st.lists(st.sampled_from(ordered), max_size=25))
        twice, _ = lived([*ordered, *again], basis())

    assert_same_facts(once, twice)


def test_a_row_of_version_1_is_unsure_of_what_it_may_have_dropped_and_sure_of_what_comes():
    profile, _ = outcomes(weekly(60))
    profile.seen, profile.seen_kinds, profile.forgotten = profile.seen[-4 * seen.SEEN_BYTES :], b"", b""

    assert outcomes([visited(400.5, event_id="late")], profile)[1] == ["unsure"]
    assert outcomes(weekly(61)[-3:], profile)[1] == ["applied"] * 3
