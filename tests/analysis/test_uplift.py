"""The readout of an experiment: planted effects are found, chance is not, and who counts counts once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from stream.analysis.uplift.study import NothingToCompareError
from stream.analysis.uplift.words import readout_lines
from stream.core.calendar import UTC_CALENDAR
from stream.core.events import event as ev
from stream.core.events import payload as pl
from stream.core.units import DAY_MS, HOUR_MS
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


def in_arm(wanted: str, share: float = 0.2) -> str:
    """A customer of an arm."""
    return next(f"x{n}" for n in range(1_000) if arm(f"x{n}", share) == wanted)


def test_a_planted_effect_is_found_in_its_tier_and_in_no_other():
    found = study(
        written(TrialShop(customers=15_000, share=0.4, weights=(1, 1, 8), effect={"platinum": 0.06}))
    ).readout
    tiers = found.tiers

    assert found.fits
    platinum = not_none(tiers["platinum"].repurchase)
    assert tiers["platinum"].verdict == "helps"
    assert platinum.low <= 0.06 <= platinum.high
    assert platinum.once_low <= 0.06 <= platinum.once_high
    assert {tiers[tier].verdict for tier in ("silver", "gold")} <= {"nothing larger", "not known yet"}
    assert sum(one.treated + one.held_out for one in tiers.values()) == found.over


def test_what_hurts_is_said_as_well():
    found = study(
        written(TrialShop(customers=6_000, effect=dict.fromkeys(("silver", "gold"), -0.15)))
    ).readout

    assert not_none(found.all).verdict == "hurts"


def test_of_a_large_shop_without_an_effect_it_is_said_that_nothing_large_is_there():
    found = study(written(TrialShop(customers=12_000, share=0.5)))
    one = not_none(found.readout.all)

    assert one.verdict == "nothing larger"
    assert "nothing larger than" in "\n".join(readout_lines(found.readout, found.choice, UTC_CALENDAR))


def test_a_customer_counts_once_in_a_period_with_the_first_alert_that_would_have_been_sent():
    who = in_arm("treated")
    others = written(TrialShop(customers=200))
    first_ms, second_ms = BEGINS_MS + DAY_MS, BEGINS_MS + 20 * DAY_MS
    others.alerts += [
        alert_line(who, second_ms, "treated", kind="churn_risk", tier="platinum"),
        alert_line(who, first_ms, "treated", kind="at_risk_loyal", tier="silver"),
        alert_line(
            who, first_ms, "treated", kind="at_risk_loyal", tier="gold"
        ),  # read twice: the first counts
    ]
    others.deliveries += [
        delivery_line(who, second_ms, second_ms, "treated", kind="churn_risk"),
        delivery_line(who, first_ms, first_ms, "treated"),
        delivery_line(who, first_ms, first_ms + HOUR_MS, "treated", endpoint="mail"),
    ]
    others.events += [purchase_line(who, first_ms + 5 * DAY_MS, 7_777)]

    found = study(others).readout
    without = study(written(TrialShop(customers=200))).readout

    assert found.customers == without.customers + 1
    tiers = ("silver", "gold", "platinum")
    more = {tier: found.tiers[tier].bought_treated - without.tiers[tier].bought_treated for tier in tiers}
    assert more == {"silver": 1, "gold": 0, "platinum": 0}


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        ({"outcome": "accepted"}, True),
        ({"outcome": "parked", "attempts": 10}, True),
        ({"outcome": "expired", "attempts": 3}, True),
        ({"outcome": "disabled", "attempts": 1}, True),
        ({"outcome": "expired", "sent_at": None}, False),
        ({"outcome": "superseded", "sent_at": None}, False),
        ({"outcome": "suppressed", "reason": "filter", "sent_at": None}, False),
        ({"outcome": "suppressed", "reason": "budget", "sent_at": None, "attempts": 1}, False),
        ({"outcome": "accepted", "state": "cleared"}, False),
    ],
)
def test_who_was_attempted_counts_as_treated_whatever_came_of_it(outcome, counts):
    who, at_ms = in_arm("treated"), BEGINS_MS + DAY_MS
    found = written(TrialShop(customers=100))
    found.alerts.append(alert_line(who, at_ms, "treated"))
    found.deliveries.append(delivery_line(who, at_ms, at_ms, "treated", **outcome))

    assert study(found).readout.customers == 100 + counts


def test_windows_that_are_not_over_do_not_count_yet():
    shop = written(TrialShop(customers=1_000, days=120))
    known = study(shop, now_ms=BEGINS_MS + 60 * DAY_MS)
    found = known.readout

    assert 0 < found.over < found.customers < 1_000
    assert any(
        f"{1_000 - found.customers} customers are left out: their alert" in each for each in known.notes
    )
    moments = [msgspec.json.decode(line)["data"]["at"] for line in shop.deliveries]
    over = sum(
        datetime.fromisoformat(at).timestamp() * 1_000 + 30 * DAY_MS <= BEGINS_MS + 60 * DAY_MS
        for at in moments
    )
    assert found.over == over


def test_the_end_of_the_events_is_the_end_of_what_is_known_whatever_the_clock_says():
    shop = written(TrialShop(customers=500, days=120))
    shop.events = [line for line in shop.events if b"somebody" not in line][:50]

    found = study(shop)

    assert found.choice.as_of_ms < BEGINS_MS + 160 * DAY_MS
    assert found.readout.over < 500


def test_arms_of_another_size_than_was_drawn_hide_every_figure():
    shop = written(TrialShop(customers=6_000, share=0.5))
    kept = [n for n, line in enumerate(shop.deliveries) if b"holdout" in line or n % 7]  # 54 to 46
    shop.deliveries = [shop.deliveries[n] for n in kept]

    found = study(shop)

    assert not found.readout.fits
    assert (found.readout.all, found.readout.kinds, found.readout.tiers) == (None, {}, {})
    text = "\n".join(readout_lines(found.readout, found.choice, UTC_CALENDAR))
    assert "every figure is hidden" in text
    assert "bought again" not in text


def test_without_deliveries_customers_count_from_the_alert_and_that_is_said():
    found = study(written(TrialShop(customers=300)), deliveries=False)

    assert found.readout.customers == 300
    assert any("no deliveries were given" in note for note in found.notes)


def test_another_salt_or_share_is_another_experiment_and_named():
    old, new = written(TrialShop(salt="old", customers=300)), written(TrialShop(seed=2, customers=200))
    both = Written(old.alerts + new.alerts, old.deliveries + new.deliveries, old.events + new.events)
    later = both.alerts[-1]
    assert study(both, salt="old").readout.customers == 300
    found = study(both, salt="s")
    assert found.readout.customers == 200
    assert any("salt old, 20% held out" in note for note in found.notes)
    assert later in both.alerts
    with pytest.raises(NothingToCompareError, match="there are: old, s"):
        study(both, salt="none")


def test_alerts_whose_arm_does_not_follow_from_their_customer_are_left_out_and_counted():
    shop = written(TrialShop(customers=300))
    for n in range(3):
        other = "held_out" if arm(f"c1-{n}") == "treated" else "treated"
        shop.alerts[n] = shop.alerts[n].replace(f'"{arm(f"c1-{n}")}"'.encode(), f'"{other}"'.encode())

    found = study(shop)

    assert found.readout.customers == 297
    assert any(note.startswith("3 alerts are left out: their arm") for note in found.notes)


def test_the_erased_are_left_out_and_counted_by_arm():
    shop = written(TrialShop(customers=300))
    erased = [who for who in (f"c1-{n}" for n in range(300)) if arm(who) == "held_out"][:4]
    end = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=BEGINS_MS + 159 * DAY_MS)
    events = as_events(shop.events) + [
        ev.CustomerErased(id=who, source="/shop", subject=who, time=end, data=pl.Erasure()) for who in erased
    ]

    found = study(shop, events=events).readout

    assert (found.erased_treated, found.erased_held_out, found.over) == (0, 4, 296)


def test_nothing_is_said_of_a_shop_without_an_experiment():
    shop = written(TrialShop(customers=3))
    shop.alerts = [line.replace(b'"experiment"', b'"other"') for line in shop.alerts]

    with pytest.raises(NothingToCompareError, match="no alert is in an experiment"):
        study(shop)
    with pytest.raises(NothingToCompareError, match="no alert of it was sent"):
        study(msgspec.structs.replace(written(TrialShop(customers=3)), deliveries=[]))


@pytest.mark.parametrize("time", ["2025-03-01T10:00:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_a_time_without_a_zone_is_not_taken_in_that_of_the_machine(time):
    shop = written(TrialShop(customers=50))
    for lines, name in ((shop.alerts, "time"), (shop.deliveries, "sent_at")):
        line = msgspec.json.decode(lines[0])
        (line if name in line else line["data"])[name] = time
        lines.insert(0, msgspec.json.encode(line))

    notes = study(shop).notes

    for what in ("alerts", "deliveries"):
        assert any(f"1 of the records of {what} " in each and "timezone" in each for each in notes)


def test_records_that_cannot_be_read_are_counted_with_the_first_of_them():
    shop = written(TrialShop(customers=50))
    shop.alerts.insert(1, b'{"subject": 3}')
    shop.deliveries.insert(0, b"\xff")

    notes = study(shop).notes

    assert any("1 of the records of alerts could not be read" in each and "file:2" in each for each in notes)
    assert any("1 of the records of deliveries" in each and "file:1: not JSON" in each for each in notes)
