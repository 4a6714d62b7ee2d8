"""`stream uplift`: does it help to act on alerts? Who is held out by an experiment, against the others."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from stream.commands.groups import refuse_misspelt
from stream.commands.output_files import FileCommand
from stream.commands.parameters import DURATION, EXISTING, OUTPUT, chosen_policy
from stream.commands.publishing import PUBLISHED_UPLIFT, published_file
from stream.commands.recorded_events import UnfitDataError, now_option, print_notes, reported
from stream.commands.shown import echo
from stream.core.units import DAY_MS
from stream.recording.output_file import is_stdout, output_file
from stream.wording.wrap import for_terminal


class UpliftGroup(click.Group):
    """A group whose default command is `readout`: `stream uplift FILE` is `stream uplift readout FILE`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a first argument that is not a subcommand as the first file of `readout`."""
        if args and args[0] not in self.commands:
            refuse_misspelt(self, ctx, [word for word in args[:1] if not Path(word).exists()])
            args = ["readout", *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take options before any subcommand, except --help, as options of `readout`."""
        if args and args[0].startswith("-") and args[0] not in ("-h", "--help"):
            args = ["readout", *args]
        return super().parse_args(ctx, args)


@click.group("uplift", cls=UpliftGroup, epilog="Example:  stream uplift year.jsonl --alerts alerts.jsonl")
def uplift_group() -> None:
    """Compare customers who are held out by an experiment with those who are not, or plan one.

    stream uplift EVENTS... is short for stream uplift readout EVENTS...
    """


WORTH, EFFECT = 0.05, 0.05
SOURCES: list[Any] = [
    click.argument("events", nargs=-1, type=EXISTING),
    click.option("--from-kafka", is_flag=True, help="Read the topics (STREAM_*) instead of files."),
    click.option("--alerts", multiple=True, type=EXISTING, help="File of alerts, one JSON object a line."),
    click.option(
        "--policy",
        type=EXISTING,
        help="Policy file (TOML): currency, rates, time zone. [default: shipped]",
    ),
    click.option(
        "--window",
        "window_ms",
        type=DURATION,
        default="30d",
        show_default=True,
        help="How long after the alert an order counts.",
    ),
    now_option,
    click.option("--json", "as_json", is_flag=True, help="Print all numbers as one JSON object."),
]


def sources(command: Any) -> Any:
    """Adds the parameters that say what is read."""
    for add in reversed(SOURCES):
        command = add(command)
    return command


@uplift_group.command("readout", cls=FileCommand)
@sources
@click.option(
    "--deliveries",
    multiple=True,
    type=EXISTING,
    help="File of deliveries, one JSON object a line: when each alert was sent, or would have been.",
)
@click.option("--endpoint", default="", help="Only what was sent, or would have been, to this endpoint.")
@click.option("--salt", help="The experiment with this salt. [default: the latest one]")
@click.option(
    "--worth",
    type=click.FloatRange(0, 1, min_open=True),
    default=WORTH,
    show_default=True,
    help="A difference of this share of the customers would matter (0.05: five points).",
)
@click.option("--publish", type=PUBLISHED_UPLIFT, help="Keep the numbers in this folder for the dashboard.")
@click.option("--prometheus", type=OUTPUT, help="Write gauges to this file, for a textfile collector.")
def readout_command(*, publish: Path | None, prometheus: Path | None, as_json: bool, **asked: Any) -> None:
    """Say whether acting on alerts makes customers buy again, and how sure that is.

    Customers count in the arm that was drawn, once for each period of the experiment, from the moment at
    which their first alert was sent or would have been sent. Exit code 1 when the arms are not of the size
    that was drawn, so that nothing is compared.

    \b
    Examples:
      stream uplift year.jsonl --alerts alerts.jsonl --deliveries deliveries.jsonl
      stream uplift --from-kafka --window 60d --publish published
    """
    from stream.analysis.uplift.document import document
    from stream.analysis.uplift.words import readout_lines, trial_words

    found, calendar = _study(as_json=as_json, **asked)
    numbers = document(found.readout, found.trial, found.periods, found.choice, found.notes)
    with published_file(publish, PUBLISHED_UPLIFT) as kept:
        if kept is not None:
            kept.write(json.dumps(numbers).encode() + b"\n")
    if prometheus is not None:
        from stream.metrics import uplift_text

        with output_file(prometheus) as file:
            file.write(uplift_text(numbers, time.time()))
    to_stderr = is_stdout(prometheus)
    if as_json:
        echo(json.dumps(numbers), err=to_stderr)
    else:
        words = trial_words(found.trial, found.periods)
        lines = [f"Of {words}.", *readout_lines(found.readout, found.choice, calendar)]
        echo(for_terminal("\n".join(lines)), err=to_stderr)
        print_notes(found.notes)
    raise SystemExit(0 if found.readout.fits else 1)


def _study(
    *,
    events: tuple[Path, ...],
    from_kafka: bool,
    alerts: tuple[Path, ...],
    deliveries: tuple[Path, ...],
    endpoint: str,
    policy: Path | None,
    window_ms: int,
    now_ms: int,
    salt: str | None,
    worth: float,
    as_json: bool,
) -> Any:
    """The study, and the calendar of the business."""
    from stream.analysis.uplift.study import NothingToCompareError, study_of

    rules = chosen_policy(policy, of_worker=from_kafka)
    records, recording = _read((events, alerts, deliveries), endpoint, now_ms, from_kafka=from_kafka)
    try:
        with reported(recording, as_json=as_json):
            found = study_of(
                records, recording.events(), rules, window_ms=window_ms, worth=worth, now_ms=now_ms, salt=salt
            )
    except NothingToCompareError as problem:
        raise UnfitDataError(str(problem)) from None
    return found, rules.calendar


def _read(
    files: tuple[tuple[Path, ...], tuple[Path, ...], tuple[Path, ...]],
    endpoint: str,
    now_ms: int,
    *,
    from_kafka: bool,
) -> Any:
    """The records and the events of files (events, alerts, deliveries), or of the topics."""
    from stream.commands.uplift_source import files_read, topics_read

    events, alerts, deliveries = files
    if from_kafka == bool(events or alerts or deliveries):
        raise click.UsageError("name files (events, and --alerts), or --from-kafka, one of the two")
    if from_kafka:
        return topics_read(endpoint, now_ms)
    if not (events and alerts):
        raise click.UsageError("name the files of events and, with --alerts, those of alerts")
    return files_read(events, alerts, deliveries, endpoint, now_ms)


@uplift_group.command("plan")
@sources
@click.option(
    "--effect",
    type=click.FloatRange(0, 1, min_open=True),
    default=EFFECT,
    show_default=True,
    help="The difference that should be seen, as a share of the customers (0.05: five points).",
)
def plan_command(*, effect: float, policy: Path | None, window_ms: int, now_ms: int, as_json: bool,
                 events: tuple[Path, ...], alerts: tuple[Path, ...], from_kafka: bool) -> None:  # fmt: skip
    """Propose how many customers to hold out, and for how long, for a shop with these alerts and orders.

    \b
    Example:
      stream uplift plan year.jsonl --alerts alerts.jsonl --effect 0.04
    """
    from stream.analysis.uplift.study import NothingToCompareError, planned
    from stream.analysis.uplift.words import plan_lines

    rules = chosen_policy(policy, of_worker=from_kafka)
    records, recording = _read((events, alerts, ()), "", now_ms, from_kafka=from_kafka)
    try:
        with reported(recording, as_json=as_json):
            plan, shop = planned(
                records, recording.events(), rules, window_ms=window_ms, effect=effect, now_ms=now_ms
            )
    except NothingToCompareError as problem:
        raise UnfitDataError(str(problem)) from None
    if as_json:
        content = {"window_days": window_ms // DAY_MS, "shop": shop, **msgspec.structs.asdict(plan)}
        echo(msgspec.json.encode(content).decode())
    else:
        echo("\n".join(plan_lines(plan, shop, window_ms)))
        print_notes(records.notes())
