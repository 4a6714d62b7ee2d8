"""The backtest as text, for somebody who knows the shop and no model: every number says what it is of."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

SCORES = {
    "recency": "days since last purchase",
    "frequency": "number of purchases",
    "rfm": "recency, frequency, money",
}
KINDS = {
    "churn_risk": "likely to leave",
    "at_risk_loyal": "loyal, at risk",
    "upgrade_opportunity": "ready for more",
}
COLUMNS = 100
FEW = 30
"""Fewer judged alerts than this say little."""


def in_words(numbers: Mapping[str, Any]) -> str:
    """The whole answer; lines fit 110 columns."""
    return "\n".join(
        [*_question(numbers), "", *_scores(numbers), "", *_alerts(numbers), "", *_notes(numbers)]
    )


def _question(numbers: Mapping[str, Any]) -> list[str]:
    weeks = f"{numbers['horizon_weeks']:g} weeks"
    lost = round(numbers["n"] * numbers["churn_rate"])
    return [
        f"{numbers['n']:,} customers, judged by what was known at the end of {numbers['split']}.",
        f"Lost means here: bought nothing in the {weeks} after it, as {lost:,} of them did "
        f"({numbers['churn_rate']:.1%}). ({numbers['seconds']:.1f} s)",
    ]


def _scores(numbers: Mapping[str, Any]) -> list[str]:
    risk, rate = numbers["risk"], numbers["churn_rate"]
    lines = [
        f"{'Who will be lost?':<34}{'ranking (AUC)':>14}{'error (Brier)':>15}",
        _score("churn risk, as learnt", risk["auc"], risk["brier"]),
        _score("purchase habits alone (P active)", numbers["p_active"]["auc"], numbers["p_active"]["brier"]),
        *(_score(f"{SCORES[name]} *", one["auc"], one["brier_binned"])
          for name, one in numbers["baselines"].items()),
        "  ranking: how often, of one lost customer and one who stayed, the lost one had the higher score;",
        "           0.5 is a coin, 1 is perfect.",
        "  error:   mean squared distance of the chance said from what happened; 0 is perfect, and saying",
        f"           {rate:.1%} of everybody gives {rate * (1 - rate):.4f}.",
        "  *        simple rules; for their error they were told the true rates, which no forecast knows.",
        f"On average a risk of {numbers['mean_risk']:.1%} was said and {rate:.1%} were lost; over tenths of",
        f"the customers what was said is {100 * risk['ece']:.1f} percentage points off.",
    ]  # fmt: skip
    if risk["lift10"] is not None:
        lines.append(f"The tenth with the highest risk was lost {risk['lift10']:.1f} times as often as all.")
    return lines


def _alerts(numbers: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{'Alerts in that time':<22}{'raised':>8}{'judged':>8}{'right':>7}{'found':>7}{'days early':>12}"
        f"{'per 1,000 customers and week':>30}"
    ]
    for kind, row in numbers["alerts"].items():
        lines.append(
            f"{KINDS[kind]:<22}{row['n']:>8,}{row['decided']:>8,}{_share(row['precision']):>7}{_share(row['recall']):>7}"
            f"{_days(row['median_lead_days']):>12}{row['per_1000_customers_and_week']:>30.2f}"
        )
    weeks = f"{numbers['horizon_weeks']:g} weeks"
    lines += [
        f"  judged: those whose {weeks} were over by the last event. right: nothing was bought in them",
        "          (ready for more: the next value tier was reached). found: of the lost customers whom the",
        f"          rule may speak of, those alerted. days early: before the rule 'nothing for {weeks}'.",
    ]
    return lines + [line for sentence in sureness(numbers) for line in wrap(sentence, COLUMNS)]


def sureness(numbers: Mapping[str, Any]) -> list[str]:
    """How right churn alerts were, against chance and against what was asked for; nothing is rounded up."""
    row, wished = numbers["alerts"]["churn_risk"], numbers["wished_precision"]
    said = []
    if numbers["thresholds"] is not None:
        level = numbers["thresholds"]
        said.append(f"Alerts are raised at a risk of {level['raise_at']:.0%}. {level['learnt']}")
    if not row["decided"]:
        return [*said, "No churn alert can be judged: none was raised early enough to see what followed."]
    low, high = row["precision_90"]
    said.append(
        f"Of {row['decided']:,} judged churn alerts {row['right']:,} were right, {row['precision']:.0%}"
        + (f" (so few say only: {low:.0%} to {high:.0%})" if row["decided"] < FEW else "")
        + (
            f"; of all customers the rule may speak of {row['churn_rate_of_eligible']:.1%} were lost."
            if row["churn_rate_of_eligible"] is not None
            else "."
        )
    )
    if wished is not None and row["precision"] < wished:
        surely = "below" if high < wished else "below, though within chance of,"
        said.append(
            f"That is {surely} the {wished:.0%} that were asked for. Ask for less (--precision), or for as "
            "many alerts as can be looked at (--budget)."
        )
    return said


def _notes(numbers: Mapping[str, Any]) -> list[str]:
    notes = []
    if numbers["held_days"]:
        notes.append(
            f"nobody at all was seen to buy in the last {numbers['held_days']:.1f} days of the time; no "
            "churn was judged there, as in a worker whose source of purchases has stalled."
        )
    return [f"note: {note}" for note in (*notes, *numbers["model"]["notes"])]


def _score(name: str, auc: float | None, brier: float) -> str:
    return f"{name:<34}{'-' if auc is None else f'{auc:.4f}':>14}{brier:>15.4f}"


def _days(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
