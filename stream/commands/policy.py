"""`stream policy`: check a policy file, print the default, and see whom another policy would alert."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from stream.commands.parameters import EXISTING, chosen_book
from stream.policy_file import Finding, PolicyFaults, load_policy
from stream.recording.recording import Recording
from stream.replay.policy_diff import Difference, Knob, differences, knobs_changed, raised_by_both
from stream.wording.alert import KINDS as ALERTS
from stream.wording.alert import because
from stream.wording.amounts import date, days


@click.group("policy", no_args_is_help=True)
def policy_group() -> None:
    """Check a policy file, print the default one, or compare two on your own events.

    \b
    Examples:
      stream policy default > policy.toml
      stream policy check policy.toml
      stream policy diff default policy.toml events.jsonl
    """


@policy_group.command()
@click.argument("file", type=EXISTING)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: file, hash, findings.")
def check(file: Path, as_json: bool) -> None:
    """Tell every fault of a policy FILE with its line. Exit code 1 when there is one.

    \b
    Example:
      stream policy check policy.toml
    """
    findings: list[Finding] = []
    content_hash = None
    try:
        policy = load_policy(file)
        content_hash = policy.hash
    except PolicyFaults as faults:
        findings = faults.findings
        if not as_json:
            click.echo("\n".join(faults.lines()))
    if as_json:
        told = [{"line": each.line, "key": each.key, "problem": each.problem} for each in findings]
        click.echo(json.dumps({"file": str(file), "hash": content_hash, "findings": told}))
    elif content_hash:
        click.echo(f"{file}: good. Policy {policy.id}, version {policy.version}, {content_hash}")
    sys.exit(1 if findings else 0)


@policy_group.command()
@click.option("--markdown", "as_markdown", is_flag=True, help="The page docs/policy.md instead.")
def default(as_markdown: bool) -> None:
    """Print the default policy, every knob with its meaning.

    \b
    Example:
      stream policy default > policy.toml
    """
    from stream.policy_file.page import default_file, markdown

    click.echo(markdown() if as_markdown else default_file(), nl=False)


@policy_group.command()
@click.argument("a")
@click.argument("b")
@click.argument("events", nargs=-1, required=True, type=EXISTING)
@click.option("--model", "model_path", type=EXISTING, help="Model record (JSON). [default: the shipped one]")
@click.option("--limit", default=20, show_default=True, help="Customers to name for each kind and side.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object: knobs, and kinds with every customer."
)
def diff(
    *, a: str, b: str, events: tuple[Path, ...], model_path: Path | None, limit: int, as_json: bool
) -> None:
    """Tell which customers policy A would alert about on these EVENTS and policy B would not, and vice versa.

    A and B are policy files, or the word `default`. Exit code 1 when anybody is alerted by one only.

    \b
    Example:
      stream policy diff default policy.toml year.jsonl.gz
    """
    books = tuple(chosen_book(_file(name), model_path) for name in (a, b))
    recording = Recording(events)
    in_a, in_b = raised_by_both(recording.events(), (books[0], books[1]), 0)
    knobs = knobs_changed(books[0].policy, books[1].policy)
    found = differences(in_a, in_b)
    click.echo(_as_json(knobs, found) if as_json else _as_text(knobs, found, a, b, limit))
    sys.exit(1 if any(each.only_a or each.only_b for each in found) else 0)


def _file(name: str) -> Path | None:
    """The file of a policy; None for the default."""
    if name == "default":
        return None
    path = Path(name)
    if not path.is_file():
        raise click.UsageError(f"{name}: no such file; name a policy file or `default`")
    return path


def _as_text(knobs: list[Knob], found: list[Difference], a: str, b: str, limit: int) -> str:
    lines = [f"{knob.key}: {_shown(knob.a)} in {a}, {_shown(knob.b)} in {b}" for knob in knobs]
    lines = lines or ["The two policies are the same."]
    for each in found:
        later = each.b_later_days
        when = "" if later is None else f"; {b} tells {_when(later)}"
        lines += ["", f"{ALERTS[each.kind]}: {each.both:,} customers alerted by both{when}"]
        for name, alerts in ((a, each.only_a), (b, each.only_b)):
            lines.append(f"  only by {name}: {len(alerts):,}")
            lines += [
                f"    {date(alert.time)} {alert.subject}: {because(alert.data)}" for alert in alerts[:limit]
            ]
            if len(alerts) > limit:
                lines.append(f"    and {len(alerts) - limit:,} more")
    return "\n".join(lines)


def _when(later: float) -> str:
    if abs(later) < 1:
        return "at about the same time"
    return f"{days(abs(later))} {'later' if later > 0 else 'earlier'} in the middle"


def _shown(value: object) -> str:
    return "not there" if value is None else json.dumps(value)


def _as_json(knobs: list[Knob], found: list[Difference]) -> str:
    kinds = {
        each.kind: {
            "both": each.both,
            "b_later_days": each.b_later_days,
            "only_a": [alert.subject for alert in each.only_a],
            "only_b": [alert.subject for alert in each.only_b],
        }
        for each in found
    }
    return json.dumps({"knobs": [{"key": k.key, "a": k.a, "b": k.b} for k in knobs], "kinds": kinds})
