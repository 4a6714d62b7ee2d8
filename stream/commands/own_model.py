"""The model that judges recorded events on a page: fitted to themselves where they are enough for one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.commands.parameters import SHIPPED_MODEL, chosen_basis, chosen_policy
from stream.commands.shown import echo

if TYPE_CHECKING:
    from stream.core.judgement.basis import Basis
    from stream.core.policy.policy import Policy
    from stream.recording.recording import Recording

EVENTS_MAX = 2_000_000
"""Of more events a model is not fitted on the way to a page: it takes about a minute for each million."""
SHIPPED = "shipped"


class ModelChoice(click.Path):
    """A model file, or the word `shipped`: SHIPPED_MODEL."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, readable=True, path_type=Path)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """A file of this name is written ./shipped."""
        if value == SHIPPED:
            return SHIPPED_MODEL
        return Path(str(super().convert(value, param, ctx))).absolute()  # type: ignore[arg-type]


def basis_of_events(
    recording: Recording, paths: Sequence[Path], policy_path: Path | None, model_path: Path | None
) -> Basis:
    """The policy, and the model that was named; else one that is fitted to these events, in one line.

    Where they are not enough for a model, or very many, it is the shipped one, and the line says why.
    """
    if model_path is not None:
        return chosen_basis(policy_path, model_path)
    from stream.analysis.fit_recording import NoPurchasesError
    from stream.core.model.document import ModelError
    from stream.fit.coverage import NotCoveredError
    from stream.fit.purchases.processes import UnfitError

    if len(recording) > EVENTS_MAX:
        why = (
            f"{len(recording):,} events are too many to fit a model on the way (at most {EVENTS_MAX:,}); "
            "`stream fit` does it once, then name it by --model"
        )
    else:
        try:
            return _fitted(recording, paths, chosen_policy(policy_path))
        except (NoPurchasesError, NotCoveredError, UnfitError, ModelError) as problem:
            why = f"no model can be fitted to these events: {problem}"
    echo(f"Note: judged by the shipped model, which was fitted to another shop, as {why}.", err=True)
    return chosen_basis(policy_path, SHIPPED_MODEL)


def _fitted(recording: Recording, paths: Sequence[Path], policy: Policy) -> Basis:
    """By the model that `stream fit` would make with its defaults."""
    from stream.analysis.fit_recording import horizon_of
    from stream.commands.fit_source import fit_to_events
    from stream.core.judgement.basis import Basis
    from stream.fit.model_fit import FitOptions
    from stream.recording.jobs import jobs_over

    began = time.monotonic()
    names = ", ".join(sorted(path.name for path in paths))
    options = FitOptions("fitted", names, horizon_of(None), None, None, policy.finance, rules=policy)
    with jobs_over(recording) as parts:
        basis = Basis(policy, fit_to_events(parts, None, options, policy))
    seconds = time.monotonic() - began
    echo(
        f"Note: judged by a model fitted to these events in {seconds:.0f} s; `stream fit` keeps one for "
        "--model, and `--model shipped` takes the shipped one.",
        err=True,
    )
    return basis
