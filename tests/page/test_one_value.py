"""Explanation, page, read store, report and alerts state one value of a customer, which follows the risk."""

import pytest
from msgspec.structs import replace

from stream.analysis.business.campaign_value import _values_of_each
from stream.analysis.business.ledger import read_ledger
from stream.core.alerts.build import open_alert_at
from stream.core.judgement.basis import Basis
from stream.core.judgement.standing import standing
from stream.core.judgement.worth import expected_minor, spread_if_kept, spread_now
from stream.core.model.document import sealed
from stream.core.model.pace import Further, Trend, Wander
from stream.core.units import DAY_MS, YEAR_MS
from stream.fit.history import read_history
from stream.page.entries import customer_entry
from stream.page.screens.one_customer.value import value_figures
from stream.page.screens.view import View
from stream.replay.run import replay
from stream.wording.amounts import money
from stream.wording.profile import value_lines
from tests.support.builders import answered, at, bought, complained, learnt_basis, reviewed
from tests.support.narrow import not_none
from tests.support.seasons import seasonal_model

BASIS = learnt_basis()
PACED = Basis(
    BASIS.policy,
    sealed(
        replace(
            seasonal_model(),
            trend=Trend(level=0.2, slope=0.1, ahead_max_ms=YEAR_MS, learnt="a test's"),
            further=Further(levels=(0.2, -2.0), slopes=(0.1, 0.0), ahead_max_ms=YEAR_MS, learnt="a test's"),
            wander=Wander(per_year=0.2, learnt="a test's"),
            version="",
        )
    ),
)
"""Whose model knows seasons, what follows a purchase, a trend, and how the pace of customers wanders."""
DAYS = range(0, 120, 8)


def lived(*more):
    events = [bought(day, 9_000) for day in DAYS]
    events += more
    run, _ = replay(sorted(events, key=lambda event: event.time), BASIS, until_ms=at(160))
    return run.profiles["c"]


CONTENT = lived(answered(100, 10), reviewed(101, 5))
UNHAPPY = lived(answered(100, 0), reviewed(101, 1), complained(113, "t"))


def words(profile, as_of_ms):
    return " ".join(value_lines(profile, standing(profile, as_of_ms, BASIS), BASIS))


def test_who_is_likelier_to_leave_is_worth_less_though_they_bought_the_same():
    as_of_ms = at(125)
    content, unhappy = (standing(each, as_of_ms, BASIS) for each in (CONTENT, UNHAPPY))
    assert content.risk < unhappy.risk

    assert expected_minor(UNHAPPY, unhappy, BASIS) < expected_minor(CONTENT, content, BASIS)
    assert words(UNHAPPY, as_of_ms) != words(CONTENT, as_of_ms)


@pytest.mark.parametrize("basis", [BASIS, PACED])
def test_all_that_people_read_has_the_same_number(basis):
    as_of_ms = at(124)
    now = standing(UNHAPPY, as_of_ms, basis)
    expected = expected_minor(UNHAPPY, now, basis)
    shown = money(expected, "USD", rounded=True)

    assert f"{shown} on average" in " ".join(value_lines(UNHAPPY, now, basis))
    assert not_none(value_figures(UNHAPPY, View(basis, as_of_ms, "a test", True))).expected == shown
    assert customer_entry(UNHAPPY, as_of_ms, basis).value_minor == round(expected)


@pytest.mark.parametrize("basis", [BASIS, PACED])
def test_the_report_has_that_number_too(basis):
    events = [bought(day, 9_000) for day in DAYS]
    split_ms = at(124) // DAY_MS * DAY_MS
    history = read_history(events, (split_ms,), basis.policy)
    ledger, profile = read_ledger(events, (split_ms,), basis.policy), history.profiles["c"]
    finance = replace(basis.policy.finance, horizon_ms=basis.policy.finance.risk_horizon_ms)

    values = _values_of_each(ledger, history.snapshots[split_ms], basis.model, finance)

    now = standing(profile, split_ms, basis)
    assert values["c"][1] == pytest.approx(expected_minor(profile, now, basis), rel=1e-9)


def test_what_is_at_stake_is_the_value_as_of_the_last_purchase():
    last_ms = UNHAPPY.buying.sums.last_midnight_ms
    kind = next(kind for kind, one in UNHAPPY.judgement.episodes.items() if one.n)
    stake = not_none(open_alert_at(kind, UNHAPPY, at(140), BASIS).value_at_risk)

    then = standing(UNHAPPY, last_ms, BASIS)

    assert spread_now(UNHAPPY, then, BASIS) == spread_if_kept(
        UNHAPPY, standing(UNHAPPY, at(140), BASIS), BASIS
    )
    assert stake.p50_minor == round(spread_now(UNHAPPY, then, BASIS).p50_minor)
