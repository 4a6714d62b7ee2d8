"""Exports each struct as JSON Schema 2020-12 to schemas/<type>/<version>.json.

schemas/released.txt lists the released versions with their digests: these files never change again. A version
that is not listed there may be rewritten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from stream.contracts.compatibility import Schema
from stream.contracts.examples import write_missing_examples
from stream.contracts.registry import Contract, contracts

RELEASED = "released.txt"


def schema_of(contract: Contract, version: int) -> Schema:
    """The JSON Schema of a message type: the root is the message, `$defs` are its parts."""
    generated = msgspec.json.schema(contract.struct)
    parts = generated.get("$defs", {})
    root = parts.pop(generated["$ref"].rpartition("/")[2])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:customer-stream:{contract.name}:{version}",
        **root,
        "title": contract.name,
        "description": contract.meaning,
        **({"$defs": dict(sorted(parts.items()))} if parts else {}),
    }


def schema_text(schema: Schema) -> str:
    """The text of a schema file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def version_files(root: Path, name: str) -> dict[int, Path]:
    """Version -> schema file of one type, the oldest first."""
    paths = [path for path in (root / name).glob("*.json") if path.stem.isdigit()]
    return {int(path.stem): path for path in sorted(paths, key=lambda path: int(path.stem))}


def released_digests(root: Path) -> dict[str, str]:
    """`type/version` -> digest of each released schema."""
    listed = root / RELEASED
    lines = listed.read_text().splitlines() if listed.is_file() else []
    return {line.split()[0]: line.split()[1] for line in lines if line.strip()}


def file_digest(path: Path) -> str:
    """The first 128 bits of the file's SHA-256, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


def next_version(root: Path, contract: Contract) -> int:
    """The version to export the struct as: the newest, or the next if that is released and differs."""
    existing = version_files(root, contract.name)
    if not existing:
        return 1
    newest = max(existing)
    if f"{contract.name}/{newest}" not in released_digests(root):
        return newest
    return newest if is_up_to_date(existing[newest], contract, newest) else newest + 1


def is_up_to_date(path: Path, contract: Contract, version: int) -> bool:
    """Whether a schema file equals the struct's schema; for a released version descriptions may differ."""
    if not path.is_file():
        return False
    text, wanted = path.read_text(), schema_text(schema_of(contract, version))
    if text == wanted:
        return True
    root = path.parent.parent
    is_released = f"{contract.name}/{version}" in released_digests(root)
    return is_released and without_words(json.loads(text)) == without_words(json.loads(wanted))


def without_words(schema: Any) -> Any:
    """A schema without titles and descriptions. Properties that are called `title` or `description` stay."""
    if isinstance(schema, list | tuple):  # a struct's default may be a tuple, which JSON reads back as a list
        return [without_words(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: without_words(part)
        for name, part in schema.items()
        if not (name in {"title", "description"} and isinstance(part, str))
    }


def export_schemas(root: Path) -> list[Path]:
    """Write the schemas that are not up to date, except released ones, and the examples of new types.

    Returns the written files.
    """
    written = []
    for contract in contracts():
        version = next_version(root, contract)
        path = root / contract.name / f"{version}.json"
        if not is_up_to_date(path, contract, version):
            write_schema_file(path, schema_text(schema_of(contract, version)))
            written.append(path)
        written += write_missing_examples(root, contract, version)
    return written


def mark_released(root: Path, names: Collection[str] = ()) -> list[str]:
    """List the unreleased versions of these types, or of all, in released.txt. Returns their names."""
    known = released_digests(root)
    found = {
        f"{contract.name}/{version}": file_digest(path)
        for contract in contracts()
        if not names or contract.name in names
        for version, path in version_files(root, contract.name).items()
    }
    new = sorted(set(found) - set(known))
    lines = [f"{name} {mark}" for name, mark in sorted((found | known).items())]
    if new:
        write_schema_file(root / RELEASED, "\n".join(lines) + "\n")
    return new


def write_schema_file(path: Path, text: str) -> None:
    """Replace a file at once, or what a symlink points to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path.resolve()
    beside = place.with_suffix(".tmp")
    beside.write_text(text)
    beside.replace(place)
