"""`stream replay`: what would this policy have done, on files of events or on what the topics hold?"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from stream.commands.output_files import FileCommand
from stream.commands.parameters import EXISTING, OUTPUT, basis_of_worker, chosen_basis
from stream.commands.recorded_events import jobs_option, now_option, print_set_aside
from stream.commands.shown import echo
from stream.core.units import DAY_MS
from stream.progress import progress
from stream.recording.event_file import optional_writer
from stream.recording.jobs import Jobs, jobs_over
from stream.recording.output_file import is_stdout
from stream.recording.recording import Recording
from stream.replay.in_parts import PartRun, Rules, Wanted, replay_in_parts
from stream.replay.summary import ReplaySummary, summarize
from stream.wire import YEAR_MAX

INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


class UpTo(click.ParamType):
    """An instant as INSTANT reads it, in milliseconds since 1970; a day alone counts to its end."""

    name = "day or time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The last millisecond that still belongs to the span."""
        if isinstance(value, int):
            return value
        at_ms = _ms(INSTANT.convert(value, param, ctx))
        return at_ms + DAY_MS - 1 if re.fullmatch(r"[\d-]+", str(value)) else at_ms


UP_TO = UpTo()
POLICY_HELP = "Policy file (TOML). [default: the shipped one; with --from-kafka STREAM_POLICY]"
MODEL_HELP = "Model record (JSON). [default: the shipped one; with --from-kafka STREAM_MODEL]"

_ENCODE = msgspec.json.Encoder().encode


@click.command("replay", cls=FileCommand)
@click.argument("events", nargs=-1, type=EXISTING)
@click.option("--from-kafka", is_flag=True, help="Read the input topics (STREAM_*) instead of files.")
@click.option("--from", "begin", type=INSTANT, help="With --from-kafka: from this event time on (UTC).")
@click.option("--to", "end_ms", type=UP_TO, help="With --from-kafka: up to this event time, or day (UTC).")
@click.option("--policy", "policy_path", type=EXISTING, help=POLICY_HELP)
@click.option("--model", "model_path", type=EXISTING, help=MODEL_HELP)
@click.option("--profiles", type=OUTPUT, help="Write the profiles, one per line, in order of customer id.")
@click.option("--alerts", type=OUTPUT, help="Write the alerts, one per line, in order of time.")
@click.option(
    "--partitions", type=click.IntRange(1, 1_000), default=1, show_default=True,
    help="Spread customers over so many partitions, as workers do; the output does not change.",
)  # fmt: skip
@click.option(
    "--clock-to",
    type=INSTANT,
    help="Let the clock go on to this instant (UTC) at the end: judge the silence.",
)
@click.option("--until", "clock_to", type=INSTANT, hidden=True)  # the name of --clock-to before 0.1.0
@now_option
@jobs_option
@click.option("--rejects", type=OUTPUT, help="Write the lines that are not events: file, line, reason.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def replay_command(
    *,
    events: tuple[Path, ...],
    from_kafka: bool,
    begin: datetime | None,
    end_ms: int | None,
    policy_path: Path | None,
    model_path: Path | None,
    profiles: Path | None,
    alerts: Path | None,
    partitions: int,
    clock_to: datetime | None,
    now_ms: int,
    jobs: int | None,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Run the worker's own decisions over recorded events, without a worker and in exact event time.

    Files (JSON lines, also .gz and .zst) are merged by time. The same events, policy and model give the same
    bytes, whatever the number of partitions and processes. Exit code 1 when lines were no events, or lie
    after --now.

    \b
    Examples:
      stream replay cdnow.jsonl --policy policy.toml --profiles profiles.jsonl --alerts alerts.jsonl
      stream replay --from-kafka --from 2026-01-01 --to 2026-03-31 --alerts alerts.jsonl
    """
    if from_kafka == bool(events):
        raise click.UsageError("name files of events, or --from-kafka, one of the two")
    if (begin or end_ms) and not from_kafka:
        raise click.UsageError("--from and --to belong to --from-kafka")
    if clock_to and clock_to.year > YEAR_MAX:
        raise click.UsageError(f"--clock-to: the last year is {YEAR_MAX}")
    basis = (basis_of_worker if from_kafka else chosen_basis)(policy_path, model_path)
    outputs = (profiles, alerts, rejects)
    rules = Rules(basis.policy, basis.model, partitions)
    with ExitStack() as opened:
        files = [opened.enter_context(optional_writer(path)) for path in outputs]
        recording = _topics(now_ms, begin, end_ms) if from_kafka else Recording(events, progress, now_ms)
        started = time.monotonic()
        parts = opened.enter_context(jobs_over(recording, jobs))
        run, counts = _run_through(parts, rules, _ms(clock_to) if clock_to else 0, files)
        _write(files[2], (_ENCODE([str(r.path), r.line, r.reason, r.detail]) for r in recording.unreadable))
    summary = summarize(run, basis.policy, counts, recording, time.monotonic() - started)
    shown = _ENCODE(summary).decode() if as_json else _as_text(summary)
    echo(shown, err=any(map(is_stdout, outputs)))
    print_set_aside(recording, as_json=as_json)
    sys.exit(1 if recording.unreadable or run.refused else 0)


def _run_through(
    jobs: Jobs, rules: Rules, until_ms: int, files: Sequence[BinaryIO | None]
) -> tuple[PartRun, dict[str, Counter[str]]]:
    """Run, and write profiles and alerts; also the alerts by kind and state, each in order of their first."""
    wanted = Wanted(files[0] is not None, files[1] is not None)
    run, profiles, alerts = replay_in_parts(jobs, rules, until_ms, wanted)
    for reason in run.refused:
        echo(
            f"stream replay: a published model is refused, the one before stays in force: {reason}", err=True
        )
    _write(files[0], (line for _, line in profiles))
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (*_, kind, state), line in alerts:
        counts[kind][state] += 1
        _write(files[1], [line])
    return run, counts


def _topics(now_ms: int, begin: datetime | None, end_ms: int | None) -> Recording:
    from stream.ops.topic_recording import topic_recording

    with progress("reading the topics"):
        recording = topic_recording(now_ms, _ms(begin) if begin else None, end_ms)
    recording.shown = progress
    return recording


def _write(out: BinaryIO | None, lines: Iterable[bytes]) -> None:
    if out is not None:
        for line in lines:
            out.write(line + b"\n")


def _as_text(summary: ReplaySummary) -> str:
    count = sum(sum(states.values()) for states in summary.alerts.values())
    lines = [f"{summary.events:,} events, {summary.customers:,} customers, {count:,} alerts"]
    for kind, states in summary.alerts.items():
        lines.append(f"  {kind}: " + ", ".join(f"{number:,} {state}" for state, number in states.items()))
    if unsure := summary.outcomes.get("unsure"):
        lines.append(f"  {unsure:,} events may be repeats and were not added (docs/limits.md, `unsure`)")
    lines += [f"note: {note}" for note in summary.notes]
    return "\n".join(lines)


def _ms(at: datetime) -> int:
    return round(at.replace(tzinfo=UTC).timestamp() * 1_000)
