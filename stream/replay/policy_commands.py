"""`stream policy`: check a policy file, print the default, and see whom another policy would alert."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from stream.policy_file import Finding, PolicyFaults, load_policy


@click.group("policy", no_args_is_help=True)
def policy_group() -> None:
    """Check a policy file, print the default one, or compare two on your own events.

    \b
    Examples:
      stream policy default > policy.toml
      stream policy check policy.toml
    """


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@policy_group.command()
@click.argument("file", type=FILE)
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
