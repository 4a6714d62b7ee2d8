"""Which columns of a file hold which field of the mapping.

`A|B` are alternatives: line by line, the first that exists and is not blank. `A+B` are parts of one value: a
date and a time, or the store and the number of a receipt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from stream.importing.files.mapping.mapping import ColumnMapping, MappingError

PART_MARKS = {"order": "-"}
"""Field -> what stands between its parts where it is made of several columns; a space in all others."""
Place = TypeVar("Place")
"""Where a cell is: a column name, its index in a row, or a path in a JSON object."""
Alternatives = list[list[Place]]
"""The ways to fill a field, in order; each is a list of parts that are joined."""


class MappedColumns(NamedTuple):
    """The columns of one file, by field."""

    single: dict[str, str]
    """Field -> its column, where there is exactly one: the fast way."""
    composed: dict[str, Alternatives[str]]
    """Field -> its alternatives, where several columns of the file can fill it."""


def column_names(header: Sequence[str]) -> list[str]:
    """Unique names, numbered as data frames do: a second `Price` is `Price.1`."""
    seen: Counter[str] = Counter()
    unique = []
    for name in (name.strip() for name in header):
        unique.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return unique


def alternatives_of(named: str) -> Alternatives[str]:
    """`A|B+C?` -> [[A], [B, C]]."""
    return [[part.strip() for part in one.split("+")] for one in named.removesuffix("?").split("|")]


def mapped_columns(path: Path, header: Sequence[str], mapping: ColumnMapping) -> MappedColumns:
    """The columns of this file; MappingError where a field has none and is not marked as optional."""
    existing = set(column_names(header))
    single: dict[str, str] = {}
    composed: dict[str, Alternatives[str]] = {}
    for field, named in mapping.columns_read.items():
        found = _existing_alternatives(named, existing)
        if len(found) == 1 and len(found[0]) == 1:
            single[field] = found[0][0]
        elif found:
            composed[field] = found
        elif not named.endswith("?"):
            names = ", ".join(column_names(header))
            raise MappingError(f"{path}: there is no column {named!r}; the columns are {names}")
    return MappedColumns(single, composed)


def _existing_alternatives(named: str, existing: set[str]) -> Alternatives[str]:
    """A column whose whole name has a `|`, `+` or `?` in it is that column."""
    for whole in (named, named.removesuffix("?")):
        if whole in existing:
            return [[whole]]
    found: Alternatives[str] = []
    for one in named.removesuffix("?").split("|"):
        parts = [one] if one in existing else [part.strip() for part in one.split("+")]
        if all(part in existing for part in parts):
            found.append(parts)
    return found


def composed_text(
    field: str, alternatives: Alternatives[Place], text_at: Callable[[Place], str], mapping: ColumnMapping
) -> str:
    """The first alternative that is not blank, its parts joined; empty where all are blank."""
    blank, mark = mapping.blanks(field), PART_MARKS.get(field, " ")
    for parts in alternatives:
        if len(parts) == 1:
            text = text_at(parts[0])
        else:
            text = mark.join(part for part in (text_at(place).strip() for place in parts) if part)
        if text.strip().lower() not in blank:
            return text
    return text_at(alternatives[0][0]) if len(alternatives[0]) == 1 else ""
