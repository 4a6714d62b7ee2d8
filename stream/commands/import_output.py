"""What the imports of data sets share: their options, and the summary that they print."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from stream.commands.output_files import OutputFile, refuse_same_files
from stream.commands.shown import echo
from stream.core.events.event import Event
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.importing.event_writer import write_events
from stream.progress import progress
from stream.recording.output_file import DISK_FULL, is_stdout


class ImportRefusedError(click.ClickException):
    """The import cannot be done with these options or on this machine."""

    exit_code = 2


def output_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --out and --json to a command."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object."),
        click.option(
            "--out",
            required=True,
            type=OutputFile(),
            help="File to write: .jsonl, .jsonl.gz or .jsonl.zst; - is standard output.",
        ),
    ):
        command = option(command)
    return command


def write_and_report(
    read: Callable[[], Iterable[Event]], out: Path, as_json: bool, sources: Iterable[Path] = ()
) -> None:
    """Write the events that `read` returns to a file, then print the summary.

    `sources` are the files of the data set; `out` may not be one of them.
    """
    refuse_same_files([("the data set's", path) for path in sources], [("--out", out)])
    try:
        with progress("events") as advance:
            summary = write_events(read, out, advance)
    except SourceUnavailableError as missing:
        raise ImportRefusedError(str(missing)) from missing
    except OSError as failure:
        if failure.errno in DISK_FULL or isinstance(failure, BrokenPipeError):
            raise
        raise ImportRefusedError(f"{failure.filename or out}: {failure.strerror or failure}") from failure
    _print_summary(summary, as_json, to_stderr=is_stdout(out))


def _print_summary(summary: dict[str, Any], as_json: bool, *, to_stderr: bool) -> None:
    if as_json:
        echo(json.dumps(summary), err=to_stderr)
        return
    echo(f"{summary['events']:,} events from {summary['first_at']} to {summary['last_at']}", err=to_stderr)
    for kind, count in summary["types"].items():
        echo(f"  {count:>9,}  {kind}", err=to_stderr)
    echo(f"written to {summary['out']} in {summary['seconds']} s", err=to_stderr)
