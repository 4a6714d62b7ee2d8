"""`stream deliver`: parsing and printing only."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from stream.commands.groups import SuggestingGroup
from stream.commands.parameters import EXISTING
from stream.commands.shown import echo
from stream.config.environment import load_settings
from stream.deliver.endpoints.endpoint import Endpoint, Endpoints
from stream.deliver.endpoints.file import EndpointsFileError, load_endpoints
from stream.deliver.plan.outcome import OUTCOMES, SUPPRESSED_BY
from stream.deliver.queue.attempts import disable, enable
from stream.deliver.queue.database import Database, QueueError
from stream.deliver.queue.listing import Selection, known_endpoints, stored_deliveries
from stream.deliver.queue.resend import STAYS, resend
from stream.deliver.queue.sqlite import SqliteDatabase
from stream.pseudonyms import ERASED, Pseudonyms

ENDPOINTS = click.option(
    "--endpoints", "path", type=EXISTING, help="Endpoints file; by default STREAM_DELIVER_ENDPOINTS."
)
QUEUE = click.option("--queue", help="SQLite file or postgresql:// URL; by default STREAM_DELIVER_QUEUE.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
ENDPOINT = click.option("--endpoint", default="", help="Only deliveries to this endpoint.")
SINCE = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]),
    help="Only alerts that were read from the topic at or after this time (UTC).",
)


@click.group("deliver", cls=SuggestingGroup)
def deliver_group() -> None:
    """Hand alerts over to other programs as signed webhooks, and see what became of each.

    \b
    Example:
      stream deliver run --endpoints endpoints.toml
    """


@deliver_group.command("check")
@ENDPOINTS
def check_command(path: Path | None) -> None:
    """Check the endpoints file with its secrets and certificates; send nothing.

    Exit code 2 with one line for each fault.

    \b
    Example:
      stream deliver check --endpoints endpoints.toml
    """
    for each in chosen_endpoints(path).by_name.values():
        echo(f"{each.name}: as it should be")


@deliver_group.command("resend")
@click.argument("alert_ids", nargs=-1)
@click.option(
    "--outcome", "outcomes", multiple=True, type=click.Choice(OUTCOMES), help="Deliveries with this outcome."
)
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    type=click.Choice(SUPPRESSED_BY),
    help="Of suppressed ones only those with this reason.",
)
@ENDPOINT
@SINCE
@click.option("--dry-run", is_flag=True, help="Print what would be queued, and change nothing.")
@QUEUE
@AS_JSON
def resend_command(
    *,
    alert_ids: tuple[str, ...],
    outcomes: tuple[str, ...],
    reasons: tuple[str, ...],
    endpoint: str,
    since: datetime | None,
    dry_run: bool,
    queue: str | None,
    as_json: bool,
) -> None:
    """Queue deliveries once more, as many as there are, under the same webhook-id.

    What has expired, belongs to an episode that is over, or was held out is not sent; the reasons are
    printed, and the exit code is 1.

    \b
    Example:
      stream deliver resend --outcome parked --outcome disabled --endpoint crm --dry-run
    """
    if not (alert_ids or outcomes):
        raise click.UsageError("name the deliveries: alert ids, or --outcome")
    queued, staying = 0, dict.fromkeys(STAYS, 0)
    with opened_queue(queue, endpoint) as database:
        for alert_id in alert_ids or ("",):
            selection = Selection(outcomes or OUTCOMES, endpoint, ms_of(since), alert_id=alert_id)
            done = resend(database, selection, clock_ms(), reasons=reasons, dry_run=dry_run)
            queued += done.queued
            for name, count in done.staying.items():
                staying[name] += count
    if as_json:
        echo(json.dumps({"would_queue" if dry_run else "queued": queued, "staying": staying}))
    else:
        for name, count in staying.items():
            if count:
                echo(f"{count:,} stay: {STAYS[name]}")
        echo(f"{queued:,} {'would be queued' if dry_run else 'queued'}")
    raise SystemExit(1 if any(staying.values()) or not queued else 0)


@deliver_group.command("disable")
@click.argument("endpoint")
@click.option("--reason", default="disabled by hand", show_default=True, help="Is shown by `list`.")
@QUEUE
def disable_command(endpoint: str, reason: str, queue: str | None) -> None:
    """Send nothing more to an endpoint; its alerts are kept, and end as disabled.

    \b
    Example:
      stream deliver disable crm --reason "maintenance until Monday"
    """
    with opened_queue(queue, endpoint) as database:
        ended = disable(database, endpoint, reason, clock_ms())
    echo(f"{endpoint}: disabled; {sum(ended.values()):,} queued alerts ended as disabled")


@deliver_group.command("enable")
@click.argument("endpoint")
@QUEUE
def enable_command(endpoint: str, queue: str | None) -> None:
    """Send to an endpoint again. Exit code 1 when it was not disabled.

    \b
    Example:
      stream deliver enable crm && stream deliver resend --outcome disabled --endpoint crm
    """
    with opened_queue(queue, endpoint) as database:
        was_disabled = enable(database, endpoint)
        kept = sum(1 for _ in stored_deliveries(database, Selection(("disabled",), endpoint)))
    if not was_disabled:
        raise click.ClickException(f"{endpoint}: it is not disabled (`stream deliver list` shows all)")
    echo(f"{endpoint}: enabled; {kept:,} alerts ended as disabled: `stream deliver resend` sends them")


@deliver_group.command("test")
@click.argument("endpoint")
@ENDPOINTS
@AS_JSON
def test_command(endpoint: str, path: Path | None, *, as_json: bool) -> None:
    """Send a labelled sample alert to an endpoint, once; print request, answer, and what is wrong.

    Its customer is `stream-deliver-test`. Exit code 1 when it was not accepted.

    \b
    Example:
      stream deliver test crm --endpoints endpoints.toml
    """
    endpoints = chosen_endpoints(path).by_name
    if endpoint not in endpoints:
        raise click.UsageError(f"{endpoint}: no such endpoint; there are {', '.join(endpoints)}")
    raise SystemExit(0 if asyncio.run(_send_sample(endpoints[endpoint], as_json=as_json)) else 1)


async def _send_sample(endpoint: Endpoint, *, as_json: bool) -> bool:
    from stream.deliver.sample import ADVICE, sample_alert
    from stream.deliver.send.client import TOKEN_HEADERS, Client, request_of

    now_ms = clock_ms()
    webhook_id, body = sample_alert(now_ms)
    headers, posted = request_of(endpoint, webhook_id, body, now_ms)
    shown = {name: "(the token)" if name in TOKEN_HEADERS else value for name, value in headers.items()}
    if not as_json:
        echo(f"POST to {endpoint.name}, {len(posted):,} bytes")
        for name, value in shown.items():
            echo(f"  {name}: {value}")
        echo(posted.decode())
    began_s = time.monotonic()
    async with Client(endpoint) as client:
        answer = await client.post(webhook_id, body, now_ms)
    seconds = time.monotonic() - began_s
    to_do = ADVICE[answer.failure] if answer.failure else ""
    if as_json:
        echo(
            json.dumps(
                {
                    "endpoint": endpoint.name,
                    "accepted": answer.accepted,
                    "request": {"headers": shown, "body": posted.decode()},
                    "answer": {
                        "status": answer.status,
                        "failure": answer.failure,
                        "detail": answer.detail,
                        "seconds": round(seconds, 3),
                    },
                    "what_to_do": to_do,
                }
            )
        )
    else:
        echo(f"{'accepted' if answer.accepted else answer.failure} after {seconds:.2f} s: {answer.detail}")
        if to_do:
            echo(f"What to do: {to_do}")
    return answer.accepted


def chosen_endpoints(path: Path | None) -> Endpoints:
    """The endpoints of a file, or of the one that STREAM_DELIVER_ENDPOINTS names. Exit code 2 for a fault."""
    path = path or Path(load_settings().deliver_endpoints or os.devnull)
    if path == Path(os.devnull):
        raise click.UsageError("no endpoints file: give --endpoints, or set STREAM_DELIVER_ENDPOINTS")
    try:
        return load_endpoints(path, os.environ, clock_ms())
    except (EndpointsFileError, OSError) as faults:
        echo(str(faults), err=True)
        raise SystemExit(2) from None


def queue_of(place: str, *, alone: bool = False, create: bool = True) -> Database:
    """The queue in a SQLite file, or in PostgreSQL where the place is a postgresql:// URL. QueueError."""
    database: Database
    if place.startswith(("postgresql://", "postgres://")):
        from stream.deliver.queue.postgres import PostgresDatabase

        database = PostgresDatabase(place, create=create)
    else:
        database = SqliteDatabase(Path(place), alone=alone, create=create)
    database.pseudonyms = Pseudonyms(load_settings().erasure_key, ERASED)
    return database


@contextmanager
def opened_queue(queue: str | None, endpoint: str = "") -> Iterator[Database]:
    """The queue that exists; one line and exit code 1 when it cannot be used, 2 for an unknown endpoint."""
    try:
        database = queue_of(queue or load_settings().deliver_queue, create=False)
        try:
            if endpoint and endpoint not in (known := known_endpoints(database)):
                there = f"there are {', '.join(known)}" if known else "it has none yet"
                raise click.UsageError(
                    f"{endpoint}: no such endpoint in this queue; {there} "
                    "(`stream deliver run` adds those of its file)"
                )
            yield database
        finally:
            database.close()
    except QueueError as error:
        raise click.ClickException(str(error)) from error


def ms_of(since: datetime | None) -> int:
    return 0 if since is None else int(since.replace(tzinfo=UTC).timestamp() * 1_000)


def clock_ms() -> int:
    return time.time_ns() // 1_000_000
