"""`stream report`: acquisition, development, retention, value against cost, why customers leave."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from stream.commands.output_files import FileCommand
from stream.commands.parameters import DAY, EXISTING, OUTPUT, chosen_model, chosen_policy
from stream.commands.publishing import PUBLISHED_REPORT, published_file
from stream.commands.recorded_events import (
    UnfitDataError,
    as_of_fields,
    far_notes,
    future_notes,
    jobs_option,
    now_option,
    print_notes,
    reported,
)
from stream.commands.shown import echo
from stream.core.model.document import ModelError
from stream.core.model.record import Horizon
from stream.core.policy.policy import Policy
from stream.progress import progress
from stream.recording.jobs import Jobs, jobs_over
from stream.recording.output_file import is_stdout, output_file
from stream.recording.recording import Recording
from stream.wording.amounts import date


@click.command("report", cls=FileCommand)
@click.argument("events", nargs=-1, required=True, type=EXISTING)
@click.option(
    "--until",
    type=DAY,
    help="Last day to report on, in the policy's time zone. [default: the last with known purchases]",
)
@now_option
@jobs_option
@click.option("--model", type=EXISTING, help="Model record (JSON). [default: fitted to these events]")
@click.option(
    "--policy",
    type=EXISTING,
    help="Policy file (TOML): tiers, margin, discount, time zone. [default: shipped]",
)
@click.option("--out", type=OUTPUT, help="Write the report in plain words: one HTML file.")
@click.option("--publish", type=PUBLISHED_REPORT, help="Keep the numbers in this folder for the dashboard.")
@click.option("--json", "as_json", is_flag=True, help="Print all numbers as one JSON object.")
def report_command(
    *,
    events: tuple[Path, ...],
    until: int | None,
    now_ms: int,
    jobs: int | None,
    model: Path | None,
    policy: Path | None,
    out: Path | None,
    publish: Path | None,
    as_json: bool,
) -> None:
    """Report on customers won, grown and kept, their value against their cost, and why they leave.

    \b
    Example:
      stream report shop.jsonl --out report.html
    """
    from stream.panes.report import business_page

    if out is None and publish is None and not as_json and is_terminal():
        raise click.UsageError("the report is an HTML page: name its file, --out report.html, or take --json")
    with (
        _in_words(),
        output_file(out) if out is not None else nullcontext() as file,
        published_file(publish, PUBLISHED_REPORT) as kept,
        reported(Recording(events, progress, now_ms), as_json=as_json) as recording,
    ):
        rules = chosen_policy(policy)
        with jobs_over(recording, jobs) as parts:
            numbers = _numbers(parts, until, model, rules)
        if file is not None:
            file.write(business_page(numbers).encode())
        if kept is not None:
            kept.write(json.dumps(numbers).encode())
    if out is not None:
        echo(f"written to {out}", err=True)
    if as_json:
        echo(json.dumps(numbers), err=is_stdout(out))
    elif out is None and publish is None:
        echo(business_page(numbers))


@contextmanager
def _in_words() -> Iterator[None]:
    """Data from which no report follows are refused in one line."""
    from stream.analysis.fit_recording import NoPurchasesError
    from stream.fit.coverage import NotCoveredError
    from stream.fit.purchases.processes import UnfitError

    try:
        yield
    except (NotCoveredError, ModelError) as problem:
        raise UnfitDataError(str(problem)) from None
    except (UnfitError, NoPurchasesError) as problem:
        echo(f"stream report: {problem}", err=True)
        raise SystemExit(1) from None


def is_terminal() -> bool:
    """Whether standard output is a terminal, where nobody wants to read HTML."""
    return sys.stdout.isatty()


def _numbers(jobs: Jobs, until_ms: int | None, model_path: Path | None, policy: Policy) -> dict[str, object]:
    """The report as of the end of a day, by a given model or by one fitted to the same events."""
    from stream.analysis.business.read import read_in_parts
    from stream.analysis.business.report import business_report, days_of_report
    from stream.analysis.fit_recording import coverage_of
    from stream.fit.model_fit import FitOptions, fit_model, snapshot_days

    coverage, recording = coverage_of(jobs, policy.calendar), jobs.recording
    day_ms = coverage.last_day_ms(until_ms)
    options = FitOptions(
        name="report", source="these events", horizon=Horizon(), finance=policy.finance, rules=policy
    )
    days_ms = {*days_of_report(day_ms)}
    if model_path is None:
        days_ms.update(snapshot_days(coverage.first_day_ms, day_ms, options.horizon))
    ledger = read_in_parts(jobs, day_ms, sorted(days_ms), policy)
    if model_path:
        model = chosen_model(model_path)
    else:
        with progress("fitting a model"):
            model = fit_model(ledger.history, day_ms, options, chosen_model(None))
    notes = [*coverage.notes(day_ms), *far_notes(recording), *future_notes(recording)]
    print_notes(coverage.notes(day_ms))
    with progress("reporting"):
        numbers = business_report(ledger, day_ms, model, policy)
    fields = as_of_fields(recording)
    of_currencies: list[str] = numbers["currency_notes"]  # type: ignore[assignment]
    print_notes(of_currencies)
    notes += [note for note in of_currencies if note not in model.notes]
    return {
        **numbers,
        "notes": [*([model.risk_of] if model.risk_of else []), *notes, *model.notes],
        "newest_event": date(coverage.last_event_ms),
        **fields,
    }
