"""`stream fit drift`: do new events still look like those that a model was learnt from?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.commands.parameters import EXISTING, chosen_model, chosen_policy
from stream.commands.recorded_events import UnfitDataError, as_of_fields, jobs_option, now_option, reported
from stream.commands.shown import echo
from stream.wording.wrap import for_terminal

if TYPE_CHECKING:
    from stream.fit.drift import Drift

VERDICTS = {None: "-", False: "ok", True: "DRIFT"}


@click.command("drift", epilog="Example:  stream fit drift events.jsonl.gz --model model.json")
@click.argument("events", nargs=-1, type=EXISTING)
@click.option("--from-kafka", is_flag=True, help="Read the input topics (STREAM_*) instead of files.")
@click.option(
    "--model", type=EXISTING, required=True, help="Model record (JSON) in use, as `stream fit` wrote it."
)
@click.option(
    "--policy",
    type=EXISTING,
    help="Policy file (TOML): zone, currency. [default: the shipped one; with topics STREAM_POLICY]",
)
@now_option
@jobs_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def drift_command(
    *, events: tuple[Path, ...], from_kafka: bool, model: Path, policy: Path | None, now_ms: int,
    jobs: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Say whether new events still look like the lessons of the model in use, or whether to fit anew.

    Looks at how many purchases there are, how many of them by new customers, where customers stand among
    those of the lessons, what known customers bought against what the model expected, and whether those with
    a risk of so much stayed away so often. Exit code 0: all as learnt; 1: drifted; 2: wrong usage, or nothing
    to compare. For cron: stream fit drift ... || fit anew
    """
    from stream.analysis.fit_drift import drift_of_recording
    from stream.analysis.fit_recording import NoPurchasesError
    from stream.commands.fit_source import recorded_events
    from stream.fit.drift import TooNewLessonsError
    from stream.recording.jobs import jobs_over

    if bool(events) + from_kafka != 1:
        raise click.UsageError("name one source: files of events, or --from-kafka")
    rules, lessons = chosen_policy(policy, of_worker=from_kafka), chosen_model(model)
    try:
        with (
            reported(recorded_events(events, now_ms), as_json=as_json) as recording,
            jobs_over(recording, jobs) as parts,
        ):
            found = drift_of_recording(parts, lessons, rules)
        fields = as_of_fields(recording)
    except (TooNewLessonsError, NoPurchasesError) as problem:
        raise UnfitDataError(f"stream fit drift: {problem}") from None
    if as_json:
        echo(json.dumps({"drifted": found.drifted, **asdict(found), **fields}))
    else:
        _print(found)
    raise SystemExit(int(found.drifted))


def _print(found: Drift) -> None:
    lines = [f"model {found.model}, learnt up to {found.lessons_until}; events up to {found.data_end}"]
    lines += [f"  {VERDICTS[one.drifted]:<6}{one.name}: {one.words}" for one in found.looks]
    lines.append(
        "The data have drifted from the lessons: fit the model anew (stream fit)."
        if found.drifted
        else "The data are as the lessons were."
    )
    echo(for_terminal("\n".join(lines)))
