"""`stream policy`: check a policy file, print the default, compare two policies, put one in force."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from stream.commands.groups import SuggestingGroup
from stream.commands.parameters import EXISTING, chosen_basis
from stream.commands.policy_difference import difference_lines, kinds_as_json
from stream.commands.policy_life import promote, publish, rollback, shadow
from stream.commands.recorded_events import (
    UnfitDataError,
    as_of_fields,
    jobs_option,
    now_option,
    print_set_aside,
)
from stream.commands.shown import echo
from stream.core.calendar import Calendar
from stream.policy_file import PolicyFileError, load_policy
from stream.policy_file.no_price import NO_ALERT_EVER
from stream.progress import progress
from stream.recording.jobs import jobs_over
from stream.recording.recording import Recording
from stream.replay.in_parts import Rules
from stream.replay.policy_diff import (
    AlertDifference,
    ChangedKnob,
    alert_differences,
    knobs_changed,
    raised_by_both,
)
from stream.wording.wrap import for_terminal


@click.group("policy", cls=SuggestingGroup, no_args_is_help=True)
def policy_group() -> None:
    """Check a policy file, compare two on your own events, or put one in force in running workers.

    \b
    Examples:
      stream policy default > policy.toml
      stream policy check policy.toml
      stream policy diff default policy.toml events.jsonl
      stream policy publish policy.toml --mode shadow
    """


@policy_group.command()
@click.argument("file", type=EXISTING)
@click.option("--json", "as_json", is_flag=True, help="One JSON object: file, hash, findings.")
def check(file: Path, as_json: bool) -> None:
    """Print every fault of a policy FILE with its line. Exit code 1 when there is one.

    \b
    Example:
      stream policy check policy.toml
    """
    policy, error = None, None
    try:
        policy = load_policy(file)
    except PolicyFileError as problem:
        error = problem
    if as_json:
        faults = error.faults if error else []
        findings = [{"line": each.line, "key": each.key, "problem": each.problem} for each in faults]
        content_hash = policy.hash if policy else None
        echo(json.dumps({"file": str(file), "hash": content_hash, "findings": findings}))
    elif policy:
        echo(f"{file}: good. Policy {policy.id}, version {policy.version}, {policy.hash}")
    else:
        echo(error)
    sys.exit(1 if error else 0)


@policy_group.command()
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the page docs/policy.md instead.")
def default(as_markdown: bool) -> None:
    """Print the default policy, every setting with its meaning.

    \b
    Example:
      stream policy default > policy.toml
    """
    from stream.policy_file.page import default_toml, policy_markdown

    click.echo(policy_markdown() if as_markdown else default_toml(), nl=False)


@policy_group.command()
@click.argument("a")
@click.argument("b")
@click.argument("events", nargs=-1, required=True, type=EXISTING)
@click.option("--model", "model_path", type=EXISTING, help="Model record (JSON). [default: the shipped one]")
@now_option
@jobs_option
@click.option(
    "--limit",
    default=20,
    show_default=True,
    type=click.IntRange(min=0),
    help="How many customers to list per kind of alert and policy.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="One JSON object: changed settings (knobs), and kinds with every customer.",
)
def diff(
    *,
    a: str,
    b: str,
    events: tuple[Path, ...],
    model_path: Path | None,
    now_ms: int,
    jobs: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the customers about whom, on these EVENTS, only policy A or only policy B would raise an alert.

    A and B are policy files, or the word `default`. Exit code 1 when there is such a customer.

    \b
    Example:
      stream policy diff default policy.toml year.jsonl.gz
    """
    bases = tuple(chosen_basis(_file(name), model_path) for name in (a, b))
    recording = Recording(events, progress, now_ms)
    if not len(recording):
        print_set_aside(recording, as_json=as_json)
        raise UnfitDataError("no events in these files: nothing was compared")
    rules = [Rules(basis.policy, basis.model) for basis in bases]
    with jobs_over(recording, jobs) as parts:
        raised = raised_by_both(parts, (rules[0], rules[1]))
    knobs = knobs_changed(bases[0].policy, bases[1].policy)
    found = alert_differences(raised.a, raised.b)
    notes = [] if raised.is_priced or raised.a or raised.b else [NO_ALERT_EVER]
    print_set_aside(recording, as_json=as_json)
    if as_json:
        echo(_as_json(knobs, found, recording, notes))
    else:
        sides = [(name, basis.meaning.calendar) for name, basis in zip((a, b), bases, strict=True)]
        echo(for_terminal(_as_text(knobs, found, sides, limit)))
        for note in notes:
            echo(for_terminal(f"\n{note[0].upper()}{note[1:]}."))
    sys.exit(1 if any(each.only_a or each.only_b for each in found) else 0)


for _command in (publish, shadow, promote, rollback):
    policy_group.add_command(_command)


def _file(name: str) -> Path | None:
    """The file of a policy; None for the default."""
    if name == "default":
        return None
    path = Path(name)
    if not path.is_file():
        raise click.UsageError(f"{name}: no such file; name a policy file or `default`")
    return path


def _as_text(
    knobs: list[ChangedKnob], found: list[AlertDifference], sides: list[tuple[str, Calendar]], limit: int
) -> str:
    (a, _), (b, _) = sides
    lines = [f"{knob.key}: {_shown(knob.a)} in {a}, {_shown(knob.b)} in {b}" for knob in knobs]
    lines = lines or ["The two policies are the same."]
    return "\n".join([*lines, *difference_lines(found, sides, limit)])


def _shown(value: object) -> str:
    return "not set" if value is None else json.dumps(value)


def _as_json(
    knobs: list[ChangedKnob], found: list[AlertDifference], recording: Recording, notes: list[str]
) -> str:
    settings = [{"key": k.key, "a": k.a, "b": k.b} for k in knobs]
    kinds = kinds_as_json(found)
    return json.dumps({"knobs": settings, "kinds": kinds, "notes": notes, **as_of_fields(recording)})
