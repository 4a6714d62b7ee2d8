"""Loads mappings: one of the ready mappings by its name, or a TOML file."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import msgspec

from stream.importing.files.mapping.check import check_mapping, place_of_key
from stream.importing.files.mapping.mapping import ColumnMapping, MappingError


def ready_mappings() -> dict[str, str]:
    """The mappings that are part of this package: name -> TOML text."""
    folder = files("stream.importing.files.mapping") / "ready"
    return {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }


def load_mapping(name: str) -> ColumnMapping:
    """The ready mapping of this name, else the mapping in this file."""
    shipped = ready_mappings()
    if name in shipped:
        return parse_mapping(shipped[name], name)
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        why = getattr(failure, "strerror", None) or failure
        raise MappingError(f"{name}: {why}; ready mappings are {', '.join(shipped)}") from failure
    return parse_mapping(text, name)


def parse_mapping(text: str, name: str) -> ColumnMapping:
    """Read and check TOML text; messages call it by `name`."""
    try:
        mapping = msgspec.convert(tomllib.loads(text), ColumnMapping)
    except tomllib.TOMLDecodeError as failure:
        raise MappingError(f"{name}: {failure}") from failure
    except msgspec.ValidationError as failure:
        raise MappingError(f"{place_of_key(text, name, str(failure))}: {failure}") from failure
    check_mapping(mapping, text, name)
    return mapping
