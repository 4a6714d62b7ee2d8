"""What alerts promised and what customers did: each counts once, from alerts and profiles of the store."""

from collections import Counter

import msgspec
import pytest
from prometheus_client import generate_latest

from stream.core.units import DAY_MS
from stream.core.value.clv import own_horizon
from stream.metrics import DashboardMetrics
from stream.page.dashboard import filled
from stream.page.entries import alert_ms
from stream.page.screens.policy.judged_alerts import Promised, judged_alerts
from stream.page.sources.replay_files import replay_files
from stream.page.store.sqlite import SqliteStore
from stream.page.web.alert_gauges import watch_promises
from stream.page.web.pages import Pages
from stream.page.web.panes import PANES
from stream.replay.run import replay
from tests.support.builders import at, basis, bought
from tests.support.replayed_shop import write_files

BASIS = basis()
CUSTOMERS = range(12)
BACK, FAR_LATER, LATE = range(4), 5, "late"
"""Who buys again a day after their alert; who does so after their horizon; whose horizon is not over yet."""


def purchases():
    """Regular customers who fall silent one after the other; the shop goes on with another one."""
    for number in CUSTOMERS:
        yield from (bought(day, 20_000, customer=f"c{number}") for day in range(number, number + 60, 12))
    yield from (bought(day, 20_000, customer="on") for day in range(0, 200, 7))
    yield from (bought(day, 20_000, customer=LATE) for day in range(60, 120, 12))


def replayed(events):
    return replay(sorted(events, key=lambda event: event.time), BASIS, until_ms=at(200))


def raised(alerts):
    return {one.subject: alert_ms(one) for one in alerts if one.type == "churn_risk.raised"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    events = list(purchases())
    alert_days = {who: (ms - at(0)) / DAY_MS for who, ms in raised(replayed(events)[1]).items()}
    events += [bought(alert_days[f"c{number}"] + 1, 100, customer=f"c{number}") for number in BACK]
    events.append(bought(195, 100, customer=f"c{FAR_LATER}"))
    run, alerts = replayed(events)
    twice = [*alerts, *alerts]
    return write_files(tmp_path_factory.mktemp("judged"), list(run.profiles.values()), twice), run, alerts


@pytest.fixture(scope="module")
def store(files, tmp_path_factory):
    store = SqliteStore(tmp_path_factory.mktemp("store") / "store.db")
    yield store, filled(store, replay_files(files[0][0], files[0][1], BASIS))
    store.close()


def test_alerts_whose_horizon_is_over_are_compared_with_what_was_bought_in_it(store):
    kept, view = store
    with kept.reading() as reading:
        found = judged_alerts(reading, view)

    assert (found.whole.judged, found.whole.right) == (len(CUSTOMERS), len(CUSTOMERS) - len(BACK))
    assert found.whole.promised == pytest.approx(0.8, abs=0.01)
    assert found.unknown == 0
    assert sum(week.judged for week in found.weeks) == sum(band.judged for band in found.bands) == 12


def test_each_week_has_the_alerts_whose_horizon_ended_in_it(files, store):
    (_, run, alerts), (kept, view) = files, store
    process, horizon = BASIS.model.process, BASIS.model.horizon
    ends = []
    for who, alert_at_ms in raised(alerts).items():
        orders = [one for one in run.profiles[who].buying.orders if one.at_ms <= alert_at_ms]
        span = (orders[-1].at_ms - run.profiles[who].buying.sums.first_midnight_ms) / process.unit_ms
        ends.append(alert_at_ms + own_horizon(process, horizon, len(orders) - 1, span) * process.unit_ms)
    with kept.reading() as reading:
        found = judged_alerts(reading, view)

    starts = view.day_starts_ms(7 * 13)[::7]
    over = [end_ms for end_ms in ends if end_ms <= view.as_of_ms]
    in_week = Counter(view.date(max(start for start in starts if start <= end_ms)) for end_ms in over)
    assert {each.name: each.judged for each in found.weeks if each.judged} == in_week
    assert len(in_week) > 1
    assert len(over) < len(ends), "the late one is to be left out"


def test_of_a_customer_with_too_many_orders_since_it_is_not_known(files, tmp_path):
    _, run, alerts = files
    profiles = list(run.profiles.values())
    profile = next(one for one in profiles if one.customer == "c7")
    busy = msgspec.json.decode(msgspec.json.encode(profile), type=type(profile))
    busy.buying.orders_gone_ms = raised(alerts)["c7"] + DAY_MS
    busy.buying.older = busy.buying.sums.copy()
    others = [one for one in profiles if one.customer != "c7"]
    with_store = SqliteStore(tmp_path / "store.db")
    kept, sent = write_files(tmp_path, [*others, busy], alerts)
    view = filled(with_store, replay_files(kept, sent, BASIS))
    with with_store.reading() as reading:
        found = judged_alerts(reading, view)
    with_store.close()

    assert (found.unknown, found.whole.judged) == (1, len(CUSTOMERS) - 1)


def test_the_policy_page_shows_promise_and_outcome(store):
    kept, view = store
    with kept.reading() as reading:
        text, status, _ = PANES["/policy"](Pages(view, None, None), reading, {})

    assert status == 200
    assert "keep their word" in text
    assert "8 of 12 (" in text
    assert "80%" in text


def test_prometheus_has_the_same_numbers(store):
    kept, view = store
    metrics = DashboardMetrics()
    watch_promises(metrics, kept, lambda: view)

    text = generate_latest(metrics.registry).decode()

    assert "customer_stream_alerts_judged 12.0" in text
    assert 'customer_stream_alerts_right_share{bound="value"} 0.66' in text
    assert "customer_stream_alerts_promised_share 0.80" in text


def test_the_interval_is_that_of_wilson():
    low, high = Promised("", judged=12, right=8, stated=9.6).interval

    assert [low, high] == pytest.approx([0.431, 0.841], abs=0.002)
    assert Promised("").interval == (0.0, 1.0)
