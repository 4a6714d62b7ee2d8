"""`stream topics apply|check`: parsing and printing only."""

from __future__ import annotations

import json

import click
import msgspec

from stream.config.environment import load_settings
from stream.config.settings import Settings
from stream.worker.kafka.topics import TopicFinding, topic_findings, topic_plans
from stream.worker.kafka.topics_admin import (
    ClusterError,
    admin_client,
    alter_topics,
    cluster_topics,
    create_topics,
)

EMBEDDED = (
    "the embedded broker creates its own topics and cannot be checked; name a real one by STREAM_BROKERS"
)
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


@click.group("topics")
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

    Exit code 0 when all agree, 1 with one line for each difference.

    \b
    Example:
      stream topics check --json
    """
    settings = _real_cluster_settings()
    found = _found(settings)
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
    settings = _real_cluster_settings()
    found = _found(settings)
    missing = {finding.topic for finding in found if finding.what == "missing"}
    drifted = [finding for finding in found if finding.what == "config"] if may_alter else []
    done = [f"create {topic}" for topic in sorted(missing)]
    done += [f"alter {finding.topic}: {finding.config}={finding.wanted}" for finding in drifted]
    if dry_run:
        _report(found, [f"would {line}" for line in done], as_json)
        return
    try:
        client = admin_client(settings)
        create_topics(client, [plan for plan in topic_plans(settings) if plan.name in missing])
        alter_topics(client, drifted)
    except ClusterError as error:
        raise click.ClickException(str(error)) from error
    solved = [TopicFinding(topic, "ok") for topic in sorted(missing)]
    left = [finding for finding in found if finding.what != "missing" and finding not in drifted]
    _report(left + solved, done, as_json)


def _real_cluster_settings() -> Settings:
    settings = load_settings()
    if settings.brokers == "embedded":
        raise click.UsageError(f"STREAM_BROKERS = 'embedded': {EMBEDDED}")
    return settings


def _found(settings: Settings) -> list[TopicFinding]:
    plans = topic_plans(settings)
    try:
        client = admin_client(settings)
        return list(topic_findings(plans, cluster_topics(client, [plan.name for plan in plans])))
    except ClusterError as error:
        raise click.ClickException(str(error)) from error


def _report(found: list[TopicFinding], done: list[str], as_json: bool) -> None:
    """Print what was done and which differences remain; exit code 1 when one does."""
    left = [finding for finding in found if finding.what != "ok"]
    if as_json:
        click.echo(json.dumps({"done": done, "differences": msgspec.to_builtins(left)}))
    else:
        for line in [*done, *(finding.line() for finding in left)]:
            click.echo(line)
        if not left:
            click.echo(f"{len({finding.topic for finding in found})} topics are as they should be")
    raise SystemExit(1 if left else 0)
