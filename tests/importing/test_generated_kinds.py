import json
from bisect import bisect_right
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from random import Random
from statistics import mean, stdev

import msgspec
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.events.event import PurchaseCompleted
from stream.importing.event_order import event_order
from stream.importing.generated.kinds.buyers import KnownShop, Pace, RhythmicBuyer, SeasonalBuyer, SteadyBuyer
from stream.importing.generated.kinds.chances import chance_of_buying
from stream.importing.generated.kinds.history import kind_history
from stream.importing.generated.kinds.order_times import order_times
from stream.importing.generated.kinds.plans import PLANS, STALLS

BEGINS, ENDS = datetime(2021, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PACE = Pace(from_at=(datetime(2021, 6, 1, tzinfo=UTC), datetime(2021, 9, 1, tzinfo=UTC)), factors=(0.1, 2.0))
STEADY = SteadyBuyer(id="a", kind="steady", order_minor=1.0, orders_per_day=1 / 40, leaves_per_day=1 / 200)
CHRISTMAS = SeasonalBuyer(
    id="b", kind="christmas", order_minor=1.0, first_year=2021, month=11, day=15, days=40, returns=0.6
)
CLOCKWORK = RhythmicBuyer(
    id="c", kind="clockwork", order_minor=1.0, gap_days=30, gap_sd_days=2, leaves_after_order=0.1
)
IRREGULAR = msgspec.structs.replace(CLOCKWORK, gap_sd_days=None)


@cache
def history(kind):
    return kind_history(kind)


def times_by_customer(events):
    times = defaultdict(list)
    for event in events:
        times[event.subject].append(event.time)
    return times


def first(pair):
    return pair[0]


def groups(kind, at, days):
    """Pairs (true chance, bought) of all customers who had bought by `at`."""
    shop, events = history(kind)
    times, pairs = times_by_customer(events), []
    for buyer in shop.customers:
        own = times[buyer.id]
        before = bisect_right(own, at)
        if before:
            until = at + days * DAY
            chance = chance_of_buying(buyer, shop.pace, own[before - 1], at, until)
            pairs.append((chance, bisect_right(own, until) > before))
    return pairs


@pytest.mark.parametrize(
    ("buyer", "at", "days"),
    [
        (STEADY, datetime(2021, 8, 1, tzinfo=UTC), 60),
        (STEADY, datetime(2021, 3, 1, tzinfo=UTC), 300),
        (CHRISTMAS, datetime(2022, 9, 24, tzinfo=UTC), 91),
        (CHRISTMAS, datetime(2022, 11, 30, tzinfo=UTC), 10),
        (CHRISTMAS, datetime(2022, 1, 31, tzinfo=UTC), 365),
        (CLOCKWORK, datetime(2021, 7, 15, tzinfo=UTC), 14),
        (IRREGULAR, datetime(2021, 7, 15, tzinfo=UTC), 14),
    ],
)
def test_the_true_chance_is_how_often_it_happens_in_many_draws(buyer, at, days):
    """Of 6,000 lives that begin alike, in four groups by the chance: within 4 standard errors of it."""
    pairs = []
    for number in range(6_000):
        times = list(order_times(buyer, BEGINS, at + days * DAY, PACE, Random(number)))
        before = [time for time in times if time <= at]
        if before:
            chance = chance_of_buying(buyer, PACE, before[-1], at, at + days * DAY)
            pairs.append((chance, len(times) > len(before)))
    pairs.sort(key=first)
    quarter = len(pairs) // 4
    for part in (pairs[i * quarter : (i + 1) * quarter] for i in range(4)):
        expected, happened = mean(p for p, _ in part), mean(b for _, b in part)
        error = (sum(p * (1 - p) for p, _ in part)) ** 0.5 / len(part)
        assert abs(expected - happened) <= 4 * error + 1e-9


@pytest.mark.parametrize("kind", PLANS)
@pytest.mark.parametrize(
    ("at", "days"), [(datetime(2023, 9, 24, tzinfo=UTC), 91), (datetime(2024, 1, 31, tzinfo=UTC), 182)]
)
def test_as_a_forecast_the_truth_is_off_by_chance_alone(kind, at, days):
    pairs = sorted(groups(kind, at, days), key=first)
    third = len(pairs) // 3
    for part in (pairs[:third], pairs[third : 2 * third], pairs[2 * third :]):
        error = (sum(p * (1 - p) for p, _ in part)) ** 0.5
        assert abs(sum(p for p, _ in part) - sum(b for _, b in part)) <= 3.5 * error + 1e-9


def test_the_chance_is_that_of_a_life_written_down_by_hand():
    """Irregular, silent 30 days, window 30: .9(1/e - 1/e^2) / (.9/e + .1); clockwork 5 sd late: gone."""
    assert chance_of_buying(IRREGULAR, Pace(), BEGINS, BEGINS + 30 * DAY, BEGINS + 60 * DAY) == pytest.approx(
        0.9 * (0.36787944 - 0.13533528) / (0.9 * 0.36787944 + 0.1)
    )
    assert chance_of_buying(CLOCKWORK, Pace(), BEGINS, BEGINS + 40 * DAY, BEGINS + 99 * DAY) < 1e-5
    season = datetime(2022, 11, 15, tzinfo=UTC)
    bought = datetime(2021, 12, 1, tzinfo=UTC)
    assert chance_of_buying(CHRISTMAS, Pace(), bought, season - 50 * DAY, season + 40 * DAY) == pytest.approx(
        0.6
    )
    assert chance_of_buying(CHRISTMAS, Pace(), bought, season + 20 * DAY, season + 30 * DAY) == pytest.approx(
        0.6 * 0.25 / 0.7
    )
    assert chance_of_buying(CHRISTMAS, Pace(), season + DAY, season + 20 * DAY, season + 99 * DAY) == 0
    assert chance_of_buying(CHRISTMAS, Pace(), bought, season + 40 * DAY, season + 500 * DAY) == 0
    with pytest.raises(ValueError, match="not in order"):
        chance_of_buying(STEADY, Pace(), BEGINS + DAY, BEGINS, BEGINS + 2 * DAY)


@pytest.mark.parametrize("kind", PLANS)
def test_a_kind_is_in_time_order_with_ids_of_its_own_and_everybody_in_the_truth(kind):
    shop, events = history(kind)
    assert events == sorted(events, key=event_order)
    assert len({event.id for event in events}) == len(events)
    assert {event.subject for event in events} == {buyer.id for buyer in shop.customers}
    assert all(isinstance(event, PurchaseCompleted) and event.data.total_minor > 0 for event in events)
    assert events[0].time >= BEGINS
    assert events[-1].time < ENDS


def test_half_of_a_christmas_shop_buy_only_from_15_november_to_24_december():
    shop, events = history("christmas")
    kinds = {buyer.id: buyer.kind for buyer in shop.customers}
    days = [(e.time.month, e.time.day) for e in events if kinds[e.subject] == "christmas"]
    assert Counter(kinds.values()) == {"christmas": 1_750, "all_year": 1_750}
    assert min(days) == (11, 15)
    assert max(days) == (12, 24)
    returns = [b.returns for b in shop.customers if isinstance(b, SeasonalBuyer)]
    assert mean(returns) == pytest.approx(0.5, abs=0.02)
    assert stdev(returns) == pytest.approx(0.05**0.5, abs=0.02)


def test_a_third_of_the_orders_of_annual_buyers_shop_is_of_one_month():
    months = Counter(event.time.month for event in history("annual")[1])
    assert months.most_common(1)[0][1] / months.total() == pytest.approx(1 / 3, abs=0.03)


def test_clockwork_is_30_days_and_2_and_the_irregular_have_the_same_mean():
    shop, events = history("clockwork")
    kinds = {buyer.id: buyer.kind for buyer in shop.customers}
    gaps: dict[str, list[float]] = defaultdict(list)
    for customer, times in times_by_customer(events).items():
        if times[0] < datetime(2022, 1, 1, tzinfo=UTC):
            gaps[kinds[customer]] += [(b - a) / DAY for a, b in pairwise(times)]
    assert mean(gaps["clockwork"]) == pytest.approx(30, abs=0.2)
    assert stdev(gaps["clockwork"]) == pytest.approx(2, abs=0.1)
    assert mean(gaps["irregular"]) == pytest.approx(30, abs=1)
    assert stdev(gaps["irregular"]) > 25


def test_orders_fall_grow_and_stall_as_planned():
    years = {kind: Counter(e.time.year for e in history(kind)[1]) for kind in ("drift", "growth")}
    assert years["drift"][2024] / years["drift"][2023] == pytest.approx(1 / 3, abs=0.05)
    assert years["growth"][2024] > 1.4 * years["growth"][2023] > 1.4**2 * years["growth"][2022]
    begins, ends = (datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in STALLS[1])
    times = [event.time for event in history("stall")[1]]
    days = (ends - begins) / DAY
    stalled = sum(begins <= time < ends for time in times) / days
    usual = sum(begins - 90 * DAY <= time < begins for time in times) / 90
    assert stalled / usual == pytest.approx(0.1, abs=0.03)
    assert len(history("small")[0].customers) <= 600


def test_the_command_writes_the_same_bytes_for_the_same_seed_and_the_truth_is_read_back(tmp_path):
    def run(name, *options):
        out, truth = tmp_path / f"{name}.jsonl", tmp_path / f"{name}.json"
        words = ["import", "generated", "--kind", "small", "--out", str(out), "--truth", str(truth), *options]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output
        return out.read_bytes(), truth.read_bytes()

    assert run("one") == run("other")
    assert run("one") != run("third", "--seed", "2")
    events, truth = run("few", "--customers", "9")
    shop = msgspec.json.decode(truth, type=KnownShop)
    assert shop == kind_history("small", customers=9)[0]
    assert {json.loads(line)["subject"] for line in events.splitlines()} == {b.id for b in shop.customers}


@pytest.mark.parametrize("option", [["--days", "90"], ["--noise"]])
def test_what_a_kind_fixes_cannot_be_chosen(tmp_path, option):
    words = ["import", "generated", "--kind", "drift", "--out", str(tmp_path / "x.jsonl"), *option]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert f"{option[0]} cannot be used with --kind" in result.output
