"""A number is that of one order within its source; an order that is paid after its cancellation counts."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events.event import Event
from stream.core.facts import purchases as buying
from stream.core.facts.profile import Profile
from stream.core.facts.purchases import Buying
from stream.core.step import on_event
from stream.replay.run import replay
from stream.wire import decode_line
from tests.support.builders import basis, bought, cancelled, from_source, refunded
from tests.support.laws import ENCODE, assert_alike, assert_same_facts, lived
from tests.support.narrow import not_none
from tests.support.strategies import in_time_order

CASE = Path(__file__).parent / "cases" / "cancelled-then-paid.jsonl"
SOURCES = ("/shop", "/shop-us", "/shop-eu")
MINUTE = 1 / 1_440


def money(life) -> tuple[int, int]:
    """Orders that count, and what was paid for them less refunds."""
    profile, _ = lived(life, basis())
    return profile.buying.sums.orders, profile.buying.net_minor


def in_any_order(life):
    return {money(order) for order in permutations(life)}


def test_an_order_that_is_paid_after_its_cancellation_counts_in_any_order_of_arrival():
    life = [
        bought(0, 5_000, "77", event_id="placed"),
        cancelled(1 / 24, "77", event_id="unpaid"),
        bought(80 * MINUTE, 5_000, "77", event_id="paid"),
    ]

    assert in_any_order(life) == {(1, 5_000)}


def test_an_order_that_is_cancelled_again_after_its_payment_does_not_count():
    life = [
        bought(0, 5_000, "77", event_id="placed"),
        cancelled(1, "77", event_id="unpaid"),
        bought(2, 5_000, "77", event_id="paid"),
        cancelled(3, "77", event_id="unwanted"),
    ]

    assert in_any_order(life) == {(0, 0)}


def test_an_order_that_is_cancelled_at_its_own_instant_does_not_count():
    life = [bought(1, 5_000, "77", event_id="b"), cancelled(1, "77", event_id="c")]

    assert in_any_order(life) == {(0, 0)}


def test_two_shops_may_have_an_order_of_one_number():
    life = [
        from_source("/shop-us", bought(0, 1_000, "1001", event_id="1")),
        from_source("/shop-eu", bought(31, 2_000, "1001", event_id="1")),
    ]

    assert in_any_order(life) == {(2, 3_000)}


def test_a_cancellation_is_about_the_order_of_its_own_shop():
    life = [
        from_source("/shop-us", bought(0, 1_000, "1001", event_id="1")),
        from_source("/shop-eu", bought(31, 2_000, "1001", event_id="1")),
        from_source("/shop-us", cancelled(32, "1001", event_id="2")),
    ]

    assert in_any_order(life) == {(1, 2_000)}


def test_each_shop_cancels_its_own_order_of_one_number():
    life = [
        from_source("/shop-us", bought(0, 1_000, "1001", event_id="1")),
        from_source("/shop-eu", bought(31, 2_000, "1001", event_id="1")),
        from_source("/shop-us", cancelled(32, "1001", event_id="2")),
        from_source("/shop-eu", cancelled(32, "1001", event_id="2")),
    ]

    assert in_any_order(life) == {(0, 0)}


def test_a_refund_is_taken_from_the_order_of_its_own_shop():
    life = [
        from_source("/shop-us", bought(0, 1_000, "1001", event_id="1")),
        from_source("/shop-eu", bought(31, 2_000, "1001", event_id="1")),
        from_source("/shop-us", refunded(40, "1001", 9_000, event_id="2")),
    ]

    assert in_any_order(life) == {(2, 2_000)}  # not more goes back than was paid


def test_refunds_of_two_shops_may_have_one_id():
    life = [
        from_source("/shop-us", bought(0, 1_000, "1001", event_id="1")),
        from_source("/shop-eu", bought(31, 2_000, "1001", event_id="1")),
        from_source("/shop-us", refunded(40, "1001", 100, event_id="2")),
        from_source("/shop-eu", refunded(41, "1001", 200, event_id="2")),
    ]

    assert in_any_order(life) == {(2, 2_700)}


@pytest.mark.parametrize(
    ("correction", "left"),
    [(refunded(40, "1001", 400, event_id="2"), (1, 600)), (cancelled(40, "1001", event_id="2"), (0, 0))],
)
def test_a_correction_from_another_system_is_about_the_only_order_of_that_number(correction, left):
    life = [bought(0, 1_000, "1001", event_id="1"), from_source("/helpdesk", correction)]

    assert in_any_order(life) == {left}


def test_a_correction_that_could_be_about_two_orders_takes_its_money_from_the_customer():
    life = [
        from_source("/shop-us", bought(0, 1_000, "1001", event_id="1")),
        from_source("/shop-eu", bought(31, 2_000, "1001", event_id="1")),
        from_source("/helpdesk", refunded(40, "1001", 400, event_id="2")),
        from_source("/helpdesk", cancelled(41, "1001", event_id="3")),
    ]

    assert in_any_order(life) == {(2, 2_600)}


def of_version_1(profile: Profile) -> Profile:
    """The profile as version 1 would have written and this version reads it."""
    fields = msgspec.to_builtins(profile)
    bought_before = fields["buying"]
    for name in ("cancelled_by", "orders_gone_ms", "refunds_gone_ms"):
        bought_before.pop(name, None)
    bought_before["orders"] = [order[:7] for order in bought_before.get("orders", [])]
    refunds = bought_before.get("refunds", {})
    bought_before["refunds"] = {key.partition("\n")[0]: back[:4] for key, back in refunds.items()}
    for name in ("seen_kinds", "forgotten"):
        fields.pop(name, None)
    return msgspec.convert(fields, Profile)


BEFORE = [
    bought(0, 1_000, "a", event_id="1"),
    bought(1, 2_000, "b", event_id="2"),
    bought(2, 3_000, "c", event_id="3"),
    refunded(3, "a", 100, event_id="4"),
    cancelled(4, "b", event_id="5"),
]
AFTER = [
    bought(2, 3_500, "c", event_id="6"),
    refunded(5, "a", 200, event_id="7"),
    refunded(6, "c", 300, event_id="8"),
    msgspec.structs.replace(refunded(3, "a", 100, event_id="4"), id="again"),
    cancelled(7, "a", event_id="9"),
    bought(8, 2_000, "b", event_id="10"),
]


@given(st.permutations(AFTER))
def test_a_row_of_version_1_is_corrected_as_if_it_had_known_the_source(after):
    first, _ = lived(BEFORE, basis())
    whole, _ = lived([*BEFORE, *after], basis())
    migrated = of_version_1(first)

    for event in after:
        migrated = not_none(on_event(migrated, event, basis()).profile)

    assert_alike(msgspec.to_builtins(migrated.buying.sums), msgspec.to_builtins(whole.buying.sums), "sums")


@st.composite
def shops(draw):
    """Placed, cancelled, paid and refunded orders of few numbers in three shops, some of them twice."""
    life = []
    for number in range(draw(st.integers(1, 14))):
        day, order = draw(st.integers(0, 9)) * 1.0, f"o{draw(st.integers(0, 2))}"
        event = draw(
            st.sampled_from(
                [
                    bought(day, 1_000 + number, order, event_id=f"e{number}"),
                    bought(day, 2_000, order, event_id=f"e{number}", currency="EUR"),
                    cancelled(day, order, event_id=f"e{number}"),
                    refunded(day, order, 300, event_id=f"e{number}"),
                ]
            )
        )
        life.append(from_source(draw(st.sampled_from(SOURCES)), event))
    return life + draw(st.lists(st.sampled_from(life), max_size=3))


@given(shops(), st.randoms(use_true_random=False))
def test_orders_of_several_shops_fold_to_the_same_facts_in_any_order(life, random):
    shuffled = life[:]
    random.shuffle(shuffled)

    assert_same_facts(lived(life, basis())[0], lived(shuffled, basis())[0])


@given(shops())
def test_an_order_counts_when_it_was_placed_or_paid_later_than_it_was_cancelled(life):
    """An independent count, of customers whose orders, refunds and cancellations all are of one shop."""
    life = [from_source("/shop", event) for event in life]
    profile, _ = lived(life, basis())
    placed: dict[str, int] = {}
    gone: dict[str, int] = {}
    known: set[str] = set()
    for event in life:
        if event.id in known:
            continue
        known.add(event.id)
        times = {"PurchaseCompleted": placed, "PurchaseCancelled": gone}.get(type(event).__name__, {})
        times[event.data.order_id] = max(event.time_ms, times.get(event.data.order_id, 0))

    assert profile.buying.sums.orders == sum(at_ms > gone.get(order, -1) for order, at_ms in placed.items())


def test_the_sources_that_cancelled_one_number_are_bounded_and_the_latest_stay():
    life = [from_source(f"/s{number}", cancelled(number, "a", event_id=f"{number}")) for number in range(20)]

    forwards, _ = lived(life, basis())
    backwards, _ = lived(life[::-1], basis())

    assert len(forwards.buying.cancelled_by["a"]) == buying.CANCELLING_SOURCES_KEPT
    assert_same_facts(forwards, backwards)


def test_what_is_written_of_orders_is_what_is_read():
    profile, _ = lived([*BEFORE, from_source("/other", bought(9, 1, "a", event_id="x"))], basis())

    assert msgspec.json.decode(ENCODE(profile.buying), type=Buying) == profile.buying


def test_the_case_of_an_order_cancelled_and_paid_has_its_right_values():
    events = [decode_line(line) for line in CASE.read_bytes().splitlines()]
    run, _ = replay(in_time_order([event for event in events if isinstance(event, Event)]), basis())

    assert json.loads(msgspec.json.encode({name: money_of(run, name) for name in run.profiles})) == {
        "late": [1, 5_000],
        "plain": [1, 5_000],
        "gone": [0, 0],
        "two": [2, 3_000],
    }


def money_of(run, customer: str) -> tuple[int, int]:
    facts = run.profiles[customer].buying
    return facts.sums.orders, facts.net_minor
