"""Laws 1, 2 and 8: facts do not depend on order, nothing counts twice, money is exact."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Annotated, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events import payload
from stream.core.events.event import EVENT_TYPES, PurchaseCancelled, PurchaseCompleted, PurchaseRefunded
from stream.core.facts import purchases as buying
from stream.core.step import on_event
from stream.wire import Rejected, decode_line, encode_event
from tests.support.builders import (
    at,
    basis,
    bought,
    cancelled,
    complained,
    identified,
    refunded,
    resolved,
    visited,
)
from tests.support.laws import ENCODE, assert_alike, assert_same_facts, lived
from tests.support.strategies import in_time_order, loyal_lives, mixtures


@given(mixtures(), st.randoms(use_true_random=False))
def test_any_arrival_order_folds_to_the_same_facts(life, random: Random):
    shuffled = life[:]
    random.shuffle(shuffled)

    assert_same_facts(lived(in_time_order(life), basis())[0], lived(shuffled, basis())[0])


@given(loyal_lives(), st.randoms(use_true_random=False))
def test_a_loyal_life_in_any_order_folds_to_the_same_facts(life, random: Random):
    shuffled = life[:]
    random.shuffle(shuffled)

    assert_same_facts(lived(life, basis())[0], lived(shuffled, basis())[0])


@given(mixtures(), st.data())
def test_a_duplicate_changes_nothing_at_all(life, data):
    profile, _ = lived(life, basis())
    before = ENCODE(profile)

    step = on_event(profile, data.draw(st.sampled_from(life)), basis())

    assert step.outcome == "duplicate"
    assert step.alerts == ()
    assert ENCODE(step.profile) == before


@given(mixtures(), st.randoms(use_true_random=False))
def test_duplicates_anywhere_change_neither_profile_nor_alerts(life, random: Random):
    ordered = in_time_order(life)
    doubled = []
    for position, event in enumerate(ordered):
        doubled += [event, random.choice(ordered[: position + 1])]
    once, twice = lived(ordered, basis()), lived(doubled, basis())

    assert ENCODE(twice[0]) == ENCODE(once[0])
    assert ENCODE(twice[1]) == ENCODE(once[1])


def test_the_same_id_from_another_source_is_another_event():
    first = visited(1, event_id="x")
    other = msgspec.structs.replace(first, source="/elsewhere")

    profile, _ = lived([first, other], basis())

    assert profile.engagement.sessions == 2


@given(mixtures())
def test_money_is_summed_exactly(life):
    profile, _ = lived(life, basis())
    latest: dict[str, PurchaseCompleted] = {}
    gone_ms: dict[str, int] = {}
    for event in life:
        if isinstance(event, PurchaseCancelled):
            gone_ms[event.data.order_id] = max(event.time_ms, gone_ms.get(event.data.order_id, 0))
        if isinstance(event, PurchaseCompleted):
            known = latest.get(event.data.order_id)
            if known is None or (event.time_ms, event.data.total_minor) > (
                known.time_ms,
                known.data.total_minor,
            ):
                latest[event.data.order_id] = event
    orders = [order for number, order in latest.items() if order.time_ms > gone_ms.get(number, -1)]
    home = profile.buying.currency
    paid = sum(order.data.total_minor for order in orders if order.data.currency == home)

    assert profile.buying.sums.orders == len(orders)
    assert profile.buying.sums.gross_minor == paid
    assert isinstance(profile.buying.sums.gross_minor, int)


def test_a_refund_takes_its_money_from_its_own_order_whenever_it_comes():
    life = [bought(0, 2_000, "a"), bought(10, 3_000, "b"), refunded(20, "a", 500), cancelled(30, "b")]
    for order in (life, life[::-1], [life[2], life[0], life[3], life[1]]):
        profile, _ = lived(order, basis())

        assert (profile.buying.sums.gross_minor, profile.buying.sums.refunded_minor) == (2_000, 500)
        assert profile.buying.net_minor == 1_500


def test_a_second_cancellation_or_refund_with_the_same_id_changes_nothing_in_any_order():
    twice = [bought(0, 2_000, "a"), cancelled(1, "a"), cancelled(2, "a")]
    back = refunded(3, "b", 500, event_id="r")
    again = msgspec.structs.replace(
        refunded(4, "b", 700), data=msgspec.structs.replace(back.data, refund_minor=700)
    )
    for life in (twice, [bought(0, 2_000, "b"), back, again]):
        assert_same_facts(lived(life, basis())[0], lived(life[::-1], basis())[0])


def test_a_ticket_resolved_before_it_is_opened_is_settled():
    for order in ([complained(1, "t"), resolved(2, "t")], [resolved(2, "t"), complained(1, "t")]):
        profile, _ = lived(order, basis())

        assert profile.feedback.opened.keys() == profile.feedback.resolved.keys()


def _money_fields() -> list[tuple[str, str]]:
    """Every field of every payload that holds money."""
    structs = [
        each for each in vars(payload).values() if isinstance(each, type) and issubclass(each, msgspec.Struct)
    ]
    return [
        (each.__name__, name)
        for each in structs
        for name in each.__struct_fields__
        if name.endswith("_minor")
    ]


@pytest.mark.parametrize(("struct", "name"), _money_fields())
def test_every_field_of_money_takes_whole_numbers_only(struct, name):
    hint = get_type_hints(getattr(payload, struct), include_extras=True)[name]
    options = get_args(hint) if get_origin(hint) is not Annotated else (hint,)
    amount = next(option for option in options if option is not type(None))

    assert msgspec.convert(27, amount) == 27
    for wrong in (27.0, 27.5, "27", True, -1):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, amount)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=0, max_value=1e9))
def test_a_float_in_a_money_field_is_rejected_by_the_decoder(amount):
    line = encode_event(bought(1, 777))
    spoilt = line.replace(b'"total_minor":777', b'"total_minor":' + msgspec.json.encode(float(amount)))

    assert spoilt != line
    assert isinstance(decode_line(spoilt), Rejected)


def test_every_type_that_holds_money_is_covered():
    assert {struct for struct, _ in _money_fields()} >= {
        "Purchase",
        "Refund",
        "Product",
        "MarketingCost",
        "Action",
    }
    assert {PurchaseCompleted, PurchaseRefunded} <= set(EVENT_TYPES["purchases"])


def test_a_late_purchase_widens_the_span_and_never_moves_it_back():
    profile, _ = lived([bought(10), bought(30), bought(20), bought(1)], basis())
    sums = profile.buying.sums

    assert (sums.first_at_ms, sums.last_at_ms, sums.days) == (at(1), at(30), 4)


@st.composite
def returning_lives(draw):
    """Orders in two currencies, and more refunds than are kept: of parts of them, and of unknown orders."""
    orders = [
        bought(
            number,
            10_000,
            f"o{number}",
            event_id=f"b{number}",
            currency=draw(st.sampled_from(["USD", "EUR"])),
        )
        for number in range(draw(st.integers(1, 6)))
    ]
    gone = [
        cancelled(9, f"o{number}", event_id=f"c{number}")
        for number in draw(st.sets(st.integers(0, 6), max_size=1))
    ]
    places = draw(st.lists(st.integers(0, 8), min_size=5, max_size=20))
    return [
        *orders,
        *gone,
        *(
            refunded(10 + number, f"o{place}", 450, event_id=f"r{number}")
            for number, place in enumerate(places)
        ),
    ]


@given(returning_lives())
def test_a_refund_counts_the_same_when_it_is_no_longer_kept(life):
    """All refunds are in USD: none counts for an order in EUR or for a customer whose first order was in
    EUR."""
    kept, _ = lived(life, basis())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buying, "REFUNDS_KEPT", 3)
        let_go, _ = lived(life, basis())

    assert_alike(msgspec.to_builtins(kept.buying.sums), msgspec.to_builtins(let_go.buying.sums), "sums")


@pytest.mark.parametrize("year", [1, 1899, 2100, 9999])
def test_a_customer_with_an_implausible_acquisition_time_was_won_when_it_was_stated(year):
    event = identified(3, "spring")
    acquired = payload.Acquired(campaign="spring", at=datetime(year, 1, 1, tzinfo=UTC))
    event = msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, acquired=acquired))

    profile, _ = lived([event], basis())

    assert profile.identity.acquired_ms == at(3)
