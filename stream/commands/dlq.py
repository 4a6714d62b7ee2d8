"""`stream dlq list|show|redrive`: parsing and printing only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import click

from stream.commands.groups import SuggestingGroup
from stream.commands.shown import echo
from stream.ops.about_customer import is_about, names_customer
from stream.ops.cluster import (
    cluster_errors,
    cluster_settings,
    from_start,
    partitions_of,
    reader,
)
from stream.ops.dead_letters import DeadLetterRecord, DeadLetterTopic, read_dead_letters
from stream.ops.forget_letters import forget_letters, letters_of
from stream.ops.redrive import (
    RedriveCounts,
    Route,
    redrive,
    route_of,
    selected_letters,
    take_over,
    wait_until_readable,
)
from stream.printable import printable
from stream.wire import Reason
from stream.worker.kafka.topics import TopicNames, topic_names
from stream.worker.kafka.topics_admin import ClusterError

REASON = click.option(
    "--reason",
    help=f"Only dead letters with this reason, such as {Reason.SCHEMA} or {Reason.WRONG_PARTITION}.",
)
SINCE = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]),
    help="Only dead letters written at or after this time (UTC).",
)
CUSTOMER = click.option("--customer", help="Only dead letters whose key or content names this customer.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


@click.group("dlq", cls=SuggestingGroup)
def dlq_group() -> None:
    """Dead letters (input records that were rejected): list them, show one, send them again after a fix.

    \b
    Example:
      stream dlq list --reason schema
    """


@dlq_group.command("list")
@REASON
@SINCE
@CUSTOMER
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(min=1),
    help="List only so many, the newest.",
)
@AS_JSON
def list_command(
    *, reason: str | None, since: datetime | None, customer: str | None, limit: int, as_json: bool
) -> None:
    """Count dead letters by reason and list the newest. Keys and contents (personal data) are not shown.

    \b
    Example:
      stream dlq list --since 2026-03-01 --limit 10
    """
    names, topic = _read_topic(customer)
    with cluster_errors():
        letters = list(selected_letters(topic, (), reason, _ms(since)))
    counts = Counter(letter.reason for letter in letters)
    if as_json:
        rows = [_row(letter, topic) for letter in letters[-limit:]]
        summary = {"total": len(letters), "by_reason": dict(counts), "letters": rows}
        echo(json.dumps(summary | {"foreign": len(topic.foreign)}))
        return
    for letter in letters[-limit:]:
        state = "redriven" if letter.id in topic.done else "open"
        echo(printable(f"{letter.at}  {state:8}  {letter.id}  {letter.reason}: {letter.detail}"))
    for name, count in counts.most_common():
        echo(printable(f"{count:,} {name}"))
    echo(f"{len(letters):,} dead letters on {names.deadletter}")


@dlq_group.command("show")
@click.argument("letter_id")
@AS_JSON
def show_command(letter_id: str, as_json: bool) -> None:
    """Show one dead letter: origin, reason, content (personal data).

    \b
    Example:
      stream dlq show customers.purchases.v1/3/99120
    """
    _, topic = _read_topic()
    with cluster_errors():
        letter = next(selected_letters(topic, [letter_id], None, None))
    row = _row(letter, topic) | {
        "key": _text(letter.key),
        "headers": {name: _text(text) for name, text in letter.headers},
        "value": _text(letter.value),
    }
    if as_json:
        echo(json.dumps(row))
        return
    for name, value in row.items():
        echo(printable(f"{name:10} {value}"))


@dlq_group.command("forget")
@click.argument("customer")
@click.option("--dry-run", is_flag=True, help="Count the dead letters, and delete none.")
@AS_JSON
def forget_command(customer: str, dry_run: bool, as_json: bool) -> None:
    """Delete the dead letters of a CUSTOMER, and nobody else's: those whose key or content names them.

    The other letters of the same partitions are written again first, and are kept for 14 days more.

    \b
    Example:
      stream dlq forget c-42 --dry-run
    """
    settings = cluster_settings()
    names, _ = _read_topic()
    with cluster_errors():
        found = len(letters_of(settings, names, customer))
        gone = 0 if dry_run else forget_letters(settings, names, customer)
    if as_json:
        echo(json.dumps({"found": found, "deleted": gone}))
    else:
        echo(f"{found:,} would be deleted" if dry_run else f"{gone:,} deleted")


@dlq_group.command("redrive")
@click.argument("letter_ids", nargs=-1)
@REASON
@SINCE
@click.option("--all", "every", is_flag=True, help="Select every dead letter.")
@click.option("--repair", is_flag=True, help="Where key or topic is wrong, take it from the event itself.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
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
    """Send dead letters to their topics again, after a fix.

    Each is sent exactly once, also if this command is interrupted and started again, or several run at the
    same time: the newest goes on, the others end with code 1. Only those are sent that this version of the
    program accepts; for the others the reason is printed. Exit code 1 when one was not sent or refused.

    \b
    Example:
      stream dlq redrive --reason wrong_partition --dry-run
    """
    if not (letter_ids or reason or since or every):
        raise click.UsageError("name the dead letters: ids, --reason, --since or --all")
    settings = cluster_settings()
    wanted = partial(_routes, letter_ids=letter_ids, reason=reason, since=since, repair=repair)
    names, topic = _read_topic()
    routes, outcome = wanted(names, topic), RedriveCounts()
    if not dry_run and not all(each.obstacle for each in routes):
        with cluster_errors():
            client = take_over(settings, names)
            names, topic = _read_topic()  # again: an earlier run may have sent some meanwhile
            routes = wanted(names, topic)
            outcome = redrive(client, names, topic, routes)
            wait_until_readable(settings, names)
    _report(routes, outcome, dry_run, as_json)


def _routes(
    names: TopicNames,
    topic: DeadLetterTopic,
    *,
    letter_ids: Sequence[str],
    reason: str | None,
    since: datetime | None,
    repair: bool,
) -> list[Route]:
    """Of the dead letters that were named and not sent yet."""
    with cluster_errors():
        letters = list(selected_letters(topic, letter_ids, reason, _ms(since)))
    return [route_of(each, names, repair) for each in letters if each.id not in topic.done]


def _report(routes: Sequence[Route], outcome: RedriveCounts, dry_run: bool, as_json: bool) -> None:
    staying = [each for each in routes if each.obstacle]
    going = len(routes) - len(staying)
    if as_json:
        summary = {
            "selected": len(routes),
            "would_send" if dry_run else "sent": going if dry_run else outcome.sent,
            "refused": outcome.refused,
            "staying": {each.letter.id: each.obstacle for each in staying},
        }
        echo(json.dumps(summary))
    else:
        for each in staying:
            echo(printable(f"{each.letter.id} stays: {each.obstacle}"))
        echo(f"{going:,} would be sent" if dry_run else f"{outcome.sent:,} sent, {outcome.refused:,} refused")
    raise SystemExit(1 if staying or outcome.refused else 0)


def _read_topic(customer: str | None = None) -> tuple[TopicNames, DeadLetterTopic]:
    """The dead letters, or those of one customer."""
    settings = cluster_settings()
    names = topic_names(settings)
    with cluster_errors(), reader(settings) as consumer:
        if not partitions_of(consumer, names.deadletter):
            raise ClusterError(f"{names.deadletter}: no such topic; run `stream topics apply`")
        topic = read_dead_letters(
            each
            for each in from_start(consumer, names.deadletter)
            if customer is None or is_about(each, customer, loosely=True) or each.key() is None
        )
    if customer is not None:
        topic.letters = {name: each for name, each in topic.letters.items() if _names(each, customer)}
    if topic.foreign:
        count = f"{len(topic.foreign):,} records on {names.deadletter} are not ours and were skipped"
        echo(f"{count}; the first: {topic.foreign[0]}", err=True)
    return names, topic


def _names(letter: DeadLetterRecord, customer: str) -> bool:
    """Letters without a key were read as well, since markers have none."""
    return letter.key is not None or names_customer(letter.value or b"", letter.headers, customer)


def _row(letter: DeadLetterRecord, topic: DeadLetterTopic) -> dict[str, object]:
    return {
        "id": letter.id,
        "at": letter.at,
        "reason": letter.reason,
        "detail": letter.detail,
        "stage": letter.stage,
        "version": letter.version,
        "bytes": len(letter.value or b""),
        "redriven": letter.id in topic.done,
    }


def _text(value: bytes | None) -> str | None:
    """The bytes as text where they are UTF-8, else as hexadecimal digits."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return "hex:" + value.hex()


def _ms(since: datetime | None) -> int | None:
    return None if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1_000)
