"""Several currencies: by a rate of the policy they are one money; without a rate they are never compared."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events.event import Event, PurchaseCompleted, PurchaseRefunded
from stream.core.judgement.basis import Basis
from stream.core.judgement.ranking import STAND_IN
from stream.core.model.document import ModelError, sealed
from stream.core.model.record import Model
from stream.core.trial import tried_basis
from stream.model_file import default_model
from stream.policy_file import default_policy, parse_policy
from stream.wording.profile import profile_sections
from tests.support.builders import at, basis, bought, cancelled, learnt_basis, refunded
from tests.support.laws import ENCODE, assert_same_facts, lived, transitions, waited
from tests.support.strategies import in_time_order, loyal_lives, mixtures

RATED = '[finance]\ncurrency = "USD"\nrates = { KWD = "3.25", EUR = "1.08", JPY = "0.0067" }\n'
HOME_ONLY = '[finance]\ncurrency = "USD"\n'
EVERY_TIER = "[churn_risk]\ntier_min = 'bronze'\n"


def fitted(currency: str) -> Model:
    """A model of somebody's own customers, who pay in a currency."""
    return sealed(msgspec.structs.replace(default_model(), currency=currency, name="own", version=""))


def weekly(minor: int, currency: str, count: int = 20) -> list[Event]:
    return [
        bought(number * 7, minor, f"o{number}", currency=currency, event_id=f"b{number}")
        for number in range(count)
    ]


def in_currency(event: Event, currency: str) -> Event:
    assert isinstance(event, PurchaseCompleted | PurchaseRefunded)
    return msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, currency=currency))


def at_risk(life: list[Event], judged_by: Basis):
    profile, _ = lived(life, judged_by)
    _, alerts = waited(profile, at(300), judged_by)
    return profile, alerts


def test_twins_of_equal_worth_in_two_currencies_have_one_tier_and_one_value_at_risk():
    """325.00 USD a week, and 100.000 KWD: without a rate the fils made platinum of the one."""
    alerts = {}
    for minor, currency in ((32_500, "USD"), (100_000, "KWD")):
        profile, alerts[currency] = at_risk(weekly(minor, currency), basis(RATED))
        assert profile.buying.currency == "USD"
        assert profile.buying.sums.gross_minor == 20 * 32_500
        assert profile.buying.sums.foreign_orders == 0

    assert transitions(alerts["USD"])
    assert alerts["USD"] == alerts["KWD"]
    assert alerts["USD"][0].data.value_at_risk is not None
    assert alerts["USD"][0].data.value_at_risk.currency == "USD"


def test_a_customer_in_a_currency_without_a_rate_is_not_ranked_and_that_is_said():
    ranked, _ = at_risk(weekly(32_500, "USD"), basis(HOME_ONLY))
    profile, alerts = at_risk(weekly(100_000, "KWD"), basis(HOME_ONLY))

    assert (ranked.judgement.tier, profile.judgement.tier) == (3, 0)
    assert alerts == []
    sections = {one.title: one.lines for one in profile_sections(profile, at(200), basis(HOME_ONLY))}
    assert sections["Who"][0].startswith("Not ranked (pays in KWD, tiers are in USD), ")
    assert sections["Value"] == (
        "Value is reckoned in USD, and the policy has no rate for KWD: none is known.",
    )
    assert "2,000.000 KWD" in sections["Buying"][2]


def test_a_rule_about_everybody_alerts_about_them_without_a_value_or_scores():
    _, alerts = at_risk(weekly(100_000, "KWD"), basis(HOME_ONLY + EVERY_TIER))

    assert transitions(alerts)[0] == "churn_risk.raised"
    assert alerts[0].data.value_at_risk is None
    assert alerts[0].data.customer.rfm == ""
    assert alerts[0].data.customer.tier == "bronze"


@pytest.mark.parametrize("currency", ["USD", "EUR", "KWD"])
def test_a_fitted_model_ranks_customers_of_its_own_currency_only(currency):
    judged_by = Basis(default_policy(), fitted("EUR"))
    profile, _ = lived(weekly(32_500, currency), judged_by)

    assert (profile.judgement.tier > 0) == (currency == "EUR")


def test_the_shipped_model_stands_in_for_any_currency_until_the_policy_names_one():
    assert default_model().version == STAND_IN
    for currency in ("USD", "EUR", "KWD"):
        assert lived(weekly(32_500, currency), basis())[0].judgement.tier == 3


def test_a_learnt_risk_does_not_look_at_money_that_it_cannot_compare():
    other = [in_currency(event, "KWD") for event in weekly(32_500, "USD")]
    poor = [in_currency(event, "KWD") for event in weekly(1, "USD")]
    risks = {lived(life, learnt_basis())[0].judgement.risk for life in (other, poor)}

    assert len(risks) == 1


def test_a_model_whose_money_is_in_another_currency_than_the_policys_is_refused_in_one_line():
    words = (
        r"the money of model own is in JPY, the policy's in USD \(\[finance\] currency\): "
        "fit a model with this policy"
    )
    for make in (Basis, tried_basis):
        with pytest.raises(ModelError, match=f"^{words}$"):
            make(parse_policy(HOME_ONLY), fitted("JPY"))
    assert tried_basis(parse_policy(RATED), fitted("USD")).ranking == "USD"


def test_a_refund_in_another_currency_than_its_order_is_taken_off_by_the_rate():
    life = [bought(0, 32_500, "a"), in_currency(refunded(5, "a", 10_000), "KWD")]
    for order in (life, life[::-1]):
        profile, _ = lived(order, basis(RATED))

        assert profile.buying.sums.refunded_minor == 3_250
        assert profile.buying.net_minor == 29_250


def test_a_whole_refund_of_a_foreign_order_leaves_nothing():
    life = [in_currency(bought(0, 99_999, "a"), "JPY"), in_currency(refunded(5, "a", 99_999), "JPY")]
    profile, _ = lived(life, basis(RATED))

    assert profile.buying.net_minor == 0
    assert profile.buying.sums.value == 0.0


def test_discounts_and_prices_of_pieces_are_exchanged_too():
    life = [bought(0, 100_000, "a", currency="KWD", discount=10_000), bought(1, 7_500, "b")]
    profile, _ = lived(life, basis(RATED))

    assert profile.buying.sums.discount_minor == 3_250
    assert profile.interests.spend_minor == 32_500 + 7_500
    assert profile.interests.unit_price_max_minor == 32_500


def test_what_has_no_rate_is_counted_and_not_added():
    life = [
        bought(0, 32_500, "a"),
        bought(1, 5_000, "b", currency="GBP"),
        bought(2, 100_000, "c", currency="KWD"),
    ]
    profile, _ = lived(life, basis(RATED))

    assert (profile.buying.sums.orders, profile.buying.sums.foreign_orders) == (3, 1)
    assert profile.buying.sums.gross_minor == 65_000
    assert profile.interests.currencies == ["GBP", "USD"], "so that prices of pieces are not averaged"


def test_prices_of_pieces_in_two_currencies_are_not_averaged():
    one, _ = lived([bought(0, 5_000, "a"), bought(1, 7_000, "b")], basis())
    two, _ = lived([bought(0, 5_000, "a"), bought(1, 7_000, "b", currency="KWD")], basis())
    gone, _ = lived(
        [bought(0, 5_000, "a"), bought(1, 7_000, "b", currency="KWD"), cancelled(2, "b")], basis()
    )
    words = [
        " ".join(line for section in profile_sections(each, at(3), basis()) for line in section.lines)
        for each in (one, two, gone)
    ]

    assert "Pays $60.00 per item on average, $70.00 at most." in words[0]
    assert "per item" not in words[1]
    assert "per item" not in words[2]


MIXED = ("USD", "KWD", "EUR", "JPY", "GBP")


@st.composite
def mixed_lives(draw: st.DrawFn, lives: st.SearchStrategy[list[Event]]) -> list[Event]:
    """A life whose purchases and refunds are in any of five currencies; GBP has no rate."""
    return [
        in_currency(event, draw(st.sampled_from(MIXED)))
        if isinstance(event, PurchaseCompleted | PurchaseRefunded)
        else event
        for event in draw(lives)
    ]


@pytest.mark.parametrize("policy", ["", RATED, HOME_ONLY])
@given(data=st.data())
def test_any_arrival_order_of_several_currencies_folds_to_the_same_facts(policy, data):
    life = data.draw(mixed_lives(st.one_of(mixtures(), loyal_lives())))
    shuffled = life[:]
    Random(data.draw(st.integers(0, 99))).shuffle(shuffled)

    assert_same_facts(lived(in_time_order(life), basis(policy))[0], lived(shuffled, basis(policy))[0])


@given(mixed_lives(loyal_lives()))
def test_a_life_exchanged_beforehand_gives_the_alerts_of_one_exchanged_by_the_policy(life):
    rated = basis(RATED)
    exchanged = []
    for each in life:
        event = each
        if isinstance(event, PurchaseCompleted):
            total, currency = rated.meaning.money.counted(event.data.total_minor, event.data.currency)
            discount, _ = rated.meaning.money.counted(event.data.discount_minor, event.data.currency)
            data = msgspec.structs.replace(
                event.data, total_minor=total, discount_minor=discount, currency=currency
            )
            event = msgspec.structs.replace(event, data=data)
        elif isinstance(event, PurchaseRefunded):
            back, currency = rated.meaning.money.counted(event.data.refund_minor, event.data.currency)
            refund = msgspec.structs.replace(event.data, refund_minor=back, currency=currency)
            event = msgspec.structs.replace(event, data=refund)
        exchanged.append(event)

    assert ENCODE(lived(in_time_order(life), rated)[1]) == ENCODE(lived(in_time_order(exchanged), rated)[1])


def test_a_refund_that_cannot_be_taken_off_is_counted_and_said():
    """Its money is in another currency than its order's, and there is no rate."""
    life = [
        bought(0, 32_500, "a"),
        in_currency(refunded(5, "a", 10_000), "GBP"),
        in_currency(refunded(6, "unknown", 10_000), "GBP"),
        bought(7, 1_000, "b", currency="GBP"),
        in_currency(refunded(8, "b", 1_000), "GBP"),  # its order is not in the sums either
    ]
    shuffled = life[:]
    for turn in range(6):
        Random(turn).shuffle(shuffled)
        profile, _ = lived(shuffled, basis(RATED))

        assert profile.buying.sums.foreign_refunds == 2
        assert profile.buying.net_minor == 32_500
        (buying,) = [one for one in profile_sections(profile, at(9), basis(RATED)) if one.title == "Buying"]
        assert "2 refunds in another currency than their order, not taken off." in buying.lines
    many = [*life, *(bought(20 + day, 100, f"m{day}") for day in range(90))]
    assert lived(many, basis(RATED))[0].buying.sums.foreign_refunds == 2
