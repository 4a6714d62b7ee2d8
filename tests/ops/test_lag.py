"""How `stream doctor` judges a large lag: workers that commit in steps, and workers in trouble."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.ops.doctor.group import judge_trend
from stream.ops.doctor.lag import LAG_MAX, PATIENCE_S, LagTrend, measure_trend

MINUTE_S = 60.0


class Shop:
    """Events arrive and are read at steady rates; the offset of each partition is committed once per step."""

    def __init__(
        self,
        came: float,
        read: float,
        *,
        backlog: int = 0,
        partitions: int = 4,
        step_s: float = 5.0,
        at_s: float = 0.0,
    ) -> None:
        self.came, self.read, self.backlog = came / partitions, read / partitions, backlog // partitions
        self.partitions, self.step_s, self.now_s, self.began_s = (
            partitions,
            step_s,
            at_s,
            at_s,
        )

    def look(self):
        ends, committed = {}, {}
        for number in range(self.partitions):
            lag_s = number * self.step_s / self.partitions
            step_s = max(0.0, (self.now_s - lag_s) // self.step_s * self.step_s + lag_s)
            end = round(self.backlog + self.came * self.now_s)
            ends["purchases", number] = (0, end)
            committed["purchases", number] = min(
                round(self.read * step_s), round(self.backlog + self.came * step_s)
            )
        return ends, committed

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def trend(self) -> LagTrend | None:
        ends, committed = self.look()
        return measure_trend(
            ends, committed, self.look, self.step_s, clock=lambda: self.now_s, sleep=self.sleep
        )

    def level(self) -> str:
        trend = self.trend()
        return "ok" if trend is None else judge_trend(trend).level


RATES = st.integers(20_001, 200_000)
WHEN = st.floats(MINUTE_S, 2 * MINUTE_S)
PARTITIONS = st.sampled_from([1, 2, 3, 4, 12, 60])
STEPS = st.sampled_from([0.5, 5.0, 12.0, 60.0])


@given(RATES, WHEN, PARTITIONS, STEPS)
def test_workers_that_keep_up_are_ok_however_fast_events_arrive(rate, when, partitions, step_s):
    assert Shop(rate, rate, partitions=partitions, step_s=step_s, at_s=when).level() == "ok"


def test_workers_keep_up_at_twenty_thousand_events_a_second():
    trend = Shop(21_000, 21_000, partitions=1, at_s=64.9).trend()

    assert trend is not None
    assert trend.keeps_up


@given(RATES, WHEN, PARTITIONS, STEPS)
def test_a_backlog_that_grows_is_a_fault(rate, when, partitions, step_s):
    shop = Shop(rate, rate * 0.6, backlog=100 * rate, partitions=partitions, step_s=step_s, at_s=when)

    assert shop.level() == "fault"


@given(RATES, WHEN, PARTITIONS, STEPS)
def test_a_backlog_that_shrinks_is_a_note(rate, when, partitions, step_s):
    shop = Shop(rate * 0.6, rate, backlog=400 * rate, partitions=partitions, step_s=step_s, at_s=when)

    assert shop.level() == "note"


@given(st.integers(0, 50_000), WHEN, PARTITIONS)
def test_what_nobody_reads_is_a_fault(rate, when, partitions):
    shop = Shop(rate, 0, backlog=10 * LAG_MAX, partitions=partitions, at_s=when)

    trend = shop.trend()

    assert trend is not None
    assert (trend.read, judge_trend(trend).level) == (0, "fault")
    assert PATIENCE_S <= trend.seconds < PATIENCE_S + 2


@pytest.mark.parametrize("waiting", [0, LAG_MAX])
def test_a_small_lag_is_not_measured(waiting):
    assert Shop(0, 0, backlog=waiting, partitions=1).trend() is None
