"""`stream send`: parsing and printing only."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from stream.commands.shown import echo
from stream.config.settings import Settings
from stream.core.events.event import Event
from stream.ops.cluster import cluster_errors, cluster_settings, producer, wait_for_partition_count
from stream.ops.send import SendCounts, TimeOrder, addressed_records, checked_lines, send_records
from stream.printable import printable
from stream.progress import progress
from stream.worker.kafka.topics import topic_names

SHOWN_MAX = 20
"""Bad lines printed; the rest is counted."""
OUT_OF_ORDER = (
    "caution: {:,} events are more than eight days older than one of their type and source before them: name "
    "the files in order of time. Of a customer with many events such a one may be taken for a repeat"
)


@click.command("send")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--skip-bad", is_flag=True, help="Send the good lines even if others are bad.")
@click.option("--dry-run", is_flag=True, help="Check every line and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def send_command(files: tuple[Path, ...], skip_bad: bool, dry_run: bool, as_json: bool) -> None:
    """Send events from FILES (JSON lines, .gz or .zst) to their topics.

    Every line is checked first; if one is bad, nothing is sent. Sending the same events again is safe: they
    count once. A history that was never sent must come in order of time. Exit code 1 when a line was bad or a
    broker refused one.

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream send events.jsonl.gz
    """
    if piped := [str(file) for file in files if not file.is_file()]:
        raise click.UsageError(
            f"{piped[0]} can be read only once, but lines are checked before they are sent: use a file"
        )
    settings = cluster_settings()
    now_ms = int(time.time() * 1_000)
    order = TimeOrder()
    good, bad = _checked(files, now_ms, order)
    if order.late:
        echo(OUT_OF_ORDER.format(order.late), err=True)
    may_send = not dry_run and (skip_bad or not bad)
    counts = SendCounts()
    if may_send:
        with cluster_errors():
            counts = _send(settings, files, good, bad)
    _report(good, len(bad), counts, as_json, may_send)


def _checked(files: tuple[Path, ...], now_ms: int, order: TimeOrder) -> tuple[int, set[tuple[Path, int]]]:
    """The number of good lines and the places of the bad ones; the first bad ones are printed."""
    good, bad = 0, set()
    with progress("checking") as advance:
        for line in checked_lines(files, now_ms):
            if isinstance(line.event, Event):
                good += 1
                order.note(line.event)
            else:
                bad.add((line.file, line.number))
                if len(bad) <= SHOWN_MAX:
                    echo(printable(line.problem), err=True)
            advance()
    if len(bad) > SHOWN_MAX:
        echo(f"... and {len(bad) - SHOWN_MAX:,} more", err=True)
    return good, bad


def _send(settings: Settings, files: tuple[Path, ...], good: int, bad: set[tuple[Path, int]]) -> SendCounts:
    names = topic_names(settings)
    client = producer(settings)
    partitions = wait_for_partition_count(client, names.control)
    with progress("sending", good) as advance:
        return send_records(client, addressed_records(files, names, partitions, bad), advance)


def _report(good: int, bad: int, counts: SendCounts, as_json: bool, sent: bool) -> None:
    refused = sum(counts.refused.values())
    if as_json:
        summary = {
            "good": good,
            "bad": bad,
            "sent": sent,
            "acknowledged": dict(counts.acknowledged),
            "refused": dict(counts.refused),
        }
        echo(json.dumps(summary))
    else:
        echo(f"{good:,} good lines, {bad:,} bad" + ("" if sent else "; nothing was sent"))
        for topic, count in sorted(counts.acknowledged.items()):
            echo(f"{count:,} acknowledged on {topic}")
        for reason, count in counts.refused.items():
            echo(printable(f"{count:,} refused: {reason}"), err=True)
    raise SystemExit(1 if bad or refused else 0)
