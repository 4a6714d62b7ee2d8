"""`stream schemas export|check|release`: parsing and printing only."""

from __future__ import annotations

import json
from pathlib import Path

import click

from stream.commands.groups import SuggestingGroup
from stream.commands.shown import echo
from stream.contracts.asyncapi import DOCUMENT, asyncapi_document
from stream.contracts.check import schema_findings
from stream.contracts.export import export_schemas, mark_released, write_schema_file
from stream.contracts.registry import contracts

DIRECTORY = click.option(
    "--dir",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("schemas"),
    show_default=True,
    help="Folder of the schemas.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


@click.group(cls=SuggestingGroup)
def schemas() -> None:
    """The published event contract: a JSON Schema (2020-12) per type and version, and an AsyncAPI document.

    \b
    Example: stream schemas check || stream schemas export
    """


@schemas.command()
@DIRECTORY
@AS_JSON
def export(root: Path, as_json: bool) -> None:
    """Write the schemas of this version's types. A released schema is never rewritten.

    \b
    Example: stream schemas export --dir schemas
    """
    try:
        written = export_schemas(root)
        path = root / DOCUMENT
        text = asyncapi_document(root)
        if not path.is_file() or path.read_text() != text:
            write_schema_file(path, text)
            written.append(path)
    except OSError as failure:
        raise click.UsageError(f"cannot write {failure.filename or root}: {failure.strerror}") from failure
    if as_json:
        echo(json.dumps({"written": [str(path) for path in written], "types": len(contracts())}))
        return
    for path in written:
        echo(f"wrote {path}")
    echo(f"{len(contracts())} types, {len(written)} files changed")


@schemas.command()
@DIRECTORY
@AS_JSON
def check(root: Path, as_json: bool) -> None:
    """Check the schema files, and what a change would break.

    A finding is a file that differs from the program, or a change that breaks a producer or consumer. Every
    version is compared with every other one, in both directions. Exit code 1 when there is a finding.

    \b
    Example: stream schemas check --json
    """
    if not root.is_dir():
        raise click.UsageError(f"{root}: no such folder; run `stream schemas export --dir {root}` first")
    found = schema_findings(root)
    if as_json:
        echo(json.dumps({"findings": found, "types": len(contracts())}))
    else:
        for finding in found:
            echo(finding)
        echo(f"{len(contracts())} types, {len(found)} findings")
    if found:
        raise SystemExit(1)


@schemas.command()
@click.argument("types", nargs=-1)
@DIRECTORY
@AS_JSON
def release(types: tuple[str, ...], root: Path, as_json: bool) -> None:
    """Release the present version of these TYPES, or of all.

    From then on `check` has a finding when a released version changes.

    \b
    Example: stream schemas release purchase.completed alert
    """
    known = [contract.name for contract in contracts()]
    if unknown := [name for name in types if name not in known]:
        raise click.UsageError(f"{', '.join(unknown)}: no such type; types are {', '.join(known)}")
    if schema_findings(root):
        raise click.ClickException("`stream schemas check` has findings: nothing was released")
    names = mark_released(root, types)
    if as_json:
        echo(json.dumps({"released": names}))
        return
    for name in names:
        echo(f"released {name}")
    echo(f"{len(names)} released")
