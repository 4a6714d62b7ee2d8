"""The backtest as text for the terminal, for a reader who knows the shop but no statistics."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from stream.policy_file.no_price import NO_ALERT_EVER

SCORES = {
    "recency": "days since last purchase",
    "frequency": "number of purchases",
    "monetary": "money spent",
    "rfm": "recency, frequency, money",
    "p_active": "purchase habits alone (P active)",
    "constant": "the same risk for everybody",
}
"""Baseline -> its words, in text and on the page."""
ALERT_NAMES = {
    "churn_risk": "likely to leave",
    "at_risk_loyal": "loyal, at risk",
    "upgrade_opportunity": "ready for more",
}
COLUMNS = 100
"""Width to which sentences are wrapped."""
FEW = 30
"""With fewer judged alerts than this the interval of their precision is printed too."""


def backtest_text(numbers: Mapping[str, Any]) -> str:
    """The numbers of a BacktestResult as text; tables fit 110 columns."""
    return "\n".join(
        [*_definition(numbers), "", *_scores(numbers), "", *_alerts(numbers), "", *_notes(numbers)]
    )


def _definition(numbers: Mapping[str, Any]) -> list[str]:
    weeks = f"{numbers['horizon_weeks']:g} weeks"
    lost = round(numbers["n"] * numbers["churn_rate"])
    return [
        f"{numbers['n']:,} customers, scored with what was known at the end of {split_words(numbers)}.",
        f"Lost means: no purchase in the {weeks} after that day. {lost:,} of them were lost "
        f"({numbers['churn_rate']:.1%}). ({numbers['seconds']:.1f} s)",
    ]


def split_words(numbers: Mapping[str, Any]) -> str:
    """`2025-06-30`, or `2025-06-30 in Europe/Berlin`: whose day it was."""
    return str(numbers["split"]) + ("" if numbers["zone"] == "UTC" else f" in {numbers['zone']}")


def _scores(numbers: Mapping[str, Any]) -> list[str]:
    risk, rate = numbers["risk"], numbers["churn_rate"]
    lines = [
        f"{'Who will be lost?':<34}{'ranking (AUC)':>14}{'error (Brier)':>15}",
        _score("churn risk, as learnt", risk["auc"], risk["brier"]),
        *(_score(name, auc, brier) for name, auc, brier in baseline_rows(numbers)),
        "  ranking: how often a lost customer has a higher score than one who stayed;",
        "           0.5 is chance, 1 is perfect.",
        "  error:   mean squared difference between the predicted probability and what happened;",
        "           0 is perfect.",
        "  *        simple rules; their error is computed with the true rates, which no forecast knows.",
        *wrap(verdict_sentence(numbers), COLUMNS),
        f"The mean predicted risk was {numbers['mean_risk']:.1%}, and {rate:.1%} were lost. Over tenths of",
        f"the customers the prediction was off by {100 * risk['ece']:.1f} percentage points on average.",
    ]  # fmt: skip
    lines += wrap(numbers["model"]["risk_of"], COLUMNS)
    if risk["lift10"] is not None:
        times = f"{risk['lift10']:.1f} times"
        lines.append(f"In the tenth with the highest risk {times} as many were lost as overall.")
    return lines


def baseline_rows(numbers: Mapping[str, Any]) -> list[tuple[str, float | None, float]]:
    """Words, AUC and Brier score of each baseline; a `*` marks errors computed with the true rates."""
    return [
        (SCORES[name], one["auc"], one["brier"])
        if "brier" in one
        else (f"{SCORES[name]} *", one["auc"], one["brier_binned"])
        for name, one in numbers["baselines"].items()
    ]


def verdict_sentence(numbers: Mapping[str, Any]) -> str:
    """Whether the risk ranks better than the best of the baselines, which is named."""
    judged = {name: one["auc"] for name, one in numbers["baselines"].items() if one["auc"] is not None}
    ours, gain = numbers["risk"]["auc"], numbers["intervals_90"]["auc_gain"]
    if ours is None or not judged:
        return "Verdict: a ranking cannot be judged where all customers were lost, or none."
    best = max(judged, key=judged.__getitem__)
    than = f"the best baseline, {SCORES[best]} ({ours:.4f} against {judged[best]:.4f}"
    if gain is None:
        return f"Verdict: churn risk and {than}) cannot be told apart."
    low, high = gain
    than += f"; 90% interval of the difference {low:+.4f} to {high:+.4f})"
    if low <= 0.0 <= high:
        return f"Verdict: churn risk ranks no better and no worse than {than}: the difference may be chance."
    return f"Verdict: churn risk ranks {'better' if low > 0.0 else 'worse'} than {than}."


def _alerts(numbers: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{'Alerts in that time':<22}{'raised':>8}{'judged':>8}{'right':>7}{'found':>7}{'days early':>12}"
        f"{'per 1,000 customers and week':>30}"
    ]
    for kind, row in numbers["alerts"].items():
        lead = row["median_lead_days"]
        lines.append(
            f"{ALERT_NAMES[kind]:<22}{row['n']:>8,}{row['decided']:>8,}"
            f"{_share(row['precision']):>7}{_share(row['recall']):>7}"
            f"{'-' if lead is None else f'{lead:.0f}':>12}{row['per_1000_customers_and_week']:>30.2f}"
        )
    weeks = f"{numbers['horizon_weeks']:g} weeks"
    lines += [
        f"  judged: alerts whose {weeks} were over by the end of the data ({numbers['data_end']}).",
        "          right: no purchase in those weeks",
        "          (ready for more: the next value tier was reached). found: share of the lost customers",
        "          covered by the rule who were alerted. days early: compared with the simple rule",
        f"          'no purchase for {weeks}'.",
    ]
    return lines + [line for sentence in precision_sentences(numbers) for line in wrap(sentence, COLUMNS)]


def precision_sentences(numbers: Mapping[str, Any]) -> list[str]:
    """How many churn alerts were right, compared with all customers and with the precision asked for."""
    row, wanted = numbers["alerts"]["churn_risk"], numbers["wished_precision"]
    sentences = []
    if numbers["thresholds"] is not None:
        level = numbers["thresholds"]
        sentences.append(f"Alerts are raised at a risk of {level['raise_at']:.0%}. {level['learnt']}")
    if numbers.get("upgrade_level") is not None:
        sentences.append(
            f"{_started(ALERT_NAMES['upgrade_opportunity'])}: {numbers['upgrade_level']['learnt']}"
        )
    sentences += promise_sentences(numbers["alerts"])
    sentences += more_sentences(numbers["alerts"].get("upgrade_opportunity", {}), numbers["horizon_weeks"])
    if not row["decided"]:
        return [*sentences, none_judged_sentence(numbers)]
    low, high = row["precision_90"]
    sentences.append(
        f"Of {row['decided']:,} judged churn alerts {row['right']:,} were right ({row['precision']:.0%})"
        + (f"; with so few, the true share may be {low:.0%} to {high:.0%}" if row["decided"] < FEW else "")
        + (
            f". Of all customers covered by the rule {row['churn_rate_of_eligible']:.1%} were lost."
            if row["churn_rate_of_eligible"] is not None
            else "."
        )
    )
    if wanted is not None and row["precision"] < wanted:
        chance = "" if high < wanted else ", but the difference may be chance"
        sentences.append(
            f"That is below the {wanted:.0%} that were asked for{chance}. Ask for a lower precision "
            "(--precision), or for as many alerts as your team can handle (--budget)."
        )
    return sentences


def promise_sentences(alerts: Mapping[str, Any]) -> list[str]:
    """What was promised of the alerts of each kind, and what came of them."""
    sentences = []
    for kind, row in alerts.items():
        if row.get("promised") is None or not row["decided"]:
            continue
        low, high = row["precision_95"]
        sentences.append(
            f"{_started(ALERT_NAMES[kind])}: promised {row['promised']:.0%}, got {row['precision']:.0%} "
            f"(95% interval {low:.0%} to {high:.0%}, {row['decided']:,} judged)."
        )
    return sentences


def more_sentences(row: Mapping[str, Any], weeks: float) -> list[str]:
    """How many of those whom an upgrade opportunity was about moved up or spent more, beside like customers
    of whom none was raised; `row` is that of these alerts, and may be of an older version."""
    if row.get("moved_up_or_spent_more") is None:
        return []
    low, high = row["moved_up_or_spent_more_95"]
    more = (
        f"{_started(ALERT_NAMES['upgrade_opportunity'])}: {row['moved_up_or_spent_more']:.0%} reached the "
        f"next tier or spent more in the {weeks:g} weeks after the alert than in those before it (95% "
        f"interval {low:.0%} to {high:.0%}, {row['decided']:,} judged)."
    )
    if not row["like_customers"]:
        return [more]
    likes = (
        f"Of {row['like_customers']:,} customers whom the rule allowed at the split, but of whom no alert "
        f"was raised then, {row['like_customers_moved_up']:.0%} reached the next tier, "
        f"{row['like_customers_moved_up_or_spent_more']:.0%} did that or spent more."
    )
    low, high = (100.0 * one for one in row["more_than_like_customers_95"])
    chance = ", and may be chance" if low <= 0.0 <= high else ""
    return [more, f"{likes} The difference is {low:+.0f} to {high:+.0f} points (95% interval){chance}."]


def _started(words: str) -> str:
    return words[0].upper() + words[1:]


def none_judged_sentence(numbers: Mapping[str, Any]) -> str:
    """Why no churn alert can be judged: none can ever be raised, none was raised, or none early enough."""
    if numbers["alerts"]["churn_risk"]["n"]:
        return "No churn alert can be judged: none was raised early enough to see the outcome."
    if NO_ALERT_EVER in numbers["model"]["notes"]:
        return f"{NO_ALERT_EVER[0].upper()}{NO_ALERT_EVER[1:]}."
    return "No churn alert can be judged: none was raised in that time."


def _notes(numbers: Mapping[str, Any]) -> list[str]:
    notes = []
    if numbers["held_days"]:
        notes.append(
            f"nobody at all bought in the last {numbers['held_days']:.1f} days of this time; churn was not "
            "judged there, as in a worker whose source of purchases has stalled."
        )
    notes += [*numbers["coverage_notes"], *(one for one in numbers["model"]["notes"] if one != NO_ALERT_EVER)]
    return [f"note: {note}" for note in notes]


def _score(name: str, auc: float | None, brier: float) -> str:
    return f"{name:<34}{'-' if auc is None else f'{auc:.4f}':>14}{brier:>15.4f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
