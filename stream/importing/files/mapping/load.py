"""Loads mappings: one of the ready mappings by its name, or a TOML file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec

from stream.importing.files.mapping.check import check_mapping, place_of_key
from stream.importing.files.mapping.mapping import ColumnMapping, MappingError
from stream.toml_text import TomlTextError, parsed_toml

MESSAGE_MAX = 500
"""Characters of a message, which may hold a key of any length."""


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
        mapping = msgspec.convert(parsed_toml(text), ColumnMapping)
    except TomlTextError as fault:
        raise MappingError(f"{name}, line {fault.line}: {fault.problem}") from fault
    except msgspec.ValidationError as failure:
        message = str(failure)
        place = place_of_key(text, name, message)
        raise MappingError(f"{place}: {message[:MESSAGE_MAX]}") from failure
    check_mapping(mapping, text, name)
    return mapping
