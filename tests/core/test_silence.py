"""What silence changes is found at the instant at which it changes."""

from itertools import pairwise

import msgspec
import pytest

from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.model.document import sealed
from stream.core.model.features import tempered
from stream.core.model.record import Horizon, PurchaseProcess
from stream.core.risk.inactivity import inactivity
from stream.core.step import on_event, on_review
from stream.core.units import DAY_MS, YEAR_MS
from stream.model_file import default_model
from stream.policy_file import default_policy
from stream.wire import decode_line
from tests.support.narrow import not_none

START_MS = 1_704_067_200_000  # 2024-01-01


def purchase(day: int):
    line = (
        f'{{"specversion":"1.0","id":"e{day}","source":"/t","type":"purchase.completed","subject":"c1",'
        f'"time":"2024-01-{day:02d}T10:00:00Z","data":{{"order_id":"o{day}","total_minor":900000,'
        f'"currency":"USD","products":[]}}}}'
    )
    return decode_line(line.encode())


def test_tempered_log_odds_rise_without_a_step_and_are_never_certain():
    below, above = [tempered(step / 8) for step in range(-80, 1)], [tempered(step / 8) for step in range(241)]

    assert below == [step / 8 for step in range(-80, 1)]
    assert all(low < high < low + 0.126 for low, high in pairwise(above))
    assert above[-1] < 3.5


def test_a_drifting_customer_becomes_at_risk_the_moment_they_have_been_one_long_enough_to_be_loyal():
    basis = Basis(default_policy(), default_model())
    profile: Profile | None = None
    for day in (1, 3, 5, 7, 9, 11, 13, 15):
        profile = on_event(profile, purchase(day), basis).profile

    raised = {
        alert.type: alert.time
        for alert in on_review(not_none(profile), START_MS + 120 * DAY_MS, basis).alerts
    }

    assert raised["at_risk_loyal.raised"] == "2024-03-31T10:00:00.000Z"  # 90 days after the first purchase


@pytest.mark.parametrize("kind", ["bgnbd", "mbgnbd"])
@pytest.mark.parametrize("r", [3_000.0, 5_000.0, 1e6])
def test_customers_who_surely_buy_within_the_horizon_are_at_no_risk(kind, r):
    """A shop of weekly boxes and a horizon of a year: 1 - exp(-51) rounds to 1, and its log-odds were
    infinite."""
    process = PurchaseProcess(kind=kind, r=r, alpha=5_000.0, a=1e-4, b=1e4)
    horizon = Horizon(min_ms=YEAR_MS, max_ms=YEAR_MS)
    model = sealed(msgspec.structs.replace(default_model(), process=process, horizon=horizon, version=""))

    log_odds = [inactivity(model, x, x * 7 * DAY_MS).log_odds(0) for x in range(60)]

    assert all(-37.0 <= odds < -14.0 for odds in log_odds)
