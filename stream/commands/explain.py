"""`stream explain CUSTOMER`: parsing and printing only."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from stream.commands.parameters import EXISTING, Instant, basis_of_worker, chosen_basis
from stream.commands.recorded_events import (
    JOBS,
    as_of_fields,
    now_option,
    print_notes,
    print_set_aside,
)
from stream.commands.shown import echo
from stream.core.alerts.alert import Alert
from stream.core.calendar import Calendar
from stream.ops.customer import (
    CustomerSnapshot,
    recording_of,
    snapshot_from_events,
    snapshot_from_files,
    snapshot_from_topics,
)
from stream.printable import printable
from stream.progress import progress
from stream.wording.alert import alert_lines
from stream.wording.amounts import date
from stream.wording.judged_by import basis_notes, judged_otherwise
from stream.wording.profile import Section, profile_sections
from stream.wording.wrap import for_terminal

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
@now_option
@click.option("--jobs", type=JOBS, metavar="N", expose_value=False, help="One customer takes one process.")
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
    now_ms: int,
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
    recording = recording_of(events, customer, now_ms, progress) if events else None
    try:
        with progress("looking for the customer"):
            if recording is not None:
                known = snapshot_from_events(recording, customer, basis, at_ms)
            elif from_kafka:
                known = snapshot_from_topics(customer, basis, at_ms, files=(policy_path, model_path))
            else:
                known = snapshot_from_files(profiles, alerts, customer, basis, at_ms)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if recording is not None:
        print_set_aside(recording, as_json=as_json)
    if known.profile is None and not known.alerts:
        when = f" before {date(at_ms, basis.meaning.calendar)}" if at_ms is not None else ""
        echo(f"nothing is known of {customer!r}{when}", err=True)
        sys.exit(1)
    notes = basis_notes(known.profile, known.alerts, known.basis)
    print_notes(notes)
    if as_json:
        fields = {"notes": notes, **(as_of_fields(recording) if recording is not None else {})}
        echo(json.dumps({**_as_object(customer, known), **fields}, ensure_ascii=False))
    else:
        echo(for_terminal(as_text(customer, known)))


def as_text(customer: str, known: CustomerSnapshot) -> str:
    """Profile and alerts of a customer in plain words."""
    calendar = known.basis.meaning.calendar
    lines = [f"{customer}, as of {date(known.as_of_ms, calendar)}"] if known.as_of_ms else [customer]
    for section in _sections(known):
        lines += ["", section.title, *(f"  {line}" for line in section.lines)]
    if known.alerts:
        lines += ["", "Alerts"]
        for alert in known.alerts:
            headline, *rest = alert_lines(alert, calendar)
            lines += [f"  {headline}", *(f"    {line}" for line in rest)]
    if not calendar.is_utc:
        lines += ["", f"Days are those of {calendar.zone}."]
    return "\n".join(map(printable, lines))


def _sections(known: CustomerSnapshot) -> list[Section]:
    if known.profile is None:
        return []
    of_other_basis = judged_otherwise(known.profile, known.basis)
    return profile_sections(known.profile, known.as_of_ms, known.basis, of_other_basis=of_other_basis)


def _as_object(customer: str, known: CustomerSnapshot) -> dict[str, Any]:
    profile = known.profile
    when = datetime.fromtimestamp(known.as_of_ms / 1_000, UTC)
    return {
        "customer": customer,
        "as_of": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "zone": known.basis.meaning.calendar.zone,
        "sections": {section.title: list(section.lines) for section in _sections(known)},
        "alerts": [_alert_object(alert, known.basis.meaning.calendar) for alert in known.alerts],
        "profile": msgspec.to_builtins(profile, str_keys=True),
    }


def _alert_object(alert: Alert, calendar: Calendar) -> dict[str, Any]:
    words = alert_lines(alert, calendar)
    return {"id": alert.id, "type": alert.type, "time": alert.time, "words": words}
