"""Finds faults in schemas/. Each finding is one line that says what producers or consumers would notice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from stream.contracts.asyncapi import DOCUMENT, asyncapi_document
from stream.contracts.compatibility import Schema, incompatibilities
from stream.contracts.export import (
    file_digest,
    is_up_to_date,
    next_version,
    released_digests,
    schema_of,
    version_files,
)
from stream.contracts.registry import Contract, contracts

NO_TYPES = {"examples", "webhook"}
"""Folders of schemas/ that hold no schema of a message type: examples, and vectors of signatures."""


def schema_findings(root: Path) -> list[str]:
    """All faults in words; empty when the schemas may be published."""
    found = [*_tampered(root), *_orphans(root)]
    for contract in contracts():
        found += _drift(root, contract)
        found += _incompatibilities(root, contract)
    path = root / DOCUMENT
    if not path.is_file() or path.read_text() != asyncapi_document(root):
        found.append(f"{path}: differs from the schemas; run `stream schemas export`")
    return found


def _drift(root: Path, contract: Contract) -> Iterator[str]:
    """Differences between the program's struct and the newest schema file."""
    version = next_version(root, contract)
    path = root / contract.name / f"{version}.json"
    if not path.is_file():
        yield f"{path}: missing, but the program has a struct for it; run `stream schemas export`"
    elif not is_up_to_date(path, contract, version):
        yield f"{path}: differs from the program's struct; run `stream schemas export`"
        committed, exported = json.loads(path.read_text()), schema_of(contract, version)
        yield from _between(
            contract.name, (f"version {version} as committed", committed), ("the program", exported)
        )


def _incompatibilities(root: Path, contract: Contract) -> Iterator[str]:
    """Compare each two versions in both directions: as long as a topic keeps its records, all are on it."""
    existing: dict[int, Schema] = {
        version: json.loads(path.read_text()) for version, path in version_files(root, contract.name).items()
    }
    existing[next_version(root, contract)] = schema_of(contract, next_version(root, contract))
    for old, new in combinations(sorted(existing), 2):
        yield from _between(
            contract.name, (f"version {old}", existing[old]), (f"version {new}", existing[new])
        )


def _between(name: str, old: tuple[str, Schema], new: tuple[str, Schema]) -> Iterator[str]:
    """Why readers of one version would reject events of the other."""
    for reason in incompatibilities(new[1], old[1]):
        yield f"{name}: programs that read {old[0]} would reject events of {new[0]}: {reason}"
    for reason in incompatibilities(old[1], new[1]):
        yield (f"{name}: {new[0]} would reject events of {old[0]}, which are still on the topic: {reason}")


def _tampered(root: Path) -> Iterator[str]:
    """Released files that are missing or were changed."""
    for name, mark in released_digests(root).items():
        path = root / f"{name}.json"
        if not path.is_file():
            yield f"{path}: was released and is missing; restore it"
        elif file_digest(path) != mark:
            yield f"{path}: was released and has changed since; restore it and export a new version"


def _orphans(root: Path) -> Iterator[str]:
    """Folders that belong to no message type. A published type must not be renamed or removed."""
    known = {contract.name for contract in contracts()}
    for folder in (root, root / "examples"):
        for path in sorted(folder.glob("*/")):
            if path.name not in known and path.name not in NO_TYPES:
                yield f"{path}: there is no type of this name; a published type must not be removed"
