"""`stream dlq list|show|redrive`: parsing and printing only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from stream.ops.cluster import (
    cluster_errors,
    cluster_settings,
    from_start,
    partitions_of,
    producer,
    reader,
)
from stream.ops.dead_letters import Letter, Letterbox, letterbox
from stream.ops.redrive import Outcome, Way, redrive, selected, way
from stream.wire import Reason
from stream.worker.kafka.topics import TopicNames, topic_names
from stream.worker.kafka.topics_admin import ClusterError, admin_client

REASON = click.option("--reason", help=f"Only this reason, as {Reason.SCHEMA} or {Reason.WRONG_PARTITION}.")
SINCE = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]),
    help="Only letters written at or after this time (UTC).",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


@click.group("dlq")
def dlq_group() -> None:
    """Records that could not be understood: list them, look at one, send them again after a fix.

    \b
    Example:
      stream dlq list --reason schema
    """


@dlq_group.command("list")
@REASON
@SINCE
@click.option("--limit", default=50, show_default=True, help="Show at most this many of the newest.")
@AS_JSON
def list_command(reason: str | None, since: datetime | None, limit: int, as_json: bool) -> None:
    """Count dead letters by reason and list the newest; customers' data stays hidden.

    \b
    Example:
      stream dlq list --since 2026-03-01 --limit 10
    """
    names, box = _read()
    with cluster_errors():
        letters = list(selected(box, (), reason, _ms(since)))
    counts = Counter(letter.reason for letter in letters)
    if as_json:
        rows = [_row(letter, box) for letter in letters[-limit:]]
        click.echo(json.dumps({"total": len(letters), "by_reason": dict(counts), "letters": rows}))
        return
    for letter in letters[-limit:]:
        state = "redriven" if letter.id in box.done else "open"
        click.echo(f"{letter.at}  {state:8}  {letter.id}  {letter.reason}: {letter.detail}")
    for name, count in counts.most_common():
        click.echo(f"{count:,} {name}")
    click.echo(f"{len(letters):,} dead letters on {names.deadletter}")


@dlq_group.command("show")
@click.argument("letter_id")
@AS_JSON
def show_command(letter_id: str, as_json: bool) -> None:
    """Show one dead letter whole: where it was, why it is here, and its bytes (a customer's data).

    \b
    Example:
      stream dlq show customers.purchases.v1/3/99120
    """
    _, box = _read()
    with cluster_errors():
        letter = next(selected(box, [letter_id], None, None))
    row = _row(letter, box) | {
        "key": _text(letter.key),
        "headers": {name: _text(text) for name, text in letter.headers},
        "value": _text(letter.value),
    }
    if as_json:
        click.echo(json.dumps(row))
        return
    for name, value in row.items():
        click.echo(f"{name:10} {value}")


@dlq_group.command("redrive")
@click.argument("letter_ids", nargs=-1)
@REASON
@SINCE
@click.option("--all", "every", is_flag=True, help="Every dead letter.")
@click.option("--repair", is_flag=True, help="Take a wrong key or topic from the event itself.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@AS_JSON
def redrive_command(
    *,
    letter_ids: tuple[str, ...],
    reason: str | None,
    since: datetime | None,
    every: bool,
    repair: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send dead letters to their topics again, after a fix: each once, also when this command is interrupted.

    A letter goes only if this version of the program understands it; the others stay, with the reason. Exit
    code 1 when one stays or a broker refused one.

    \b
    Example:
      stream dlq redrive --reason wrong_partition --dry-run
    """
    if not (letter_ids or reason or since or every):
        raise click.UsageError("say which: ids, --reason, --since or --all")
    names, box = _read()
    settings = cluster_settings()
    with cluster_errors(), reader(settings) as consumer:
        ways = [way(each, names, repair) for each in selected(box, letter_ids, reason, _ms(since))]
        ways = [each for each in ways if each.letter.id not in box.done]
        outcome = Outcome() if dry_run else redrive(consumer, producer(settings), names, box, ways)
    _tell(ways, outcome, dry_run, as_json)


def _tell(ways: Sequence[Way], outcome: Outcome, dry_run: bool, as_json: bool) -> None:
    staying = [each for each in ways if each.obstacle]
    going = len(ways) - len(staying)
    if as_json:
        told = {
            "selected": len(ways),
            "would_send" if dry_run else "sent": going if dry_run else outcome.sent,
            "sent_before": outcome.found_sent,
            "refused": outcome.refused,
            "staying": {each.letter.id: each.obstacle for each in staying},
        }
        click.echo(json.dumps(told))
    else:
        for each in staying:
            click.echo(f"{each.letter.id} stays: {each.obstacle}")
        if outcome.found_sent:
            click.echo(f"{outcome.found_sent:,} had been sent by a run that was interrupted")
        click.echo(
            f"{going:,} would be sent" if dry_run else f"{outcome.sent:,} sent, {outcome.refused:,} refused"
        )
    raise SystemExit(1 if staying or outcome.refused else 0)


def _read() -> tuple[TopicNames, Letterbox]:
    settings = cluster_settings()
    names = topic_names(settings)
    with cluster_errors(), reader(settings) as consumer:
        admin_client(settings)
        if not partitions_of(consumer, names.deadletter):
            raise ClusterError(f"{names.deadletter}: no such topic; run `stream topics apply`")
        return names, letterbox(from_start(consumer, names.deadletter))


def _row(letter: Letter, box: Letterbox) -> dict[str, object]:
    return {
        "id": letter.id,
        "at": letter.at,
        "reason": letter.reason,
        "detail": letter.detail,
        "stage": letter.stage,
        "version": letter.version,
        "bytes": len(letter.value or b""),
        "redriven": letter.id in box.done,
    }


def _text(value: bytes | None) -> str | None:
    """Text where it is text, else its bytes as hexadecimal digits."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return "hex:" + value.hex()


def _ms(since: datetime | None) -> int | None:
    return None if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1_000)
