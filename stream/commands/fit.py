"""`stream fit`: a model record from a history of events; `stream fit check`: the formulas, checked."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from stream.commands.parameters import DAY, DURATION, EXISTING, OUTPUT, chosen_model, chosen_policy

if TYPE_CHECKING:
    from stream.core.model.record import Model
    from stream.fit.cases import CasesReport

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


@fit_group.command("history")
@click.argument("events", nargs=-1, type=EXISTING)
@click.option("--from-kafka", is_flag=True, help="Read the input topics (STREAM_*) instead of files.")
@click.option("--from-profiles", is_flag=True, help="Refit to the profiles topic: quick, no history is read.")
@click.option("--out", type=OUTPUT, help="Where the model record (JSON) is written.")
@click.option("--publish", is_flag=True, help="Send it to running workers too: the control topic.")
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
    *, events: tuple[Path, ...], from_kafka: bool, from_profiles: bool, out: Path | None, publish: bool,
    until: int | None, horizon: int | None, policy: Path | None, precision: float | None,
    budget: float | None, name: str, as_json: bool,
) -> None:  # fmt: skip
    """Learn who comes back, what they spend and who leaves, from files of events or from the topics.

    \b
    Examples:
      stream fit cdnow.jsonl --until 1997-09-30 --out model.json
      stream fit --from-kafka --precision 0.6 --out model.json --publish
      stream fit --from-profiles --publish
    """
    from stream.analysis.fit_recording import Lacking, horizon_of
    from stream.commands.fit_source import fitted_to
    from stream.fit.model_fit import Wishes
    from stream.fit.purchases.processes import UnfitError

    if bool(events) + from_kafka + from_profiles != 1:
        raise click.UsageError("name files of events, or --from-kafka, or --from-profiles: one of the three")
    if out is None and not publish:
        raise click.UsageError("say where the model goes: --out FILE, --publish, or both")
    started = time.monotonic()
    rules = chosen_policy(policy)
    source = ", ".join(path.name for path in events) or ("the input topics" if from_kafka else "profiles")
    wishes = Wishes(name, source, horizon_of(horizon), precision, budget, rules.finance)
    try:
        found = fitted_to(events, from_kafka, until, wishes, rules)
    except (UnfitError, Lacking) as problem:
        click.echo(f"stream fit: {problem}", err=True)
        raise SystemExit(FAILED) from None
    if out is not None:
        from stream.model_file import write_model

        write_model(out, found.model)
    partitions = _published(found.model) if publish else 0
    _tell(found.model, found.refused, out, partitions, seconds=time.monotonic() - started, as_json=as_json)


@fit_group.command("publish")
@click.argument("record", type=EXISTING)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def publish_command(record: Path, as_json: bool) -> None:
    """Send a fitted model to running workers; they judge everybody by it at once, without a restart.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream fit publish model.json
    """
    model = chosen_model(record)
    partitions = _published(model)
    told = {"version": model.version, "partitions": partitions}
    click.echo(json.dumps(told) if as_json else f"model {model.version} is on {partitions} partitions")


def _published(model: Model) -> int:
    """On how many partitions of the control topic it now is; exit code 1 when not on all."""
    from stream.ops.cluster import cluster_errors, cluster_settings
    from stream.ops.publish import NotPublishedError, publish_model

    settings = cluster_settings()
    try:
        with cluster_errors():
            return publish_model(settings, model, time.time_ns() // 1_000_000)
    except NotPublishedError as problem:
        click.echo(f"stream fit: {problem}", err=True)
        raise SystemExit(FAILED) from None


def _tell(
    model: Model, refused: int, out: Path | None, partitions: int, *, seconds: float, as_json: bool
) -> None:
    process = model.process
    if as_json:
        summary = {
            "version": model.version,
            "customers": model.population.customers,
            "process": msgspec.to_builtins(process),
            "thresholds": model.thresholds and [model.thresholds.raise_at, model.thresholds.clear_at],
            "notes": list(model.notes),
            "refused_lines": refused,
            "published_partitions": partitions,
            "seconds": round(seconds, 3),
        }
        click.echo(json.dumps(summary))
        return
    where = f"{out}: " if out is not None else ""
    click.echo(f"{where}model {model.version} of {model.population.customers:,} customers, {seconds:.1f} s")
    if partitions:
        click.echo(f"  published on {partitions} partitions of the control topic")
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
    """Compare the formulas with a CSV file of reference cases of BG/NBD and MBG/NBD.

    Prints the largest relative error of each column. Exit code 1 when one is above 1e-6 (1e-9 for p_alive,
    p_active_t and exp_purchases_t), 2 when the file cannot be read.
    """
    from stream.fit.cases import CasesError, check_cases

    try:
        report = check_cases(cases)
    except CasesError as problem:
        click.echo(f"stream fit check: {problem}", err=True)
        raise SystemExit(BAD_USE) from None
    passed = bool(report.errors) and all(error.passed for error in report.errors)
    if as_json:
        columns = {
            error.column: {"cases": error.cases, "largest": error.largest, "worst": error.worst_case}
            for error in report.errors
        }
        click.echo(json.dumps({"passed": passed, "columns": columns, "skipped": report.skipped}))
    else:
        _print_errors(report)
    raise SystemExit(PASSED if passed else FAILED)


def _print_errors(report: CasesReport) -> None:
    from stream.fit.cases import LIMITS

    click.echo(f"{'column':<18}{'cases':>6}{'largest relative error':>24}{'limit':>9}  worst case")
    for error in report.errors:
        verdict = "" if error.passed else "  ABOVE THE LIMIT"
        click.echo(
            f"{error.column:<18}{error.cases:>6}{error.largest:>24.2e}{LIMITS[error.column]:>9.0e}"
            f"  {error.worst_case}{verdict}"
        )
    if report.skipped:
        click.echo(
            f"{report.skipped} cases of Pareto/NBD were skipped: that model is not part of the product"
        )
