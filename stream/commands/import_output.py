"""What every import shares: where the events go, and the summary of what was written."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
import msgspec

from stream.core.events.event import Event
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.progress import progress
from stream.recording.event_file import STDOUT, atomic_writer


class ImportRefusedError(click.ClickException):
    """What was asked for cannot be done with this configuration or on this machine."""

    exit_code = 2


def output_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object."),
        click.option(
            "--out",
            required=True,
            type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
            help="Where to write: .jsonl, .jsonl.gz or .jsonl.zst; - is standard output.",
        ),
    ):
        command = option(command)
    return command


def write_events(read: Callable[[], Iterable[Event]], out: Path, as_json: bool) -> None:
    """Write every event, then tell what was written."""
    try:
        summary = _write(read, out)
    except SourceUnavailableError as missing:
        raise ImportRefusedError(str(missing)) from missing
    except OSError as failure:
        raise ImportRefusedError(f"cannot write {out}: {failure.strerror or failure}") from failure
    tell(summary, out, as_json)


def _write(read: Callable[[], Iterable[Event]], out: Path) -> dict[str, Any]:
    encode = msgspec.json.Encoder().encode
    types: Counter[type[Event]] = Counter()
    event: Event | None = None
    began, first_at = time.monotonic(), None
    with atomic_writer(out) as file, progress("events") as advance:
        for event in read():
            file.write(encode(event) + b"\n")
            types[type(event)] += 1
            first_at = first_at or event.time
            advance()
    return {
        "events": types.total(),
        "types": {str(kind.__struct_config__.tag): types[kind] for kind in sorted(types, key=str)},
        "first_at": first_at and first_at.isoformat(),
        "last_at": event and event.time.isoformat(),
        "out": str(out),
        "seconds": round(time.monotonic() - began, 1),
    }


def tell(summary: dict[str, Any], out: Path, as_json: bool) -> None:
    """The summary goes to standard output, unless the events did."""
    stream = sys.stderr if out == STDOUT else sys.stdout
    if as_json:
        click.echo(json.dumps(summary), file=stream)
        return
    click.echo(
        f"{summary['events']:,} events from {summary['first_at']} to {summary['last_at']}", file=stream
    )
    for kind, count in summary["types"].items():
        click.echo(f"  {count:>9,}  {kind}", file=stream)
    click.echo(f"written to {summary['out']} in {summary['seconds']} s", file=stream)
