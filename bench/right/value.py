"""Is what customers are said to bring right? Totals and ranges of their value, beside what they then paid.

Each split is a fit to what was known by then, with every customer's own horizon, as `stream fit` makes it.
What is compared is what known customers spend within some weeks: not discounted, and without a margin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from bench.right.gathered import gathered
from bench.right.logs import (
    Log,
    Split,
    events_of,
    history_in,
    kept,
    logs,
    span_in,
    split_at,
)
from stream.analysis.business.payments import PaidOrders
from stream.core.facts.meaning import Meaning
from stream.core.judgement.worth import expected_of
from stream.core.model.record import Horizon, Model
from stream.core.policy.policy import Policy
from stream.core.risk.outlook import Outlook, outlook
from stream.core.units import DAY_MS, WEEK_MS
from stream.core.value.interval import count_tails, value_interval
from stream.core.value.lifetime import Valuation, finite_purchases, valuation
from stream.fit.arrays import Numbers
from stream.fit.coverage import day
from stream.fit.history import History
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.fit.purchases.value_tables import fast_table
from stream.fit.risk.risk_layer import churn_risks
from stream.model_file import default_model
from stream.recording.jobs import jobs_over
from stream.recording.part import Part
from stream.recording.recording import Recording

LOW, HIGH = 0.1, 0.9
WITHIN = (0.75, 0.85)
"""From where to where the share of customers within P10 to P90 should be."""
TOTAL = (0.9, 1.1)
"""The same for a total over the real one."""
OUTSIDE = "**"
"""Around a cell that is not there."""
WHOLE_YEAR = split_at("2023-12-31", 52)
"""One more split of the generated kinds: a year is the default of value at risk."""
HEAD = "| log | split, weeks | customers | purchases | money | within P10 to P90 |\n|---|---|---|---|---|---|"

Paid = dict[str, list[tuple[int, int]]]
"""Customer -> (time, minor units); refunds are negative."""


class ValueRow(NamedTuple):
    """The figures of one split."""

    log: str
    split: str
    weeks: float
    customers: int
    purchases: float
    """Expected purchase days of all customers over the real ones."""
    money: float
    """Their expected money over what they paid."""
    within: float
    """The share of customers who paid from P10 to P90; a tie at nothing is divided as by chance."""


def measured(
    only: Sequence[str], files: Sequence[Path], jobs: int, show: Callable[[str], None]
) -> dict[str, Any]:
    """The rows of the chosen logs; `show` gets the lines of a table."""
    show(HEAD)
    rows, missing = gathered(logs(only, files), rows_of, line, jobs, show)
    return {"rows": [row._asdict() for row in rows], "missing": missing}


def rows_of(log: Log) -> list[ValueRow]:
    """The rows of all splits of a log."""
    rows = []
    for split, history, paid in cases_of(log):
        model = fitted(log.name, history, split)
        rows.append(row_of(log.name, split, model, (history, paid)))
    return rows


def cases_of(log: Log) -> list[tuple[Split, History, Paid]]:
    """Each split of a log with the whole history and what was paid."""
    events = events_of(log)
    span = kept(events, "span", lambda: span_in(events))
    splits = [one for one in log.splits if one.first_by_ms is None or one.horizon_ms > 20 * WEEK_MS]
    if isinstance(log.source, tuple) and "--kind" in log.source:
        splits.append(WHOLE_YEAR)
    days_of = (snapshot_days(span.coverage.first_day_ms, one.day_ms, Horizon()) for one in splits)
    days = sorted({one for days in days_of for one in days})
    history = kept(events, f"{days}", lambda: history_in(events, span.left_out, days))
    paid = kept(events, "what was paid", lambda: _paid(events, span.left_out))
    return [(split, history, paid) for split in splits]


def _paid(events: Path, left_out: frozenset[str]) -> Paid:
    recording = Recording([events])
    recording.left_out = left_out
    with jobs_over(recording, 1) as jobs:
        found: Paid = {}
        for part in jobs.run("reading what was paid", payments):
            found.update(part)
        return found


def payments(part: Part) -> Paid:
    """What each customer of a part paid and got back, in the currency of most customers."""
    paid, meaning = PaidOrders(), Meaning(Policy())
    for event in part.events():
        paid.note(event, meaning.calendar.local_ms(event.time_ms), meaning.money)
    moved = paid.moved()
    most = moved[max(moved, key=lambda code: len(moved[code]))] if moved else {}
    return {customer: [(one.at_ms, one.minor) for one in each] for customer, each in most.items()}


def fitted(name: str, history: History, split: Split) -> Model:
    """The model of what was known at a split, with tables for its horizon."""
    until_ms = split.day_ms + DAY_MS - 1
    orders = {
        customer: {order: at_ms for order, at_ms in orders.items() if at_ms <= until_ms}
        for customer, orders in history.orders.items()
    }
    days = snapshot_days(history.first_ms, split.day_ms, Horizon())
    known = replace(history, orders=orders, snapshots={one: history.snapshots[one] for one in days})
    model = fit_model(known, split.day_ms, FitOptions("right", name, Horizon()), default_model())
    return msgspec.structs.replace(model, tables=(fast_table(model.process, split.horizon_ms, 0.0),))


def row_of(name: str, split: Split, model: Model, later: tuple[History, Paid]) -> ValueRow:
    """What the model says of the customers of a split, beside what came (`later`)."""
    each = worth_of(split, model, later)
    expected, bought, expected_minor, paid_minor, within = each.sum(axis=0)
    return ValueRow(
        name, day(split.day_ms), split.horizon_ms / WEEK_MS, len(each),
        float(expected / bought), float(expected_minor / paid_minor), float(within / len(each)),
    )  # fmt: skip


def worth_of(split: Split, model: Model, later: tuple[History, Paid]) -> Numbers:
    """Of every customer expected and real purchase days, expected and real money, and whether that is within
    the range (0 to 1); shape (customers, 5)."""
    history, paid = later
    snapshot = history.snapshots[split.day_ms].ranked_in(model.currency)
    if split.first_by_ms is not None:
        snapshot = snapshot.only(snapshot.column("first_ms") <= split.first_by_ms)
    rules = valuation(model, split.horizon_ms, 0.0)
    after_ms = split.day_ms + DAY_MS
    until_ms = after_ms + split.horizon_ms
    risks = churn_risks(model, snapshot)
    rows = []
    for customer, one, risk in zip(snapshot.customers, snapshot.features, risks, strict=True):
        chance = None if model.risk is None else 1.0 - float(risk)
        seen = outlook(model, rules, one, snapshot.as_of_ms)
        times = history.orders.get(customer, {}).values()
        got = {at_ms // DAY_MS for at_ms in times if after_ms <= at_ms < until_ms}
        paid_minor = sum(minor for at_ms, minor in paid.get(customer, ()) if after_ms <= at_ms < until_ms)
        rows.append((
            finite_purchases(rules, seen.x, seen.t_x, seen.T, chance, seen.reach),
            len(got),
            expected_of(rules, seen, one.monetary_minor, chance),
            paid_minor,
            _within(rules, seen, one.monetary_minor, chance, paid_minor),
        ))  # fmt: skip
    return np.array(rows)


def _within(
    rules: Valuation, seen: Outlook, mean_minor: float, chance: float | None, paid_minor: int
) -> float:
    """Whether what was paid lies from P10 to P90; of nothing the share of its probability that does."""
    x, t_x, age, reach = seen
    if paid_minor > 0:
        low, high = value_interval(rules, x, t_x, age, mean_minor, chance, (LOW, HIGH), reach)
        return float(low <= paid_minor <= high)
    some = count_tails(rules, x, t_x, age, chance, reach)[0]
    nothing = 1.0 - some
    return max(0.0, min(nothing, HIGH) - LOW) / nothing if nothing > 0.0 else 0.0


def line(row: ValueRow) -> str:
    """A row of the table; what is not where it should be is bold."""
    cells = [
        row.log, f"{row.split}, {row.weeks:g}", f"{row.customers:,}",
        _marked(f"{row.purchases:.2f}", row.purchases, TOTAL),
        _marked(f"{row.money:.2f}", row.money, TOTAL),
        _marked(f"{row.within:.0%}", row.within, WITHIN),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _marked(text: str, value: float, bounds: tuple[float, float]) -> str:
    return text if bounds[0] <= value <= bounds[1] else f"{OUTSIDE}{text}{OUTSIDE}"
