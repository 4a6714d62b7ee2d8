"""`stream fit`: a model record from a history of events; `stream fit check`: the formulas, checked."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click
import msgspec

from stream.study.asked import DAY, DURATION, EXISTING, OUTPUT, chosen_model, chosen_policy

PASSED, FAILED, BAD_USE = 0, 1, 2


class FitGroup(click.Group):
    """`stream fit FILE...` fits; `stream fit check FILE` checks."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["history", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asks_for_help = args and args[0] in ("-h", "--help")
        if args and args[0].startswith("-") and not asks_for_help:
            args = ["history", *args]
        return super().parse_args(ctx, args)


@click.group(
    "fit", cls=FitGroup, epilog="Example:  stream fit cdnow.jsonl --until 1997-09-30 --out model.json"
)
def fit_group() -> None:
    """Fit the population's model from history, or check the formulas.

    stream fit EVENTS... --out model.json is short for stream fit history EVENTS...
    """


@fit_group.command("history", epilog="Example:  stream fit history cdnow.jsonl --out model.json")
@click.argument("events", nargs=-1, required=True, type=EXISTING)
@click.option("--out", type=OUTPUT, required=True, help="Where the model record (JSON) is written.")
@click.option("--until", type=DAY, help="Last day to learn from, UTC. [default: the day of the last event]")
@click.option(
    "--horizon", type=DURATION, help="Risk of no purchase within this. [default: each customer's own]"
)
@click.option(
    "--policy", type=EXISTING, help="Policy file: its value horizons get tables. [default: shipped]"
)
@click.option(
    "--precision", type=click.FloatRange(0, 1), help="Learn thresholds for this share of right alerts."
)
@click.option("--budget", type=click.FloatRange(0, 1), help="... or for alerting at most this share.")
@click.option("--name", default="fitted", show_default=True, help="Name of the model.")
@click.option("--json", "as_json", is_flag=True, help="Print a summary as one JSON object.")
def history_command(
    *,
    events: tuple[Path, ...],
    out: Path,
    until: int | None,
    horizon: int | None,
    policy: Path | None,
    precision: float | None,
    budget: float | None,
    name: str,
    as_json: bool,
) -> None:
    """Learn who comes back, what they spend and who leaves, from files of events."""
    from stream.fit.model_fit import Wishes
    from stream.fit.processes import UnfitError
    from stream.study.learn import Lacking, horizon_of, learnt_model

    started = time.monotonic()
    rules = chosen_policy(policy)
    wishes = Wishes(
        name=name,
        source=", ".join(path.name for path in events),
        horizon=horizon_of(horizon),
        precision=precision,
        budget_share=budget,
        finance=rules.finance,
    )
    try:
        model, refused = learnt_model(events, until, wishes, rules, chosen_model(None))
    except (UnfitError, Lacking) as problem:
        click.echo(f"stream fit: {problem}", err=True)
        raise SystemExit(FAILED) from None
    from stream.model_file import write_model

    write_model(out, model)
    _tell(model, refused, out, time.monotonic() - started, as_json)


def _tell(model: object, refused: int, out: Path, seconds: float, as_json: bool) -> None:
    from stream.core.model import Model

    assert isinstance(model, Model)
    process = model.process
    if as_json:
        summary = {
            "version": model.version,
            "customers": model.population.customers,
            "process": msgspec.to_builtins(process),
            "thresholds": model.thresholds and [model.thresholds.raise_at, model.thresholds.clear_at],
            "notes": list(model.notes),
            "refused_lines": refused,
            "seconds": round(seconds, 3),
        }
        click.echo(json.dumps(summary))
        return
    click.echo(f"{out}: model {model.version} of {model.population.customers:,} customers, {seconds:.1f} s")
    click.echo(
        f"  {process.kind}: r {process.r:.4g}, alpha {process.alpha:.4g} weeks, "
        f"a {process.a:.4g}, b {process.b:.4g}"
    )
    if model.risk is not None:
        click.echo(f"  churn risk: {model.risk.learnt}")
    if model.thresholds is not None:
        learnt = model.thresholds
        click.echo(
            f"  alerts: raise at {learnt.raise_at:.3f}, clear at {learnt.clear_at:.3f}. {learnt.learnt}"
        )
    for note in model.notes:
        click.echo(f"  note: {note}")
    if refused:
        click.echo(f"  {refused} lines were no events and were left out", err=True)


@fit_group.command("check", epilog="Example:  stream fit check tests/fit/clv_cases.csv")
@click.argument("cases", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def check_command(cases: Path, as_json: bool) -> None:
    """Compare the formulas with a CSV of reference cases.

    Prints the largest relative error of each column. Exit code 1 when one is above 1e-6 (1e-9 for p_alive,
    p_active_t and exp_purchases_t), 2 when the file cannot be read.
    """
    from stream.fit.cases import LIMITS, CasesError, check_cases

    try:
        errors = check_cases(cases)
    except CasesError as problem:
        click.echo(f"stream fit check: {problem}", err=True)
        raise SystemExit(BAD_USE) from None
    passed = bool(errors) and all(error.passed for error in errors)
    if as_json:
        columns = {
            error.column: {"cases": error.cases, "largest": error.largest, "worst": error.worst_case}
            for error in errors
        }
        click.echo(json.dumps({"passed": passed, "columns": columns}))
    else:
        click.echo(f"{'column':<18}{'cases':>6}{'largest relative error':>24}{'limit':>9}  worst case")
        for error in errors:
            verdict = "" if error.passed else "  ABOVE THE LIMIT"
            click.echo(
                f"{error.column:<18}{error.cases:>6}{error.largest:>24.2e}{LIMITS[error.column]:>9.0e}"
                f"  {error.worst_case}{verdict}"
            )
    raise SystemExit(PASSED if passed else FAILED)
