"""The readout as a JSON document: what `--json` prints, and `--publish` keeps for the page.

`format` is "stream.uplift/1"; docs/uplift.md explains each field. A later minor change only adds fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from stream.analysis.uplift.readout import Comparison, Readout, ReadoutOptions
from stream.analysis.uplift.records import Trial
from stream.analysis.uplift.words import headline
from stream.core.alerts.alert import rfc3339
from stream.core.units import DAY_MS

FORMAT = "stream.uplift/1"


def document(
    found: Readout, trial: Trial, periods: Sequence[str], choice: ReadoutOptions, notes: Sequence[str]
) -> dict[str, Any]:
    """All numbers of a readout; shares and differences of shares are 0 to 1, money is in minor units."""
    return {
        "format": FORMAT,
        "as_of": rfc3339(choice.as_of_ms),
        "headline": headline(found, choice),
        "experiment": {
            "policy": trial.policy_id, "salt": trial.salt, "share": trial.share, "periods": list(periods),
        },
        "window_days": choice.window_ms // DAY_MS,
        "worth": choice.worth,
        "currency": choice.currency,
        "customers": {
            "all": found.customers,
            "treated": found.treated,
            "held_out": found.held_out,
            "window_over": found.over,
            "erased_treated": found.erased_treated,
            "erased_held_out": found.erased_held_out,
            "paid_otherwise": found.other_money,
        },
        "sample_ratio": {"p": found.sample_ratio_p, "fits": found.fits},
        "all": _group(found.all) if found.all is not None else None,
        "kinds": _groups(found.kinds),
        "tiers": _groups(found.tiers),
        "notes": list(notes),
    }  # fmt: skip


def _groups(found: Mapping[str, Comparison]) -> dict[str, Any]:
    return {name: _group(one) for name, one in found.items()}


def _group(one: Comparison) -> dict[str, Any]:
    return {
        "treated": one.treated,
        "held_out": one.held_out,
        "bought_treated": one.bought_treated,
        "bought_held_out": one.bought_held_out,
        "verdict": one.verdict,
        "repurchase": msgspec.to_builtins(one.repurchase),
        "repurchase_visible": one.repurchase_visible,
        "money_treated_minor": one.money_treated,
        "money_held_out_minor": one.money_held_out,
        "money_verdict": one.money_verdict,
        "money_minor": msgspec.to_builtins(one.money),
        "money_visible_minor": one.money_visible,
    }
