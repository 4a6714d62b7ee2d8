"""`stream backtest`: would these alerts have been right? Learn up to a day, compare with the rest."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stream.commands.output_files import FileCommand
from stream.commands.parameters import DAY, DURATION, EXISTING, OUTPUT, chosen_model, chosen_policy
from stream.commands.publishing import PUBLISHED_BACKTEST, published_file
from stream.commands.recorded_events import (
    UnfitDataError,
    as_of_fields,
    far_notes,
    future_notes,
    jobs_option,
    now_option,
    reported,
)
from stream.commands.shown import echo
from stream.core.facts.meaning import Meaning
from stream.core.model.document import ModelError
from stream.progress import progress
from stream.recording.jobs import jobs_over
from stream.recording.output_file import is_stdout, output_file
from stream.recording.recording import Recording
from stream.wording.wrap import for_terminal

if TYPE_CHECKING:
    from stream.analysis.backtest.backtest import BacktestResult


@click.command("backtest", cls=FileCommand)
@click.argument("events", nargs=-1, required=True, type=EXISTING)
@click.option(
    "--split",
    type=DAY,
    required=True,
    help="Last day to learn from, in the policy's time zone; later days are predicted.",
)
@click.option(
    "--horizon", type=DURATION, required=True, help="Churn is no purchase within this time: 8w, 26w, 90d."
)
@now_option
@jobs_option
@click.option("--policy", type=EXISTING, help="Policy file (TOML). [default: the shipped one]")
@click.option("--against", type=EXISTING, help="A second policy: whom does only one of the two alert about?")
@click.option("--first-by", type=DAY, help="Score only customers whose first purchase was by this day.")
@click.option(
    "--precision", type=click.FloatRange(0, 1), help="Learn thresholds for this share of right alerts."
)
@click.option(
    "--budget", type=click.FloatRange(0, 1), help="Learn thresholds that alert about at most this share."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--publish", type=PUBLISHED_BACKTEST, help="Keep the numbers in this folder for the dashboard.")
@click.option("--report", type=OUTPUT, help="Write a report in plain words: one HTML file with plots.")
def backtest_command(
    *,
    events: tuple[Path, ...],
    now_ms: int,
    jobs: int | None,
    as_json: bool,
    report: Path | None,
    publish: Path | None,
    **options: Any,
) -> None:
    """Judge churn risk and alerts on history: learn up to a day, then see what customers did.

    Everything is learnt from events up to and including the split's day. The data must cover the
    horizon after it; if not, the command says what would fit. Exit code 1: nothing to learn from.

    \b
    Example:
      stream backtest cdnow.jsonl --split 1997-09-30 --horizon 39w --report backtest.html
    """
    from stream.analysis.backtest.summary import backtest_text
    from stream.analysis.fit_recording import NoPurchasesError
    from stream.fit.coverage import NotCoveredError
    from stream.fit.purchases.processes import UnfitError

    started = time.monotonic()
    try:
        with (
            output_file(report) if report is not None else nullcontext() as file,
            published_file(publish, PUBLISHED_BACKTEST) as kept,
            reported(Recording(events, progress, now_ms), as_json=as_json) as recording,
        ):
            result = _run(recording, jobs, **options)
            notes = [*far_notes(recording), *future_notes(recording)]
            numbers = {**result.numbers, **as_of_fields(recording), "data_notes": notes}
            numbers["seconds"] = round(time.monotonic() - started, 3)
            if kept is not None:
                kept.write(json.dumps(numbers).encode())
            if file is not None:
                from stream.analysis.backtest.page import backtest_page

                file.write(backtest_page(numbers, result).encode())
    except (NotCoveredError, ModelError) as problem:
        raise UnfitDataError(str(problem)) from None
    except (UnfitError, NoPurchasesError) as problem:
        echo(f"stream backtest: {problem}", err=True)
        raise SystemExit(1) from None
    to_stderr = is_stdout(report)
    text = json.dumps(numbers) if as_json else for_terminal(backtest_text(numbers), err=to_stderr)
    echo(text, err=to_stderr)


def _run(
    recording: Recording,
    jobs: int | None,
    *,
    split: int,
    horizon: int,
    policy: Path | None,
    against: Path | None,
    first_by: int | None,
    precision: float | None,
    budget: float | None,
) -> BacktestResult:
    from stream.analysis.backtest.backtest import BacktestOptions, run_backtest
    from stream.analysis.fit_recording import coverage_of

    rules, others = chosen_policy(policy), chosen_policy(against) if against else None
    if others is not None and Meaning(others).digest != Meaning(rules).digest:
        raise UnfitDataError(
            "--against: its currency, rates or time zone are others than those of --policy, so the same "
            "facts mean something else to it; compare their alerts by stream policy diff"
        )
    with jobs_over(recording, jobs) as parts:
        coverage = coverage_of(parts, rules.calendar)
        options = BacktestOptions(
            first_purchase_ms=coverage.first_day_ms,
            split_ms=split,
            horizon_ms=horizon,
            policy=rules,
            against=others,
            first_by_ms=first_by,
            precision=precision,
            budget_share=budget,
        )
        result = run_backtest(parts, coverage, options, chosen_model(None))
    result.numbers["coverage_notes"] = [*coverage.left_out_words, *result.numbers["coverage_notes"]]  # type: ignore[misc]
    return result
