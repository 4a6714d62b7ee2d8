"""`stream deliver list|undelivered|show`: what became of the alerts."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import click
import msgspec

from stream.commands.deliver import (
    AS_JSON,
    ENDPOINT,
    QUEUE,
    SINCE,
    clock_ms,
    deliver_group,
    ms_of,
    opened_queue,
)
from stream.commands.shown import echo
from stream.core.alerts.alert import rfc3339
from stream.deliver.plan.outcome import is_undelivered
from stream.deliver.queue.attempts import endpoint_states
from stream.deliver.queue.listing import (
    Selection,
    oldest_pending_ms,
    stored_deliveries,
    tallies,
    unread_records,
)
from stream.deliver.queue.rows import StoredDelivery

SUPPRESSED_WORDS = {
    "consent": "the customer's consent does not allow what the alert recommends",
    "budget": "the contact budget of the customer was used up",
    "muted": "nothing about the customer may reach anybody",
    "quiet_hours": "it would have expired before quiet hours are over",
    "holdout": "the customer is held out by an experiment; it would have been sent now",
    "filter": "the endpoint's filter leaves such alerts out",
    "history": "it was written long after its time: a replay or a back-fill",
    "erased": "the customer was erased",
}
"""Reason of `suppressed` -> in words, where the delivery itself has none."""


@deliver_group.command("list")
@QUEUE
@AS_JSON
def list_command(queue: str | None, as_json: bool) -> None:
    """List the endpoints: whether each is disabled, what is queued, and how deliveries ended.

    \b
    Example:
      stream deliver list --json
    """
    now_ms = clock_ms()
    with opened_queue(queue) as database:
        counts, states, oldest = tallies(database), endpoint_states(database), oldest_pending_ms(database)
        unread, examples = unread_records(database, 5)
    names = sorted({each.endpoint for each in counts} | set(states))
    outcomes: dict[str, dict[str, int]] = {name: {} for name in names}
    for each in counts:
        label = "/".join(filter(None, (each.outcome or "pending", each.reason)))
        outcomes[each.endpoint][label] = each.count
    waits_s = {name: (now_ms - oldest.get(name, now_ms)) // 1_000 for name in names}
    rows: list[dict[str, object]] = [
        {
            "endpoint": name,
            "disabled": states[name].reason if name in states and states[name].disabled_ms else None,
            "oldest_pending_s": waits_s[name],
            "outcomes": outcomes[name],
        }
        for name in names
    ]
    if as_json:
        echo(json.dumps({"endpoints": rows, "no_alerts": unread, "examples": dict(examples)}))
        return
    for name, row in zip(names, rows, strict=True):
        echo(f"{name}: {'DISABLED: ' + str(row['disabled']) if row['disabled'] else 'enabled'}")
        for outcome, count in outcomes[name].items():
            waits = f", the oldest for {timedelta(seconds=waits_s[name])}" if outcome == "pending" else ""
            echo(f"  {count:,} {outcome}{waits}")
    if unread:
        echo(f"{unread:,} records of the topic are no alerts; the latest: {examples}")
    if not rows:
        echo("nothing was read yet")


@deliver_group.command("undelivered")
@ENDPOINT
@SINCE
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(min=1), help="List only so many."
)
@click.option(
    "--all",
    "also_on_purpose",
    is_flag=True,
    help="Also what was left out on purpose: filter, experiment, consent, muted, erased, history.",
)
@QUEUE
@AS_JSON
def undelivered_command(
    *,
    endpoint: str,
    since: datetime | None,
    limit: int,
    also_on_purpose: bool,
    queue: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """List what was never delivered, and why: parked, expired, disabled, or held back by a limit.

    Exit code 1 when there is any. What was left out on purpose is not among it, but with --all.

    \b
    Example:
      stream deliver undelivered --endpoint crm --since 2026-11-01
    """
    bad = ("parked", "expired", "disabled", "suppressed")
    with opened_queue(queue, endpoint) as database:
        found = stored_deliveries(database, Selection(bad, endpoint, ms_of(since)))
        listed = [each for each in found if also_on_purpose or is_undelivered(each.outcome, each.reason)]
    if as_json:
        echo(json.dumps({"count": len(listed), "undelivered": [_row(each) for each in listed[:limit]]}))
    else:
        for each in listed[:limit]:
            echo(_line(each))
        echo(f"{len(listed):,} undelivered")
    raise SystemExit(1 if listed else 0)


@deliver_group.command("show")
@click.argument("alert_id")
@QUEUE
@AS_JSON
def show_command(alert_id: str, queue: str | None, *, as_json: bool) -> None:
    """Show what became of one alert at each endpoint (personal data).

    \b
    Example:
      stream deliver show 8f6f9c02-7aad-50fd-835f-81a03defbd1a
    """
    with opened_queue(queue) as database:
        found = list(stored_deliveries(database, Selection(alert_id=alert_id)))
    if not found:
        raise click.ClickException(f"{alert_id}: no such alert in the queue")
    if as_json:
        echo(json.dumps({"alert": alert_id, "deliveries": [_row(each) for each in found]}))
        return
    for each in found:
        echo(json.dumps(_row(each), indent=2))


def _row(each: StoredDelivery) -> dict[str, object]:
    row = msgspec.structs.asdict(each)
    for name in ("read", "ended", "due", "expires"):
        at_ms = row.pop(f"{name}_ms")
        row[name] = rfc3339(at_ms) if at_ms else None
    return row | {"outcome": each.outcome or "pending"}


def _line(each: StoredDelivery) -> str:
    outcome = each.outcome + (f" ({each.reason})" if each.reason else "")
    tried = f"{each.attempts} attempts" + (f", the last: {each.detail}" if each.detail else "")
    if each.outcome == "suppressed":
        tried = each.detail or SUPPRESSED_WORDS[each.reason]
    what = f"{each.endpoint}  {each.alert_id}  {each.kind}.{each.state}"
    return f"{rfc3339(each.ended_ms)}  {what}  {outcome}: {tried}"
