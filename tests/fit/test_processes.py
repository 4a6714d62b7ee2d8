"""Fits against published numbers, gradients against finite differences, and fits that must warn."""

import csv

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from stream.fit.purchases.histogram import Histogram, histogram
from stream.fit.purchases.processes import UnfitError, _negative_log_likelihood, fit_process, likelier_process
from stream.fit.purchases.shifted_beta_geometric import (
    fit_retention,
    lifetime_periods,
    retention_rate,
    simple_lifetime,
    survival,
)
from stream.fit.purchases.spending import fit_spend
from stream.importing.datasets import cdnow
from tests.support.pareto import fit_pareto


def published(name):
    """A summary file of the package that CDNOW comes with."""
    try:
        return list(csv.DictReader(cdnow._read_text(name, None).splitlines()))
    except Exception as error:
        pytest.skip(f"CDNOW is not at hand: {error}")


def simulated(customers, seed, r=0.6, alpha=6.0, a=0.8, b=2.0, weeks=40.0):
    """MBG/NBD customers, first purchase within the first twelve weeks."""
    chance = np.random.default_rng(seed)
    rows = []
    for _ in range(customers):
        rate, leaves = chance.gamma(r) / alpha, chance.beta(a, b)
        age, at, x = weeks - chance.uniform(0, 12), 0.0, 0
        while chance.uniform() >= leaves:
            later = at + chance.exponential(1 / rate)
            if later > age:
                break
            at, x = later, x + 1
        rows.append((x, at, age))
    counts, recencies, ages = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return histogram(counts, recencies, ages)


SAMPLE = simulated(2_000, 1)


@pytest.mark.data
def test_the_published_one_in_ten_gives_the_published_parameters():
    rows = published("cdnow_customers_summary.csv")
    x, t_x, ages = (np.array([float(row[key]) for row in rows]) for key in ("frequency", "recency", "T"))
    cells = histogram(x, t_x, ages)

    bgnbd, mbgnbd = fit_process(cells, "bgnbd"), fit_process(cells, "mbgnbd")

    assert bgnbd.log_likelihood == pytest.approx(-9582.4256, abs=5e-5)
    assert mbgnbd.log_likelihood == pytest.approx(-9582.1327, abs=5e-5)
    found = bgnbd.process
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx(
        (0.2426, 4.4135, 0.7929, 2.4257), rel=1e-4
    )
    found = mbgnbd.process
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx(
        (0.5248, 6.1830, 0.8914, 1.6140), rel=1e-4
    )
    assert likelier_process(cells).process.kind == "mbgnbd"
    assert bgnbd.notes == mbgnbd.notes == ()
    assert fit_pareto(cells)[1] == pytest.approx(-9594.974, abs=2e-3)


@pytest.mark.data
def test_the_published_spend_gives_the_published_gamma_gamma():
    rows = published("cdnow_customers_summary_with_transactions.csv")
    x, mean = (np.array([float(row[name]) for row in rows]) for name in ("x", "zbar"))

    spend = fit_spend(x, mean).spend

    assert (spend.p, spend.q, spend.v) == pytest.approx((6.249, 3.745, 15.448), abs=1e-3)


@pytest.mark.parametrize("kind", ["bgnbd", "mbgnbd"])
@pytest.mark.parametrize("logs", [(-0.5, 1.5, -0.2, 0.7), (1.0, 3.0, -4.0, 2.0)])
def test_gradients_are_those_of_the_likelihood(kind, logs):
    point = np.array(logs)

    numeric = approx_fprime(point, lambda at: _negative_log_likelihood(at, SAMPLE, kind)[0], 1e-6)

    assert _negative_log_likelihood(point, SAMPLE, kind)[1] == pytest.approx(numeric, rel=1e-3, abs=0.05)


def test_planted_parameters_are_recovered():
    fit = fit_process(simulated(6_000, 4), "mbgnbd")

    assert fit.process.r / fit.process.alpha == pytest.approx(0.1, rel=0.15)
    assert fit.process.a / (fit.process.a + fit.process.b) == pytest.approx(0.8 / 2.8, rel=0.15)
    assert fit.notes == ()


def test_a_small_sample_says_so_and_stays_sane():
    fit = likelier_process(simulated(60, 2))

    assert "leans on a weak prior" in fit.notes[0]
    assert 0.02 < fit.process.r / fit.process.alpha < 0.5


def test_customers_who_never_leave_give_a_degenerate_fit_with_a_note():
    fit = fit_process(simulated(1_500, 3, r=4.0, alpha=4.0, a=1e-4, b=10.0), "mbgnbd")

    assert fit.degenerate
    assert any("Nobody is seen to leave" in note for note in fit.notes)


def test_nothing_to_fit_is_an_error_with_its_reason():
    lonely = Histogram(np.zeros(1), np.zeros(1), np.ones(1), np.array([40.0]))

    with pytest.raises(UnfitError, match="none of 40 customers"):
        fit_process(lonely, "bgnbd")


def test_counting_customers_in_cells_changes_no_fit():
    whole = fit_process(SAMPLE, "bgnbd")
    rows = np.repeat(np.column_stack([SAMPLE.x, SAMPLE.t_x, SAMPLE.T]), SAMPLE.customers.astype(int), axis=0)
    unfolded = Histogram(rows[:, 0], rows[:, 1], rows[:, 2], np.ones(len(rows)))

    assert fit_process(unfolded, "bgnbd").log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-6)


@pytest.mark.parametrize(
    ("survivors", "alpha", "beta", "likelihood", "lifetime", "year_12"),
    [
        ([1000, 631, 468, 382, 326, 289, 262, 241], 0.7041, 1.1820, -1680.27, 3.695, 0.1700),
        ([1000, 869, 743, 653, 593, 551, 517, 491], 0.6681, 3.8061, -1611.16, 5.923, 0.3780),
    ],
)
def test_published_retention(survivors, alpha, beta, likelihood, lifetime, year_12):
    fit = fit_retention(np.array(survivors, dtype=float))

    assert (fit.retention.alpha, fit.retention.beta) == pytest.approx((alpha, beta), abs=1e-4)
    assert fit.log_likelihood == pytest.approx(likelihood, abs=5e-3)
    assert lifetime_periods(fit.retention, 0.10) == pytest.approx(lifetime, abs=2e-3)
    assert survival(fit.retention, 12)[12] == pytest.approx(year_12, abs=1e-4)
    assert retention_rate(fit.retention, 1) < retention_rate(fit.retention, 2)


def test_the_simple_lifetime_is_infinite_when_nobody_left():
    assert simple_lifetime(0.8) == pytest.approx(5.0)
    assert simple_lifetime(1.0) == float("inf")


def test_the_spend_of_few_buyers_has_their_level_and_a_general_spread():
    fit = fit_spend(np.array([1.0, 2.0]), np.array([40.0, 60.0]))

    assert "Only 2 repeat buyers" in fit.notes[0]
    assert fit.spend.p * fit.spend.v / (fit.spend.q - 1) == pytest.approx(50.0)
