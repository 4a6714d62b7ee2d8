"""What is wrong with schemas/: each finding is one line that says what producers or consumers would see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from stream.contracts.asyncapi import DOCUMENT, document
from stream.contracts.compatibility import breaks
from stream.contracts.export import Schema, as_text, digest, next_version, released, schema_of, versions
from stream.contracts.registry import Contract, contracts


def findings(root: Path) -> list[str]:
    """Everything that is wrong, in words; empty when the contract may be published as it is."""
    found = [*_tampered(root), *_orphans(root)]
    for contract in contracts():
        found += _drift(root, contract)
        found += _incompatibilities(root, contract)
    path = root / DOCUMENT
    if not path.is_file() or path.read_text() != document(root):
        found.append(f"{path}: differs from the schemas; run `stream schemas export`")
    return found


def _drift(root: Path, contract: Contract) -> Iterator[str]:
    """The structs of the program against the newest file."""
    version = next_version(root, contract)
    path = root / contract.name / f"{version}.json"
    if not path.is_file():
        yield f"{path}: not there, but the program's struct needs it; run `stream schemas export`"
    elif path.read_text() != as_text(schema_of(contract, version)):
        yield f"{path}: differs from the program's struct; run `stream schemas export`"


def _incompatibilities(root: Path, contract: Contract) -> Iterator[str]:
    """Every pair of versions, both ways: old and new programs share a topic for as long as it is kept."""
    existing: dict[int, Schema] = {
        version: json.loads(path.read_text()) for version, path in versions(root, contract.name).items()
    }
    existing[next_version(root, contract)] = schema_of(contract, next_version(root, contract))
    for old, new in combinations(sorted(existing), 2):
        for reason in breaks(existing[new], existing[old]):
            yield (
                f"{contract.name}: programs that read version {old} would reject events of version {new}: "
                f"{reason}"
            )
        for reason in breaks(existing[old], existing[new]):
            yield (
                f"{contract.name}: version {new} would reject events of version {old}, which are still on "
                f"the topic: {reason}"
            )


def _tampered(root: Path) -> Iterator[str]:
    for name, mark in released(root).items():
        path = root / f"{name}.json"
        if not path.is_file():
            yield f"{path}: was released and is gone; bring it back"
        elif digest(path) != mark:
            yield f"{path}: was released and has changed since; restore it, export a new one"


def _orphans(root: Path) -> Iterator[str]:
    """Folders that belong to no type: left behind by a rename, which is a break of its own."""
    known = {contract.name for contract in contracts()}
    for folder in (root, root / "examples"):
        for path in sorted(folder.glob("*/")):
            if path.name not in known and path != root / "examples":
                yield f"{path}: no type of this name; a type that was published must stay"
