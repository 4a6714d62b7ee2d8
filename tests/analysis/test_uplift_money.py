"""Money in a readout: one currency, orders as they are known at last. Plans: enough customers, the fewest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from stream.analysis.statistics.two_arms import smallest_visible_share
from stream.analysis.uplift.follow import lives_of
from stream.analysis.uplift.plan import MONTHS, AlertedShop, plan_of
from stream.analysis.uplift.records import TrialRecords, read_alerts
from stream.analysis.uplift.study import NothingToCompareError, planned
from stream.core.currency import Exchange
from stream.core.events import event as ev
from stream.core.events import payload as pl
from stream.core.units import DAY_MS
from stream.policy_file import default_policy, parse_policy
from tests.support.narrow import not_none
from tests.support.trial_shop import (
    BEGINS_MS,
    TrialShop,
    as_events,
    as_lines,
    purchase_line,
    written,
)
from tests.support.trial_study import FOREVER, arm, study


def test_money_is_compared_in_one_currency_and_other_money_is_counted():
    shop = written(TrialShop(customers=2_000, repurchase=0.5))
    dollars = [line.replace(b'"currency":"EUR"', b'"currency":"USD"') for line in shop.events[:100]]
    mixed = msgspec.structs.replace(shop, events=dollars + shop.events[100:])

    assert study(shop).readout.other_money == 0
    assert study(mixed).readout.other_money == 100
    rated = parse_policy('[finance]\ncurrency = "EUR"\nrates = { USD = "0.5" }\n')
    found, plain = study(mixed, policy=rated), study(shop)
    assert found.readout.other_money == 0
    assert found.choice.currency == "EUR"
    assert not_none(found.readout.all).money_treated < not_none(plain.readout.all).money_treated


@pytest.mark.parametrize("effect", [0.0, 300.0])
def test_money_is_compared_by_what_is_not_known_before(effect):
    shop = written(TrialShop(customers=8_000, repurchase=0.9, share=0.4))
    if effect:
        shop.events = [_dearer(line, effect) for line in shop.events]
    one = not_none(study(shop).readout.all)
    money = not_none(one.money)

    assert money.once_low <= 0.9 * effect <= money.once_high
    assert (one.money_verdict == "helps") == bool(effect)


def _dearer(line: bytes, effect: float) -> bytes:
    event = msgspec.json.decode(line)
    if event["subject"] != "somebody" and arm(event["subject"], 0.4) == "treated":
        event["data"]["total_minor"] += round(effect)
    return msgspec.json.encode(event)


def test_an_order_counts_as_it_is_known_at_last():
    at_ms = BEGINS_MS + DAY_MS

    def event(kind, data, name, day):
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms + day * DAY_MS)
        return kind(id=name, source="/shop", subject="c", time=when, data=data)

    bought = as_events([purchase_line("c", at_ms + n * DAY_MS, 1_000, order=f"o{n}") for n in range(4)])
    events = [
        *bought,
        event(ev.PurchaseRefunded, pl.Refund("r", "o1", 400, "EUR"), "r", 90),
        event(ev.PurchaseRefunded, pl.Refund("r", "o1", 400, "EUR"), "r2", 91),
        event(ev.PurchaseCancelled, pl.Cancellation("o2"), "x", 95),
    ]
    lives = lives_of(["c"], events, Exchange())

    after = lives.after("c", at_ms, at_ms + 30 * DAY_MS, "EUR")

    assert (after.bought, after.paid_minor) == (True, 600 + 1_000), (
        "what is bought at the moment is before it"
    )
    assert not lives.after("c", at_ms + DAY_MS, at_ms + 2 * DAY_MS, "EUR").bought


def test_a_plan_is_enough_by_its_own_formula_and_leaves_the_fewest_alone():
    alerted = {months: 400 * months for months in MONTHS}
    plan = plan_of(AlertedShop(alerted=alerted, repurchase=0.4, money_deviation=5_000.0), 0.06)
    best = not_none(plan.proposed)

    assert not_none(best.visible) <= 0.06
    assert best.visible == smallest_visible_share(0.4, best.customers - best.held_out, best.held_out)
    enough = [each for each in plan.options if each.visible is not None and each.visible <= 0.06]
    assert best.held_out == min(each.held_out for each in enough)
    assert plan_of(AlertedShop(alerted=alerted, repurchase=0.4, money_deviation=0.0), 0.001).proposed is None
    nobody = plan_of(AlertedShop(alerted=dict.fromkeys(MONTHS, 1), repurchase=0.4, money_deviation=0.0), 0.05)
    assert nobody.proposed is None


def test_a_plan_follows_from_the_alerts_and_orders_of_the_shop():
    shop = written(TrialShop(customers=3_000, days=90))
    records = TrialRecords()
    read_alerts(as_lines(shop.alerts), records)
    asked: Any = {"window_ms": 30 * DAY_MS, "effect": 0.05, "now_ms": FOREVER}

    plan, seen = planned(records, as_events(shop.events), default_policy(), **asked)

    assert seen.repurchase == pytest.approx(0.4, abs=0.04)
    assert seen.alerted[12] == pytest.approx(3_000 * 12 * 30 / 90, rel=0.02)
    assert not_none(plan.proposed).held_out > 100
    with pytest.raises(NothingToCompareError):
        planned(TrialRecords(), as_events(shop.events), default_policy(), **asked)
