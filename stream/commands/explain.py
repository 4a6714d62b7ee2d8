"""`stream explain CUSTOMER`: parsing and printing only."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from stream.commands.parameters import EXISTING, basis_of_worker, chosen_basis
from stream.commands.recorded_events import print_notes
from stream.commands.shown import echo
from stream.core.alerts.alert import Alert
from stream.ops.customer import (
    CustomerSnapshot,
    snapshot_from_events,
    snapshot_from_files,
    snapshot_from_topics,
)
from stream.printable import printable
from stream.progress import progress
from stream.wire import YEAR_MAX, YEAR_MIN
from stream.wording.alert import alert_lines
from stream.wording.amounts import date
from stream.wording.judged_by import basis_notes, judged_otherwise
from stream.wording.profile import Section, profile_sections
from stream.wording.wrap import for_terminal


class Instant(click.ParamType):
    """`2017-09-01` or `2017-09-01T12:00`, in UTC unless there is an offset; or `now`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Milliseconds since 1970."""
        if isinstance(value, int):
            return value
        try:
            when = datetime.now(UTC) if value == "now" else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; allowed: 2017-09-01, 2017-09-01T12:00Z, now", param, ctx)
        if not YEAR_MIN <= when.year <= YEAR_MAX:
            self.fail(f"{value!r}: years go from {YEAR_MIN} to {YEAR_MAX}", param, ctx)
        return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1_000)


AT_HELP = "As of this time (UTC). [default: the customer's last event or judgement]"
POLICY_HELP = "Policy file (TOML). [default: the shipped one; with --from-kafka STREAM_POLICY]"
MODEL_HELP = "Model record (JSON). [default: the shipped one; with --from-kafka the one in force]"


@click.command("explain")
@click.argument("customer")
@click.option("--events", multiple=True, type=EXISTING, help="File of events, replayed up to --at.")
@click.option("--profiles", type=EXISTING, help="Profiles written by `stream replay`.")
@click.option("--alerts", type=EXISTING, help="Alerts written by `stream replay`.")
@click.option("--from-kafka", is_flag=True, help="Read the topics of profiles and alerts (STREAM_*).")
@click.option("--at", "at_ms", type=Instant(), help=AT_HELP)
@click.option("--policy", "policy_path", type=EXISTING, help=POLICY_HELP)
@click.option("--model", "model_path", type=EXISTING, help=MODEL_HELP)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="One JSON object: customer, as_of, sections, alerts, notes, profile.",
)
def explain_command(
    *,
    customer: str,
    events: tuple[Path, ...],
    profiles: Path | None,
    alerts: Path | None,
    from_kafka: bool,
    at_ms: int | None,
    policy_path: Path | None,
    model_path: Path | None,
    as_json: bool,
) -> None:
    """Show all that is known of a CUSTOMER: buying, interests, engagement, value, feedback, and every alert.

    Name one source: events, files of a replay, or the topics. What is stored is shown as it was judged then;
    where that was by another policy or model than --policy and --model, a note says so. Exit code 1 when the
    customer is unknown.

    \b
    Examples:
      stream explain c-42 --events year.jsonl.gz --at 2017-09-01
      stream explain c-42 --profiles profiles.jsonl --alerts alerts.jsonl
      STREAM_BROKERS=kafka:9092 stream explain c-42 --from-kafka --at now
    """
    if sum((bool(events), bool(profiles or alerts), from_kafka)) != 1:
        raise click.UsageError("name one source: --events, --profiles (with --alerts), or --from-kafka")
    basis = (basis_of_worker if from_kafka else chosen_basis)(policy_path, model_path)
    try:
        with progress("looking for the customer") as advance:
            if events:
                known = snapshot_from_events(events, customer, basis, at_ms, advance)
            elif from_kafka:
                known = snapshot_from_topics(customer, basis, at_ms, or_published=model_path is None)
            else:
                known = snapshot_from_files(profiles, alerts, customer, basis, at_ms)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if known.profile is None and not known.alerts:
        when = f" before {date(at_ms)}" if at_ms is not None else ""
        echo(f"nothing is known of {customer!r}{when}", err=True)
        sys.exit(1)
    notes = basis_notes(known.profile, known.alerts, known.basis)
    print_notes(notes)
    if as_json:
        echo(json.dumps(_as_object(customer, known, notes), ensure_ascii=False))
    else:
        echo(for_terminal(_as_text(customer, known)))


def _as_text(customer: str, known: CustomerSnapshot) -> str:
    lines = [f"{customer}, as of {date(known.as_of_ms)}"] if known.as_of_ms else [customer]
    for section in _sections(known):
        lines += ["", section.title, *(f"  {line}" for line in section.lines)]
    if known.alerts:
        lines += ["", "Alerts"]
        for alert in known.alerts:
            headline, *rest = alert_lines(alert)
            lines += [f"  {headline}", *(f"    {line}" for line in rest)]
    return "\n".join(map(printable, lines))


def _sections(known: CustomerSnapshot) -> list[Section]:
    if known.profile is None:
        return []
    of_other_basis = judged_otherwise(known.profile, known.basis)
    return profile_sections(known.profile, known.as_of_ms, known.basis, of_other_basis=of_other_basis)


def _as_object(customer: str, known: CustomerSnapshot, notes: list[str]) -> dict[str, Any]:
    profile = known.profile
    when = datetime.fromtimestamp(known.as_of_ms / 1_000, UTC)
    return {
        "customer": customer,
        "as_of": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "sections": {section.title: list(section.lines) for section in _sections(known)},
        "alerts": [_alert_object(alert) for alert in known.alerts],
        "notes": notes,
        "profile": msgspec.to_builtins(profile, str_keys=True),
    }


def _alert_object(alert: Alert) -> dict[str, Any]:
    return {"id": alert.id, "type": alert.type, "time": alert.time, "words": alert_lines(alert)}
