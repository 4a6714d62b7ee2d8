"""Odd experiments and data: each gives numbers that are true, or one line that says why there are none."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import msgspec
import pytest

from stream.analysis.statistics.two_arms import share_difference
from stream.analysis.uplift.document import document
from stream.analysis.uplift.readout import verdicts
from stream.analysis.uplift.words import readout_lines
from stream.core.calendar import UTC_CALENDAR
from stream.core.events import event as ev
from stream.core.events import payload as pl
from stream.core.units import DAY_MS, HOUR_MS
from stream.policy_file import parse_policy
from tests.support.narrow import not_none
from tests.support.trial_shop import (
    BEGINS_MS,
    TrialShop,
    Written,
    alert_line,
    as_events,
    delivery_line,
    purchase_line,
    written,
)
from tests.support.trial_study import arm, study


def numbers(found: Written, **more) -> bytes:
    """The whole document, after its words were made as well."""
    made = study(found, **more)
    assert list(readout_lines(made.readout, made.choice, UTC_CALENDAR))
    content = document(made.readout, made.trial, made.periods, made.choice, made.notes)
    return msgspec.json.encode(content)


def one_customer(*, bought: bool) -> Written:
    at_ms = BEGINS_MS + DAY_MS
    events = [purchase_line("c", at_ms + DAY_MS, 100)] if bought else []
    return Written(
        [alert_line("c", at_ms, arm("c"))],
        [delivery_line("c", at_ms, at_ms, arm("c"))],
        [*events, purchase_line("somebody", at_ms + 90 * DAY_MS, 100)],
    )


@pytest.mark.parametrize("bought", [False, True])
def test_of_one_customer_nothing_is_known(bought):
    found = study(one_customer(bought=bought)).readout
    one = not_none(found.all)

    assert (found.customers, found.over) == (1, 1)
    assert (one.verdict, one.repurchase, one.money) == ("not known yet", None, None)
    numbers(one_customer(bought=bought))


def test_nobody_buys_and_it_is_not_said_that_this_is_certain():
    shop = written(TrialShop(customers=400, repurchase=0.0))
    one = not_none(study(shop).readout.all)

    assert (one.bought_treated, one.bought_held_out) == (0, 0)
    assert one.verdict == "nothing larger", "of 80 held out nobody bought: less than 5 points, not nothing"
    assert not_none(one.repurchase).low < 0 < not_none(one.repurchase).high
    assert one.money is None
    numbers(shop)


def test_everybody_buys():
    one = not_none(study(written(TrialShop(customers=400, repurchase=1.0))).readout.all)

    assert not_none(one.repurchase).low < 0 < not_none(one.repurchase).high
    assert one.money is not None


@pytest.mark.parametrize("share", [0.001, 0.9])
def test_a_share_at_its_end(share):
    shop = written(TrialShop(customers=600, share=share))
    found = study(shop).readout

    assert found.fits
    assert found.treated + found.held_out == 600
    numbers(shop)


def test_all_that_comes_twice_and_in_any_order_counts_once():
    shop = written(TrialShop(customers=300))
    twice = Written(shop.alerts * 2, shop.deliveries * 2, shop.events * 2)
    random = Random(7)
    for lines in (twice.alerts, twice.deliveries):
        random.shuffle(lines)

    assert numbers(twice) == numbers(shop)


def test_a_salt_that_changed_within_a_period_is_two_experiments_and_nobody_counts_in_both():
    shop = written(TrialShop(customers=500))
    other = TrialShop(customers=500, salt="t")
    changed = [msgspec.json.decode(line) for line in shop.alerts[250:]]
    for alert in changed:
        alert["data"]["experiment"] |= {"salt": "t", "arm": arm(alert["subject"], salt="t")}
    mixed = Written(
        shop.alerts[:250] + [msgspec.json.encode(alert) for alert in changed],
        shop.deliveries[:250]
        + [
            line if arm(f"c1-{n}") == arm(f"c1-{n}", salt=other.salt) else line.replace(b"holdout", b"")
            for n, line in enumerate(shop.deliveries[250:], 250)
        ],
        shop.events,
    )

    counts = {salt: study(mixed, salt=salt).readout.customers for salt in ("s", "t")}
    assert counts["s"] == 250
    assert 0 < counts["t"] <= 250


def test_a_customer_whose_tier_changes_counts_in_the_tier_of_the_first_alert():
    shop = one_customer(bought=True)
    later_ms = BEGINS_MS + 40 * DAY_MS
    shop.alerts.append(alert_line("c", later_ms, arm("c"), tier="platinum", kind="churn_risk"))
    shop.deliveries.append(delivery_line("c", later_ms, later_ms, arm("c"), kind="churn_risk"))

    assert list(study(shop).readout.tiers) == ["gold"]


def test_a_delivery_clock_that_is_behind_does_not_move_a_moment_before_its_alert():
    shop = one_customer(bought=False)
    at_ms = BEGINS_MS + DAY_MS
    shop.deliveries = [delivery_line("c", at_ms, at_ms - 9 * HOUR_MS, arm("c"))]
    shop.events.insert(0, purchase_line("c", at_ms - HOUR_MS, 500))

    one = not_none(study(shop).readout.all)

    assert one.bought_treated + one.bought_held_out == 0, "bought before the alert"


def test_a_window_that_is_longer_than_the_data_compares_nobody():
    found = study(written(TrialShop(customers=200)), window_ms=900 * DAY_MS).readout

    assert (found.over, not_none(found.all).treated, found.tiers) == (0, 0, {})
    numbers(written(TrialShop(customers=200)), window_ms=900 * DAY_MS)


def test_absurd_money_decides_nothing():
    shop = written(TrialShop(customers=2_000, repurchase=0.9))
    absurd = purchase_line("c1-0", BEGINS_MS + 100 * DAY_MS, 9_000_000_000_000_000)
    one = not_none(study(msgspec.structs.replace(shop, events=[*shop.events, absurd])).readout.all)
    plain = not_none(study(shop).readout.all)

    assert not_none(one.money).value == pytest.approx(not_none(plain.money).value, abs=200)


def test_alerts_without_money_are_compared_without_it():
    shop = written(TrialShop(customers=300))
    shop.alerts = [line.replace(b'"value_at_risk"', b'"nothing"') for line in shop.alerts]
    one = not_none(study(shop).readout.all)

    assert one.repurchase is not None
    assert one.money is None


def test_another_policy_is_another_experiment():
    shop = written(TrialShop(customers=300))
    shop.alerts[:20] = [line.replace(b'"default"', b'"other"') for line in shop.alerts[:20]]

    found = study(shop)

    assert found.readout.customers in {280, 0}
    assert any("of another experiment" in note for note in found.notes)


def test_a_policy_in_another_currency_without_rates_compares_no_money_and_says_whose():
    found = study(written(TrialShop(customers=300)), policy=parse_policy('[finance]\ncurrency = "CHF"\n'))
    one = not_none(found.readout.all)

    assert (one.money_treated, one.money_held_out, one.money) == (0.0, 0.0, None)
    assert found.readout.other_money == one.bought_treated + one.bought_held_out


def test_of_many_comparisons_at_once_it_takes_more_to_say_that_one_helps():
    one = not_none(share_difference(455, 1_000, 380, 1_000))
    nothing = not_none(share_difference(400, 1_000, 400, 1_000))
    assert 0.01 < one.p_value < 0.05

    assert verdicts([one], 0.05) == ["helps"]
    assert verdicts([one, nothing, nothing, nothing, nothing], 0.01)[0] == "not known yet"


def test_an_erasure_after_the_last_order_does_not_end_any_window():
    shop = one_customer(bought=False)
    end = datetime(2030, 1, 1, tzinfo=UTC)
    erased = ev.CustomerErased(id="x", source="/shop", subject="z", time=end, data=pl.Erasure())
    late = study(shop, events=[*as_events(shop.events), erased])

    assert late.choice.as_of_ms == study(shop).choice.as_of_ms
