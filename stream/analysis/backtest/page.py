"""The backtest as one HTML file: plots drawn by hand as SVG, words for somebody who never heard of BG/NBD."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from stream.analysis.backtest.backtest import Answer
from stream.analysis.backtest.summary import sureness
from stream.look.html import html_document, html_table, percent
from stream.look.svg import Curve, plot

NAMES = {
    "risk": "churn risk",
    "recency": "days since last purchase",
    "frequency": "number of purchases",
    "rfm": "RFM ranks together",
    "churn_risk": "Churn risk",
    "at_risk_loyal": "At-risk loyal customer",
    "upgrade_opportunity": "Upgrade opportunity",
}


def backtest_page(numbers: Mapping[str, Any], answer: Answer) -> str:
    """The whole document."""
    weeks = f"{numbers['horizon_weeks']:g} weeks"
    parts = [
        "<h1>Would the alerts have been right?</h1>",
        f"<p>The system learnt from everything up to the split and then had to say who would buy nothing in the "
        f"following <b>{weeks}</b> (after {numbers['split']}). What customers then did is known. There were "
        f"<b>{numbers['n']:,} customers</b>; <b>{numbers['churn_rate']:.1%}</b> of them bought nothing in that time.</p>",
        "<h2>Does it find the right customers?</h2>",
        _ranking(numbers, answer),
        "<h2>Can the percentages be believed?</h2>",
        _calibration(numbers, answer, weeks),
        "<h2>The alerts</h2>",
        _alerts(numbers, weeks),
    ]
    if "against" in numbers:
        parts.append(_comparison(numbers["against"]))
    parts += ["<h2>What was learnt</h2>", _model(numbers, answer)]
    return html_document("Backtest", parts)


def _ranking(numbers: Mapping[str, Any], answer: Answer) -> str:
    curves = [Curve(NAMES[name], points, strong=name == "risk") for name, points in answer.curves.items()]
    rows = [("churn risk", numbers["risk"]["auc"], numbers["risk"]["brier"])]
    rows += [
        (NAMES[name] + " alone", one["auc"], one["brier_binned"])
        for name, one in numbers["baselines"].items()
    ]
    lift = numbers["risk"]["lift10"]
    said = (
        f"Among the tenth with the highest risk, churn was <b>{lift:.1f} times</b> the average. "
        if lift
        else ""
    )
    return (
        f"<p>{said}Looking at customers from the riskiest down, the line shows the share of all lost customers found. "
        "The simple rules that everybody has (days since the last purchase, number of purchases, RFM) are drawn thin."
        "</p>"
        + plot(curves, "share of customers looked at", "share of lost customers found")
        + html_table(
            ("score", "AUC", "Brier"),
            [(name, _number(auc), f"{brier:.4f}") for name, auc, brier in rows],
        )
        + "<small>AUC: the chance that a lost customer gets a higher score than one who stayed; 0.5 is a coin, 1 "
        "perfect. Brier: mean squared error of the probability, 0 perfect; the simple rules were given the true "
        f"rates of their tenths, which no model gets. 90% interval of the AUC: {_interval(numbers)}.</small>"
    )


def _calibration(numbers: Mapping[str, Any], answer: Answer, weeks: str) -> str:
    points = [(said, seen) for said, seen, _ in answer.calibration]
    rows = [(f"{said:.1%}", f"{seen:.1%}", f"{count:,}") for said, seen, count in answer.calibration]
    curves = [
        Curve("what happened", points, strong=True, dots=True),
        Curve("perfect", [(0.0, 0.0), (1.0, 1.0)]),
    ]
    return (
        f"<p>Customers in ten groups by the risk that was said. If it said 30%, then 30% should have bought nothing "
        f"in {weeks}. On average it was off by <b>{numbers['risk']['ece']:.1%}</b>.</p>"
        + plot(curves, "risk said", "share that bought nothing")
        + html_table(("risk said", "happened", "customers"), rows)
    )


def _alerts(numbers: Mapping[str, Any], weeks: str) -> str:
    rows = [
        (
            NAMES[kind], f"{one['n']:,}", f"{one['decided']:,}", _likely(one), percent(one["recall"]),
            _number(one["median_lead_days"], 0), percent(one.get("value_caught_share")),
            f"{one['per_1000_customers_and_week']:.2f}",
        )
        for kind, one in numbers["alerts"].items()
    ]  # fmt: skip
    return (
        html_table(
            (
                "alert",
                "raised",
                "judged",
                "were right (90% interval)",
                "of the lost found",
                "days early",
                "value caught",
                "per 1,000 customers and week",
            ),
            rows,
        )
        + f"<small>Right: no purchase in the {weeks} after the alert (for an upgrade: the next tier was reached). "
        f"Judged: those whose {weeks} were over by the last event. Of the lost found: share of the lost customers whom "
        "the rule may speak of that were alerted. Days early: before the "
        f"plain rule “nothing for {weeks}” would have noticed. Value caught: share of the lost customers' spending of "
        "late.</small>" + "".join(f"<p>{escape(sentence)}</p>" for sentence in sureness(numbers))
    )


def _comparison(against: Mapping[str, Any]) -> str:
    rows = [
        (
            NAMES.get(kind, kind), f"{one['both']:,}", f"{len(one['only_policy']):,}",
            f"{len(one['only_against']):,}", ", ".join(one["only_against"][:8]),
        )
        for kind, one in against["customers"].items()
    ]  # fmt: skip
    return f"<h2>Against policy {escape(against['policy'])}</h2>" + html_table(
        ("alert", "alerted by both", "only by the first", "only by the second", "for example"), rows
    )


def _model(numbers: Mapping[str, Any], answer: Answer) -> str:
    model = answer.model
    words = []
    if model.risk is not None:
        words.append(model.risk.learnt)
    process = model.process
    words.append(
        f"For who knows the models: purchase process {process.kind.upper()}, r {process.r:.4g}, alpha {process.alpha:.4g} weeks, "
        f"a {process.a:.4g}, b {process.b:.4g}. Spend: p {model.spend.p:.4g}, q {model.spend.q:.4g}, "
        f"v {model.spend.v:.4g}. Model {model.version}."
    )
    text = "".join(f"<p>{escape(word)}</p>" for word in words)
    return text + "".join(f"<p class=note>{escape(note)}</p>" for note in numbers["model"]["notes"])


def _likely(one: Mapping[str, Any]) -> str:
    if one["precision_90"] is None:
        return "–"
    low, high = one["precision_90"]
    return f"{one['precision']:.0%} ({low:.0%} to {high:.0%})"


def _interval(numbers: Mapping[str, Any]) -> str:
    bounds = numbers["intervals_90"]["auc"]
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else "none"


def _number(value: float | None, digits: int = 4) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
