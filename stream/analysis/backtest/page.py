"""The backtest as one HTML file with plots, for a reader who has never heard of BG/NBD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stream.analysis.backtest.backtest import BacktestResult
from stream.analysis.backtest.summary import (
    SCORES,
    baseline_rows,
    none_judged_sentence,
    precision_sentences,
    split_words,
    verdict_sentence,
)
from stream.look.html import Meter, html_document, html_list, html_table, html_text, percent, share_of
from stream.look.svg import Curve, plot
from stream.policy_file.no_price import NO_ALERT_EVER

NAMES = {
    "risk": "churn risk",
    "churn_risk": "Churn risk",
    "at_risk_loyal": "At-risk loyal customer",
    "upgrade_opportunity": "Upgrade opportunity",
}
EXAMPLES_MAX = 8
"""Customers listed as examples of a difference between two policies."""
TRUSTED_TO = 0.05
"""A predicted risk is taken as a share as long as it is off by no more than this on average."""


def backtest_page(numbers: Mapping[str, Any], result: BacktestResult) -> str:
    """The whole document; `numbers` are those of the result and of the command."""
    weeks = f"{numbers['horizon_weeks']:g} weeks"
    parts = [
        "<h1>Would the alerts have been right?</h1>",
        f"<p>The system learnt from everything up to {split_words(numbers)} and then had to predict who would buy nothing in "
        f"the following <b>{weeks}</b>. We know what these customers did in that time. There were "
        f"<b>{numbers['n']:,} customers</b>, and <b>{numbers['churn_rate']:.1%}</b> of them bought nothing: they are "
        "called lost here.</p>",
        html_list(summary_sentences(numbers)),
        "<h2>Does it find the right customers?</h2>",
        _ranking(numbers, result),
        "<h2>Can the percentages be trusted?</h2>",
        _calibration(numbers, result, weeks),
        "<h2>The alerts</h2>",
        _alerts(numbers, weeks),
    ]
    if "against" in numbers:
        parts.append(_comparison(numbers["against"]))
    parts += ["<h2>What was learnt</h2>", _model(numbers, result)]
    return html_document("Backtest", parts)


def summary_sentences(numbers: Mapping[str, Any]) -> list[str]:
    """Up to five sentences: were the alerts right, whom did they find, how early, can risks be trusted."""
    row, risk = numbers["alerts"]["churn_risk"], numbers["risk"]
    if not row["decided"]:
        sentences = [none_judged_sentence(numbers)]
    else:
        sentences = [
            f"{row['right']:,} of {row['decided']:,} judged churn alerts were right ({percent(row['precision'])})."
        ]
    if row["recall"] is not None:
        sentences.append(
            f"{percent(row['recall'])} of the lost customers whom the rule covers had been alerted about."
        )
    if (lead := row["median_lead_days"]) is not None and lead > 0:
        sentences.append(
            f"Half of the right ones came {lead:.0f} days or more before a simple rule would have noticed: "
            "that is the time to act."
        )
    if risk["lift10"] is not None:
        sentences.append(
            f"In the tenth of customers with the highest risk {risk['lift10']:.1f} times as many were lost as overall: "
            "begin with those."
        )
    trusted = (
        "can be taken as it is" if risk["ece"] <= TRUSTED_TO else "says who comes first rather than how many"
    )
    sentences.append(f"A predicted risk was off by {100 * risk['ece']:.1f} points on average: it {trusted}.")
    return sentences


def _ranking(numbers: Mapping[str, Any], result: BacktestResult) -> str:
    names = {**SCORES, "risk": NAMES["risk"]}
    curves = [Curve(names[name], points, strong=name == "risk") for name, points in result.curves.items()]
    rows = [("churn risk", numbers["risk"]["auc"], numbers["risk"]["brier"])]
    rows += baseline_rows(numbers)
    lift = numbers["risk"]["lift10"]
    tenth = (
        f"In the tenth of customers with the highest risk, <b>{lift:.1f} times</b> as many were lost as overall. "
        if lift
        else ""
    )
    return (
        f"<p>{tenth}The plot goes through the customers from the highest risk to the lowest: the line shows the share of "
        "all lost customers found so far. Thin lines are simple rules that need no model: days since the last purchase, "
        "number of purchases, money spent, and the three together (RFM).</p>"
        + plot(curves, "share of customers looked at", "share of lost customers found")
        + html_table(
            ("score", "AUC", "Brier score"),
            [(name, _number(auc), f"{brier:.4f}") for name, auc, brier in rows],
        )
        + f"<p>{html_text(verdict_sentence(numbers))}</p>"
        + "<p><small>AUC: how often a lost customer has a higher score than one who stayed; 0.5 is chance, 1 is perfect. "
        "Brier score: mean squared error of the predicted probability; 0 is perfect. Rules with a * were given the true "
        "rates of tenths of the customers (or of all), which no forecast knows. 90% interval of the AUC of churn risk: "
        f"{_auc_interval(numbers)}.</small></p>"
    )


def _calibration(numbers: Mapping[str, Any], result: BacktestResult, weeks: str) -> str:
    points = [(risk, lost) for risk, lost, _ in result.calibration]
    rows = [
        (f"{risk:.1%}", f"{lost:.1%}", Meter(lost), f"{count:,}") for risk, lost, count in result.calibration
    ]
    curves = [
        Curve("what happened", points, strong=True, dots=True),
        Curve("perfect", [(0.0, 0.0), (1.0, 1.0)]),
    ]
    return (
        f"<p>Customers in ten groups of equal size, from the lowest predicted risk to the highest. Where the prediction is "
        f"30%, 30% should have bought nothing in {weeks}. On average the prediction was off by "
        f"<b>{100 * numbers['risk']['ece']:.1f} points</b>.</p>"
        + plot(curves, "predicted risk", "share that bought nothing")
        + html_table(("predicted risk", "bought nothing", "", "customers"), rows)
    )


def _alerts(numbers: Mapping[str, Any], weeks: str) -> str:
    rows = [
        (
            NAMES[kind], f"{one['n']:,}", f"{one['decided']:,}", _precision(one), percent(one["recall"]),
            _number(one["median_lead_days"], 0), percent(one.get("value_caught_share")),
            f"{one['per_1000_customers_and_week']:.2f}",
        )
        for kind, one in numbers["alerts"].items()
    ]  # fmt: skip
    head = (
        "alert", "raised", "judged", "right (90% interval)", "lost customers found", "days early", "value found",
        "per 1,000 customers and week",
    )  # fmt: skip
    return (
        html_table(head, rows)
        + f"<p><small>Judged: alerts whose {weeks} were over by {numbers['data_end']}, the end of the data. Right: no purchase in the {weeks} after the "
        "alert (for an upgrade: the next tier was reached). Lost customers found: of the lost customers whom the rule "
        "covers, the share that was alerted. Days early: before the simple rule “no purchase for "
        f"{weeks}” would have noticed. Value found: of the recent spending of the lost customers, the share of those who "
        "were alerted.</small></p>"
        + "".join(
            f"<p>{html_text(sentence)}</p>"
            for sentence in precision_sentences(numbers)
            if sentence != none_judged_sentence(numbers)
        )
    )


def _comparison(against: Mapping[str, Any]) -> str:
    rows = [
        (
            NAMES.get(kind, kind), f"{one['both']:,}", f"{len(one['only_policy']):,}",
            f"{len(one['only_against']):,}", ", ".join(one["only_against"][:EXAMPLES_MAX]),
        )
        for kind, one in against["customers"].items()
    ]  # fmt: skip
    head = ("alert", "customers of both", "only of the first", "only of the second", "examples of the last")
    return f"<h2>Compared with policy {html_text(against['policy'])}</h2>" + html_table(head, rows)


def _model(numbers: Mapping[str, Any], result: BacktestResult) -> str:
    model = result.model
    sentences = []
    if model.risk_of:
        sentences.append(model.risk_of)
    if model.risk is not None:
        sentences.append(model.risk.learnt)
    process = model.process
    sentences.append(
        f"For readers who know these models: purchase process {process.kind.upper()}, r {process.r:.4g}, alpha "
        f"{process.alpha:.4g} weeks, a {process.a:.4g}, b {process.b:.4g}. Spend (Gamma-Gamma): p {model.spend.p:.4g}, "
        f"q {model.spend.q:.4g}, v {model.spend.v:.4g}. Model {model.version}."
    )
    text = "".join(f"<p>{html_text(sentence)}</p>" for sentence in sentences)
    return text + "".join(
        f"<p class=note>{html_text(note)}</p>"
        for note in (*numbers["coverage_notes"], *numbers["data_notes"], *numbers["model"]["notes"])
        if note != NO_ALERT_EVER
    )


def _precision(one: Mapping[str, Any]) -> str:
    if one["precision_90"] is None:
        return "–"
    low, high = one["precision_90"]
    return f"{share_of(one['right'], one['decided'])} ({low:.0%} to {high:.0%})"


def _auc_interval(numbers: Mapping[str, Any]) -> str:
    bounds = numbers["intervals_90"]["auc"]
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else "none"


def _number(value: float | None, digits: int = 4) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
