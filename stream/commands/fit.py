"""`stream fit`: fit a model record to a history of events, publish it, or check the formulas."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from stream.commands.fit_drift import drift_command
from stream.commands.groups import refuse_misspelt
from stream.commands.output_files import FileCommand
from stream.commands.parameters import DAY, DURATION, EXISTING, OUTPUT, chosen_model, chosen_policy
from stream.commands.recorded_events import UnfitDataError, as_of_fields, jobs_option, now_option, reported
from stream.commands.shown import echo
from stream.core.model.document import encode_model
from stream.recording.jobs import jobs_over
from stream.recording.output_file import is_stdout, output_file
from stream.wording.wrap import for_terminal

if TYPE_CHECKING:
    from stream.core.model.record import Model
    from stream.fit.cases import CasesReport

PASSED, FAILED, BAD_USE = 0, 1, 2


class FitGroup(click.Group):
    """A group whose default command is `history`: `stream fit FILE...` is `stream fit history FILE...`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a first argument that is not a subcommand as the first file of `history`."""
        if args and args[0] not in self.commands:
            refuse_misspelt(self, ctx, [word for word in args[:1] if not Path(word).exists()])
            args = ["history", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take options before any subcommand, except --help, as options of `history`."""
        asks_for_help = args and args[0] in ("-h", "--help")
        if args and args[0].startswith("-") and not asks_for_help:
            args = ["history", *args]
        return super().parse_args(ctx, args)


@click.group(
    "fit", cls=FitGroup, epilog="Example:  stream fit cdnow.jsonl --until 1997-09-30 --out model.json"
)
def fit_group() -> None:
    """Fit a model of the population to a history of events, or check the formulas.

    stream fit EVENTS... --out model.json is short for stream fit history EVENTS...
    """


@fit_group.command("history", cls=FileCommand)
@click.argument("events", nargs=-1, type=EXISTING)
@click.option("--from-kafka", is_flag=True, help="Read the input topics (STREAM_*) instead of files.")
@click.option("--from-profiles", is_flag=True, help="Refit to the profiles topic: quick, without history.")
@click.option("--out", type=OUTPUT, help="Write the model record (JSON) to this file.")
@click.option("--publish", is_flag=True, help="Send the model to running workers, by the control topic.")
@click.option(
    "--until",
    type=DAY,
    help="Last day to learn from, in the policy's time zone. [default: the last with known purchases]",
)
@now_option
@jobs_option
@click.option(
    "--horizon", type=DURATION, help="Churn is no purchase within this time. [default: each customer's own]"
)
@click.option(
    "--policy",
    type=EXISTING,
    help="Policy file (TOML): zone, horizons of value. [default: the shipped one; with topics STREAM_POLICY]",
)
@click.option(
    "--precision", type=click.FloatRange(0, 1), help="Learn thresholds for this share of right alerts."
)
@click.option(
    "--budget", type=click.FloatRange(0, 1), help="Learn thresholds that alert about at most this share."
)
@click.option("--name", default="fitted", show_default=True, help="Name of the model.")
@click.option("--json", "as_json", is_flag=True, help="Print a summary as one JSON object.")
def history_command(
    *, events: tuple[Path, ...], from_kafka: bool, from_profiles: bool, out: Path | None, publish: bool,
    until: int | None, now_ms: int, jobs: int | None, horizon: int | None, policy: Path | None,
    precision: float | None, budget: float | None, name: str, as_json: bool,
) -> None:  # fmt: skip
    """Learn who buys again, what they spend and who leaves, from files of events or from the topics.

    \b
    Examples:
      stream fit cdnow.jsonl --until 1997-09-30 --out model.json
      stream fit --from-kafka --precision 0.6 --out model.json --publish
      stream fit --from-profiles --publish
    """
    from stream.analysis.fit_recording import NoPurchasesError, horizon_of
    from stream.commands.fit_source import fit_to_events, recorded_events, refit_to_profiles
    from stream.fit.coverage import NotCoveredError
    from stream.fit.model_fit import FitOptions
    from stream.fit.purchases.processes import UnfitError

    if bool(events) + from_kafka + from_profiles != 1:
        raise click.UsageError("name one source: files of events, --from-kafka or --from-profiles")
    if out is None and not publish:
        raise click.UsageError("name a target for the model: --out FILE, --publish, or both")
    started = time.monotonic()
    rules = chosen_policy(policy, of_worker=from_kafka or from_profiles)
    names = ", ".join(sorted(path.name for path in events))
    source = names or ("the input topics" if from_kafka else "profiles")
    options = FitOptions(name, source, horizon_of(horizon), precision, budget, rules.finance, rules=rules)
    try:
        with output_file(out) if out is not None else nullcontext() as file:
            if from_profiles:
                model, fields = refit_to_profiles(options, rules), {}
            else:
                with (
                    reported(recorded_events(events, now_ms), as_json=as_json) as recording,
                    jobs_over(recording, jobs) as parts,
                ):
                    model = fit_to_events(parts, until, options, rules)
                fields = as_of_fields(recording)
            if file is not None:
                file.write(encode_model(model))
    except NotCoveredError as problem:
        raise UnfitDataError(str(problem)) from None
    except (UnfitError, NoPurchasesError) as problem:
        echo(f"stream fit: {problem}", err=True)
        raise SystemExit(FAILED) from None
    partitions = _published(model) if publish else 0
    _print_summary(model, fields, out, partitions, seconds=time.monotonic() - started, as_json=as_json)


@fit_group.command("publish")
@click.argument("record", type=EXISTING)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def publish_command(record: Path, as_json: bool) -> None:
    """Send a fitted model to running workers; they judge every customer by it at once, without a restart.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream fit publish model.json
    """
    model = chosen_model(record)
    partitions = _published(model)
    summary = {"version": model.version, "partitions": partitions}
    echo(json.dumps(summary) if as_json else f"model {model.version} is on {partitions} partitions")


def _published(model: Model) -> int:
    """Publish the model; returns the number of partitions. Exit code 1 when one was not reached, or when
    workers with the policy of STREAM_POLICY would refuse it."""
    from stream.core.model.document import ModelError
    from stream.core.trial import tried_basis
    from stream.ops.cluster import cluster_errors, cluster_settings
    from stream.ops.publish import NotPublishedError, publish_model

    settings = cluster_settings()
    try:
        tried_basis(chosen_policy(Path(settings.policy) if settings.policy else None), model)
    except ModelError as problem:
        echo(f"stream fit: not published, as workers would refuse it: {problem}", err=True)
        raise SystemExit(FAILED) from None
    try:
        with cluster_errors():
            return publish_model(settings, model, time.time_ns() // 1_000_000)
    except NotPublishedError as problem:
        echo(f"stream fit: {problem}", err=True)
        raise SystemExit(FAILED) from None


def _print_summary(
    model: Model,
    fields: Mapping[str, object],
    out: Path | None,
    partitions: int,
    *,
    seconds: float,
    as_json: bool,
) -> None:
    to_stderr = is_stdout(out)
    if as_json:
        summary = {
            "version": model.version,
            "customers": model.population.customers,
            "process": msgspec.to_builtins(model.process),
            "thresholds": model.thresholds and [model.thresholds.raise_at, model.thresholds.clear_at],
            "risk_of": model.risk_of,
            "notes": list(model.notes),
            **fields,
            "published_partitions": partitions,
            "seconds": round(seconds, 3),
        }
        echo(json.dumps(summary), err=to_stderr)
        return
    where = f"{out}: " if out is not None else ""
    lines = [f"{where}model {model.version} of {model.population.customers:,} customers, {seconds:.1f} s"]
    if partitions:
        lines.append(f"  published on {partitions} partitions of the control topic")
    lines += _words_of(model)
    echo(for_terminal("\n".join(lines), err=to_stderr), err=to_stderr)


def _words_of(model: Model) -> list[str]:
    """What was learnt, whose risk it is, when alerts are raised, and what is doubtful."""
    process, lines = model.process, []
    lines.append(
        f"  {process.kind}: r {process.r:.4g}, alpha {process.alpha:.4g} weeks, "
        f"a {process.a:.4g}, b {process.b:.4g}"
    )
    if model.risk is not None:
        lines.append(f"  churn risk: {model.risk.learnt}")
    if model.risk_of:
        lines.append(f"  {model.risk_of}")
    if model.thresholds is not None:
        learnt = model.thresholds
        lines.append(
            f"  alerts: raise at {learnt.raise_at:.3f}, clear at {learnt.clear_at:.3f}. {learnt.learnt}"
        )
    if model.upgrade is not None:
        lines.append(f"  upgrade opportunities: {model.upgrade.learnt}")
    return lines + [f"  note: {note}" for note in model.notes]


@fit_group.command("check", epilog="Example:  stream fit check tests/fit/clv_cases.csv")
@click.argument("cases", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def check_command(cases: Path, as_json: bool) -> None:
    """Compare the formulas with a CSV file of reference cases of BG/NBD and MBG/NBD.

    Prints the largest relative error of each column. Exit code 1 when one is above 1e-6 (1e-9 for p_alive,
    p_active_t and exp_purchases_t), 2 when the file cannot be read or has no
    case of these models.
    """
    from stream.fit.cases import CasesError, check_cases

    try:
        report = check_cases(cases)
    except CasesError as problem:
        echo(f"stream fit check: {problem}", err=True)
        raise SystemExit(BAD_USE) from None
    passed = bool(report.errors) and all(error.passed for error in report.errors)
    if as_json:
        columns = {
            error.column: {"cases": error.cases, "largest": error.largest, "worst": error.worst_case}
            for error in report.errors
        }
        echo(json.dumps({"passed": passed, "columns": columns, "skipped": report.skipped}))
    else:
        _print_errors(report)
    raise SystemExit(PASSED if passed else FAILED)


fit_group.add_command(drift_command)


def _print_errors(report: CasesReport) -> None:
    from stream.fit.cases import LIMITS

    echo(f"{'column':<18}{'cases':>6}{'largest relative error':>24}{'limit':>9}  worst case")
    for error in report.errors:
        verdict = "" if error.passed else "  ABOVE THE LIMIT"
        echo(
            f"{error.column:<18}{error.cases:>6}{error.largest:>24.2e}{LIMITS[error.column]:>9.0e}"
            f"  {error.worst_case}{verdict}"
        )
    if report.skipped:
        echo(f"{report.skipped} cases of Pareto/NBD were skipped: that model is not part of the product")
