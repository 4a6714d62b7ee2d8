"""What the last readout of an experiment said: does acting on alerts help, for whom, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stream.look.html import html_table, html_text, part_of
from stream.wording.amounts import count, money, with_dates

NAMES = {
    "at_risk_loyal": "Loyal customer at risk",
    "churn_risk": "Likely to leave",
    "upgrade_opportunity": "Ready for the next tier",
}
WORDS = {"helps": "it helps", "hurts": "it hurts", "not known yet": "not known yet"}


def uplift_pane(numbers: Mapping[str, Any]) -> str:
    """The pane, without its heading."""
    trial, people = numbers["experiment"], numbers["customers"]
    intro = (
        f"<p><b>{html_text(with_dates(numbers['headline']))}</b></p><p>Experiment {html_text(trial['salt'])}: "
        f"{trial['share']:.0%} of the customers are held out, nothing about them is sent. "
        f"{count(people['window_over'], 'customer')} of {people['all']:,} have been looked at for "
        f"{numbers['window_days']} days, up to {html_text(with_dates(numbers['as_of'][:10]))}.</p>"
    )
    if not numbers["sample_ratio"]["fits"]:
        return (
            f"{intro}<p class=note>{people['held_out']:,} of {people['all']:,} are held out, which chance "
            "makes less than once in a thousand times: every figure is hidden.</p>"
        )
    groups = [("All alerts", numbers["all"])]
    groups += [(NAMES.get(kind, kind), one) for kind, one in numbers["kinds"].items()]
    groups += [(f"{tier.capitalize()} tier", one) for tier, one in numbers["tiers"].items()]
    head = ("", "does it help", "bought again", "if left alone", "difference", "smallest visible", "money")
    rows = [_row(name, one, numbers["currency"]) for name, one in groups]
    return (
        intro
        + html_table(head, rows)
        + "<p><small>In brackets: the range that holds however often you look. Smallest visible: a difference that so "
        "many customers show 8 times in 10; of smaller ones nothing is known. Money: what a customer paid more within "
        "the days.</small></p>"
    )


def _row(name: str, one: Mapping[str, Any], currency: str) -> tuple[str, ...]:
    found, paid = one["repurchase"], one["money_minor"]
    verdict = WORDS.get(one["verdict"], "")
    if not verdict and found is not None:
        verdict = f"nothing larger than {100 * max(abs(found['low']), abs(found['high'])):.1f} points"
    visible = one["repurchase_visible"]
    return (
        name,
        verdict,
        _share(one["bought_treated"], one["treated"]),
        _share(one["bought_held_out"], one["held_out"]),
        "–" if found is None else _points(found),
        "–" if visible is None else f"{100 * visible:.1f} points",
        "–" if paid is None else _money(paid, currency),
    )


def _points(found: Mapping[str, float]) -> str:
    value, low, high = (100 * found[name] for name in ("value", "low", "high"))
    return f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"


def _money(paid: Mapping[str, float], currency: str) -> str:
    value, low, high = (money(paid[name], currency) for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _share(part: int, whole: int) -> str:
    return part_of(part, whole) if whole else "–"
