"""`stream topics apply|check`: parsing and printing only."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click
import msgspec

from stream.commands.groups import SuggestingGroup
from stream.commands.parameters import chosen_policy
from stream.commands.shown import echo
from stream.ops.cluster import cluster_errors, cluster_settings
from stream.ops.topic_setup import alerts_needed_ms, apply_changes, compare_topics, planned_changes
from stream.worker.kafka.topics import TopicFinding

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


@click.group("topics", cls=SuggestingGroup)
def topics_group() -> None:
    """Create the Kafka topics, and compare their settings with the required ones.

    Brokers, partitions and replication come from the environment (STREAM_*, see `stream settings`).

    \b
    Example:
      STREAM_BROKERS=kafka:9092 stream topics apply --dry-run
    """


@topics_group.command("check")
@as_json_option
def check_command(as_json: bool) -> None:
    """Compare the topics with the required settings; change nothing.

    Alerts that are kept for longer than 400 days are fine; so long they are kept at least, and until they
    have expired by STREAM_POLICY and 60 days more. Exit code 0 when all agree, 1 with one line for each
    difference, 2 when a setting or the policy is wrong.

    \b
    Example:
      stream topics check --json
    """
    settings, needed_ms = cluster_settings(), alerts_needed_ms(chosen_policy(None, of_worker=True))
    with cluster_errors():
        found = compare_topics(settings, needed_ms)
    _report(found, [], as_json)


@topics_group.command("apply")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--alter", "may_alter", is_flag=True, help="Also correct the settings of existing topics.")
@as_json_option
def apply_command(dry_run: bool, may_alter: bool, as_json: bool) -> None:
    """Create the topics that are missing. Safe to run again.

    Settings of existing topics are corrected only with --alter, partition counts never. Exit code 1 when a
    difference remains.

    \b
    Example:
      STREAM_PARTITIONS=12 STREAM_REPLICATION=3 stream topics apply
    """
    settings, needed_ms = cluster_settings(), alerts_needed_ms(chosen_policy(None, of_worker=True))
    with cluster_errors():
        found = compare_topics(settings, needed_ms)
        changes = planned_changes(found, may_alter)
        if not dry_run:
            apply_changes(settings, changes, needed_ms)
    if dry_run:
        _report(found, [f"would {line}" for line in changes.lines()], as_json)
    else:
        _report(changes.remaining, changes.lines(), as_json)


def _report(found: Sequence[TopicFinding], done: list[str], as_json: bool) -> None:
    """Print what was done and which differences remain; exit code 1 when one does."""
    left = [finding for finding in found if finding.what != "ok"]
    if as_json:
        differences = [{**msgspec.to_builtins(each), "remedy": each.remedy} for each in left]
        echo(json.dumps({"done": done, "differences": differences}))
    else:
        for line in [*done, *(finding.line() for finding in left)]:
            echo(line)
        if not left:
            echo(f"{len({finding.topic for finding in found})} topics are as they should be")
    raise SystemExit(1 if left else 0)
