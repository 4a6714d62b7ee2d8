"""Maximum-likelihood fits of BG/NBD and MBG/NBD to a histogram, with exact gradients.

BG/NBD: Fader, Hardie and Lee (2005), "Counting your customers" the easy way, Marketing Science 24(2), eq. 6.
MBG/NBD: Batislam, Denizel and Filiztekin (2007), Int. J. of Research in Marketing 24(3): a customer may also
leave right after the first purchase. A fit to few customers uses a weak prior, and every doubt is a note.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, expit, gammaln, psi

from stream.core.model.record import PurchaseProcess
from stream.core.units import WEEK_MS
from stream.fit.arrays import Numbers
from stream.fit.purchases.histogram import Histogram

Kind = Literal["bgnbd", "mbgnbd"]

PARAMETER_BOUND = 9.2
"""Bound of |log parameter|: parameters from 0.0001 to 10,000."""
SMALL_SAMPLE = 300
"""With fewer repeat buyers than this, a weak prior is added to the likelihood."""
LEAVING_MIN = 0.005
"""Mean probability to leave after a purchase, a / (a + b), below which the history shows nobody leaving."""
PRIOR_LOGS = {"bgnbd": (-1.4, -0.3, 0.8), "mbgnbd": (-0.5, -0.2, 0.3)}
"""Prior means of log r, log a and log b, as fitted to CDNOW; that of alpha follows from the pace."""
PRIOR_SPREAD = 1.5
"""Standard deviation of the prior, in logs: a factor of 4.5 either way."""


class UnfitError(ValueError):
    """There is nothing to fit to; the message says what is missing."""


@dataclass(frozen=True)
class ProcessFit:
    """A fitted process, its log-likelihood as in the papers, and notes for the user."""

    process: PurchaseProcess
    log_likelihood: float
    notes: tuple[str, ...] = ()

    @property
    def degenerate(self) -> bool:
        """Whether nobody is seen to leave: then P(alive) is useless, P(active) is not."""
        return self.process.a / (self.process.a + self.process.b) < LEAVING_MIN


def fit_process(cells: Histogram, kind: Kind, unit_ms: int = WEEK_MS) -> ProcessFit:
    """The most likely parameters; the search runs on times divided by the customers' mean age."""
    if cells.repeaters < 1:
        raise UnfitError(f"none of {cells.total} customers bought on two different days: nothing to fit")
    scale = float(np.average(cells.T, weights=cells.customers)) or 1.0
    scaled = Histogram(cells.x, cells.t_x / scale, cells.T / scale, cells.customers)
    prior = _prior(scaled, kind) if cells.repeaters < SMALL_SAMPLE else None

    def objective(logs: Numbers) -> tuple[float, Numbers]:
        value, gradient = _negative_log_likelihood(logs, scaled, kind)
        if prior is not None:
            distance = (logs - prior) / PRIOR_SPREAD
            value += 0.5 * float(distance @ distance)
            gradient = gradient + distance / PRIOR_SPREAD
        return value, gradient

    best = min((_search(objective, start) for start in _starts(scaled)), key=lambda found: float(found[1]))
    r, alpha, a, b = (float(parameter) for parameter in np.exp(best[0]))
    process = PurchaseProcess(kind=kind, r=r, alpha=alpha * scale, a=a, b=b, unit_ms=unit_ms)
    return ProcessFit(process, log_likelihood(process, cells), _notes(process, cells, best[0]))


def likelier_process(cells: Histogram, unit_ms: int = WEEK_MS) -> ProcessFit:
    """The process with the higher likelihood; a degenerate one only if both are."""
    fits = [fit_process(cells, kind, unit_ms) for kind in ("mbgnbd", "bgnbd")]
    sound = [fit for fit in fits if not fit.degenerate] or fits
    return max(sound, key=lambda fit: fit.log_likelihood)


def log_likelihood(process: PurchaseProcess, cells: Histogram) -> float:
    """The log-likelihood of the cells, without the constants that the papers leave out."""
    logs = np.log([process.r, process.alpha, process.a, process.b])
    return -_negative_log_likelihood(logs, cells, process.kind)[0]


def _negative_log_likelihood(logs: Numbers, cells: Histogram, kind: Kind) -> tuple[float, Numbers]:
    """Minus the log-likelihood, and its gradient with respect to the logs of (r, alpha, a, b), shape (4,)."""
    r, alpha, a, b = np.exp(logs)
    x, t_x, T, n = cells.x, cells.t_x, cells.T, cells.customers
    first = 1.0 if kind == "mbgnbd" else 0.0  # in MBG a customer may leave right after the first purchase
    few, places = cells.different_x  # special functions are dear, and depend on x alone
    bought, remained = r + few, b + few + first
    stays = remained[places]
    log_age, log_last = np.log(alpha + T), np.log(alpha + t_x)
    with np.errstate(divide="ignore"):
        can_leave = np.where((x > 0) | (first > 0), a / np.where(stays > 1.0, stays - 1.0, 1.0), 0.0)
        dead_odds = np.log(can_leave) + (r + x) * (log_age - log_last)
    dead = expit(dead_odds)
    each = (
        gammaln(bought)[places] - gammaln(r) + r * logs[1] + betaln(a, remained)[places] - betaln(a, b)
        - (r + x) * log_age + np.logaddexp(0.0, dead_odds)
    )  # fmt: skip
    by_r = psi(bought)[places] - psi(r) + logs[1] - log_age + dead * (log_age - log_last)
    by_alpha = r / alpha - (r + x) * ((1.0 - dead) / (alpha + T) + dead / (alpha + t_x))
    total = psi(a + remained)[places] - psi(a + b)
    by_a = psi(a) - total - psi(a) + dead / a
    by_b = psi(remained)[places] - total - psi(b) - dead / np.where(stays > 1.0, stays - 1.0, np.inf)
    gradient = np.array([n @ by_r * r, n @ by_alpha * alpha, n @ by_a * a, n @ by_b * b])
    return -float(n @ each), -gradient


def _search(objective: object, start: Numbers) -> tuple[Numbers, float]:
    bounds = [(-PARAMETER_BOUND, PARAMETER_BOUND)] * 4
    options = {"maxiter": 500, "ftol": 1e-13, "gtol": 1e-7}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return found.x, float(found.fun)


def _starts(scaled: Histogram) -> list[Numbers]:
    pace = _pace(scaled)
    return [
        np.array([np.log(shape), np.log(shape / pace), np.log(a), np.log(b)])
        for shape, a, b in ((0.5, 0.8, 2.0), (2.0, 0.2, 2.0))
    ]


def _pace(scaled: Histogram) -> float:
    """Repeat purchases per unit of time."""
    n = scaled.customers
    return max(float(n @ scaled.x) / max(float(n @ scaled.T), 1e-9), 1e-3)


def _prior(scaled: Histogram, kind: Kind) -> Numbers:
    r, a, b = PRIOR_LOGS[kind]
    return np.array([r, r - np.log(_pace(scaled)), a, b])


def _notes(process: PurchaseProcess, cells: Histogram, logs: Numbers) -> tuple[str, ...]:
    notes = []
    if cells.repeaters < SMALL_SAMPLE:
        some = cells.repeaters < cells.total
        who = f"Only {cells.repeaters} of {cells.total} customers" if some else f"All {cells.total} customers"
        notes.append(
            f"{who} bought again, and {SMALL_SAMPLE} are needed: the fit leans on a weak prior from another "
            "shop."
        )
    if ProcessFit(process, 0.0).degenerate:
        notes.append(
            "Nobody is seen to leave for good (mean probability per purchase "
            f"{process.a / (process.a + process.b):.2g}): P(alive) is near 1 for everybody and is not used; "
            "churn risk is the probability of no purchase within the horizon."
        )
    if np.any(np.abs(logs) > PARAMETER_BOUND - 1e-6):
        notes.append("A parameter is at its bound: customers buy nearly alike, or the history is short.")
    return tuple(notes)
