"""`stream replay`: what would this policy have done, on files of events or on what the topics hold?"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from stream.recording.recording import Recording
from stream.replay.report import chosen_book, run_replay
from stream.wire import YEAR_MAX

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = click.Path(dir_okay=False, path_type=Path)
INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


@click.command("replay")
@click.argument("events", nargs=-1, type=EXISTING)
@click.option("--from-kafka", is_flag=True, help="Read the input topics (STREAM_*) instead of files.")
@click.option("--from", "begin", type=INSTANT, help="With --from-kafka: from this event time on (UTC).")
@click.option("--to", "end", type=INSTANT, help="With --from-kafka: up to this event time (UTC).")
@click.option("--policy", "policy_path", type=EXISTING, help="Policy file (TOML). [default: the shipped one]")
@click.option("--model", "model_path", type=EXISTING, help="Model record (JSON). [default: the shipped one]")
@click.option("--profiles", type=OUTPUT, help="Write one profile a line, by customer id.")
@click.option("--alerts", type=OUTPUT, help="Write one alert a line, by time.")
@click.option("--partitions", type=click.IntRange(1, 1_000), default=1, show_default=True)
@click.option("--until", type=INSTANT, help="Let the clock run on to this instant (UTC).")
@click.option("--rejects", type=OUTPUT, help="Write the lines that are no event: file, line, reason.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def replay_command(
    *,
    events: tuple[Path, ...],
    from_kafka: bool,
    begin: datetime | None,
    end: datetime | None,
    policy_path: Path | None,
    model_path: Path | None,
    profiles: Path | None,
    alerts: Path | None,
    partitions: int,
    until: datetime | None,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Run the worker's own step over recorded events, without a worker and in exact event time.

    Files (JSON lines, .gz and .zst too) are merged by time. The same events, policy and model give the same
    bytes, whatever the number of partitions. Exit code 1 when some lines were no events.

    \b
    Examples:
      stream replay cdnow.jsonl --policy policy.toml --profiles profiles.jsonl --alerts alerts.jsonl
      stream replay --from-kafka --from 2026-01-01 --to 2026-03-31 --alerts alerts.jsonl
    """
    if from_kafka == bool(events):
        raise click.UsageError("name files of events, or --from-kafka, one of the two")
    if (begin or end) and not from_kafka:
        raise click.UsageError("--from and --to belong to --from-kafka")
    if until and until.year > YEAR_MAX:
        raise click.UsageError(f"--until: the last year is {YEAR_MAX}")
    book = chosen_book(policy_path, model_path)
    recording = _topics(begin, end) if from_kafka else Recording(events)
    status = run_replay(
        recording,
        book,
        partitions=partitions,
        until_ms=_ms(until) or 0,
        profiles=profiles,
        alerts=alerts,
        rejects=rejects,
        as_json=as_json,
    )
    sys.exit(status)


def _topics(begin: datetime | None, end: datetime | None) -> Recording:
    from stream.ops.cluster import cluster_errors, cluster_settings
    from stream.ops.topic_recording import recorded_topics

    with cluster_errors():
        return recorded_topics(cluster_settings(), _ms(begin), _ms(end))


def _ms(at: datetime | None) -> int | None:
    return round(at.replace(tzinfo=UTC).timestamp() * 1_000) if at else None
