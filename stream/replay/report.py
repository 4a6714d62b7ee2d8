"""A replay told: profiles and alerts as JSON lines, and a summary of what the policy did."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from stream.core.alerts.alert import Alert
from stream.core.judgement.basis import Book
from stream.core.model.record import ModelError
from stream.model_file import default_model, load_model
from stream.policy_file import PolicyFaults, load_policy
from stream.progress import progress
from stream.recording.event_file import written
from stream.recording.recording import Recording
from stream.replay.run import Replay, in_order
from stream.wire import encode_alert

REFUSALS_SHOWN = 5

_ROW = msgspec.json.Encoder()


def run_replay(
    recording: Recording,
    book: Book,
    *,
    partitions: int = 1,
    until_ms: int = 0,
    profiles: Path | None = None,
    alerts: Path | None = None,
    rejects: Path | None = None,
    as_json: bool = False,
) -> int:
    """Replay, write what is wanted, print the summary; exit code 1 when some lines were no events."""
    started = time.monotonic()
    raised: list[Alert] = []
    run = Replay(book, raised.append, partitions)
    with progress("replaying", len(recording)) as advance:
        for event in recording.events():
            run.feed(event)
            advance()
    run.advance(until_ms)
    raised.sort(key=in_order)
    _write(profiles, [_ROW.encode(profile) for profile in run.profiles.values()])
    _write(alerts, [encode_alert(alert) for alert in raised])
    _write(rejects, [_ROW.encode([str(r.path), r.line, r.reason, r.detail]) for r in recording.refused])
    _tell(run, raised, recording, time.monotonic() - started, as_json)
    return 1 if recording.refused else 0


def chosen_book(policy_path: Path | None, model_path: Path | None) -> Book:
    """The book of a policy and a model file; a fault in them is one readable message and exit code 2."""
    try:
        policy = load_policy(policy_path)
        model = load_model(model_path) if model_path else default_model()
    except (PolicyFaults, ModelError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    return Book(policy, model)


def _write(path: Path | None, lines: Sequence[bytes]) -> None:
    if path is not None:
        with written(path) as out:
            for line in lines:
                out.write(line + b"\n")


def _tell(run: Replay, alerts: Sequence[Alert], recording: Recording, seconds: float, as_json: bool) -> None:
    kinds: dict[str, Counter[str]] = {}
    for alert in alerts:
        kinds.setdefault(alert.data.kind, Counter())[alert.data.state] += 1
    names = run.book.tier_names
    tiers = Counter(names[profile.judgement.tier] for profile in run.profiles.values())
    summary = {
        "events": run.events,
        "outcomes": dict(run.outcomes),
        "unknown_types": recording.unknown,
        "rejected": len(recording.refused),
        "customers": len(run.profiles),
        "tiers": {name: tiers[name] for name in names},
        "alerts": {kind: dict(states) for kind, states in sorted(kinds.items())},
        "policy": run.book.policy.hash,
        "model": run.book.model.version,
        "seconds": round(seconds, 3),
    }
    if as_json:
        click.echo(_ROW.encode(summary).decode())
    else:
        click.echo(f"{run.events:,} events, {len(run.profiles):,} customers, {len(alerts):,} alerts")
        for kind, states in summary["alerts"].items():  # type: ignore[attr-defined]
            click.echo(f"  {kind}: " + ", ".join(f"{count:,} {state}" for state, count in states.items()))
    for refusal in recording.refused[:REFUSALS_SHOWN]:
        click.echo(f"{refusal.path}:{refusal.line}: {refusal.reason}: {refusal.detail}", err=True)
    if len(recording.refused) > REFUSALS_SHOWN:
        click.echo(
            f"... and {len(recording.refused) - REFUSALS_SHOWN:,} more lines that are no events", err=True
        )
