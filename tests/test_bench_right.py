"""The table of `python -m bench right`: who knows what, and when a difference counts as a loss."""

from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pytest

from bench.right import promise
from bench.right.gathered import gathered
from bench.right.logs import Folded, Log, LogUnavailableError, Split, complete_look_ms, logs, splits_of
from bench.right.row import Loss, known_at, row_of
from bench.right.table import line
from stream.analysis.backtest.judged import jeffreys_interval
from stream.analysis.fit_recording import horizon_of
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.history import read_history
from stream.fit.model_fit import snapshot_days
from tests.support.builders import at, bought
from tests.support.narrow import not_none

SPLIT = Split(at(240) // DAY_MS * DAY_MS, 8 * WEEK_MS)


@pytest.fixture(scope="module")
def folded():
    """80 customers of two gaps; the even ones stop on day 150."""
    lives = [
        [
            bought(day, customer=f"c{n}", order=f"{n}-{day}")
            for day in range(n % 20, 300 if n % 2 else 150, 7 + n % 9)
        ]
        for n in range(80)
    ]
    events = sorted(chain.from_iterable(lives), key=lambda event: event.time_ms)
    first_ms = at(0) // DAY_MS * DAY_MS
    days = {*snapshot_days(first_ms, SPLIT.day_ms, horizon_of(SPLIT.horizon_ms)), complete_look_ms(SPLIT)}
    return Folded(read_history(events, sorted(days), Policy()), (SPLIT,))


def test_a_loss_counts_beyond_the_margin_and_chance_alone():
    assert Loss("bins", 0.003, 0.001, 0.005).is_one
    assert not Loss("bins", 0.003, -0.001, 0.007).is_one
    assert not Loss("bins", 0.001, 0.0005, 0.0015).is_one


def test_nothing_after_the_split_is_known(folded):
    known = known_at(folded.history, SPLIT)

    assert max(max(orders.values()) for orders in known.orders.values()) < SPLIT.day_ms + DAY_MS
    assert max(known.snapshots) == SPLIT.day_ms


def test_a_row_compares_the_product_with_each_rival(folded):
    row = row_of("made up", folded, SPLIT)

    assert row.customers == 80
    assert row.rate == pytest.approx(0.5, abs=0.03)
    assert set(row.brier) == {"product", "process", "constant", "bins"}
    assert None not in row.brier.values()
    assert row.lost_brier.low <= row.lost_brier.difference <= row.lost_brier.high
    assert line(row).startswith("| made up | ")


def test_every_public_log_and_kind_has_two_splits_at_least():
    assert all(len(log.splits) >= 2 for log in logs((), ()))
    assert [log.name for log in logs(("ONE IN",), ())] == ["CDNOW, one in ten"]


def test_an_unknown_log_gets_two_looks_that_its_data_cover(folded):
    coverage = folded.history.coverage
    earlier, later = splits_of(coverage)

    assert later.day_ms - earlier.day_ms == earlier.horizon_ms
    assert later.day_ms + DAY_MS + later.horizon_ms <= coverage.end_ms
    assert datetime.fromtimestamp(later.day_ms / 1_000, UTC).hour == 0


def _kept(promised, right, judged=100, log="a"):
    low, high = not_none(jeffreys_interval(right, judged, 0.95))
    return promise.Kept(
        log, "2024-01-01", 8.0, None, "churn_risk", 0.5, promised, judged, judged, right, low, high
    )


def test_a_promise_is_kept_within_the_interval_of_few_alerts_and_within_points_of_many():
    assert _kept(0.6, 52).is_kept
    assert not _kept(0.6, 45).is_kept
    assert _kept(0.6, 5_650, judged=10_000).is_kept
    assert not _kept(0.6, 5_550, judged=10_000).is_kept


def test_pooled_figures_weigh_alerts_or_logs_alike():
    rows = [_kept(0.5, 50), _kept(0.7, 630, judged=900, log="b")]

    found = promise.pooled(rows)

    assert found["promised"] == pytest.approx(0.68)
    assert found["right"] == pytest.approx(0.68)
    assert found["promised_by_log"] == pytest.approx(0.6)
    assert "1,000 judged alerts of 2 rows" in promise.pooled_line("churn_risk", found)
    assert promise.line(rows[0]).endswith("| yes |")
    assert promise.log_lines(rows) == [
        "| a | churn risk | 100 | 50.0% | 50.0% | 1 of 1 |",
        "| b | churn risk | 900 | 70.0% | 70.0% | 1 of 1 |",
    ]


def _letters(log):
    if log.name == "no":
        raise LogUnavailableError("nowhere")
    return [f"{log.name}{number}" for number in range(2)]


def test_rows_come_in_the_order_of_the_logs_and_a_log_that_is_not_here_is_named():
    shown: list[str] = []
    chosen = [Log(name, Path(name)) for name in ("b", "no", "a")]

    rows, missing = gathered(chosen, _letters, str.upper, 2, shown.append)

    assert rows == ["b0", "b1", "a0", "a1"]
    assert missing == {"no": "nowhere"}
    assert sorted(shown[:-1]) == ["A0\nA1", "B0\nB1"]
    assert shown[-1] == "no: not here (nowhere)"
