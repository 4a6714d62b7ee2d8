"""Which column of a file holds which field of the mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from stream.importing.files.mapping.mapping import ColumnMapping, MappingError


def column_names(header: Sequence[str]) -> list[str]:
    """Unique names, numbered as data frames do: a second `Price` is `Price.1`."""
    seen: Counter[str] = Counter()
    unique = []
    for name in (name.strip() for name in header):
        unique.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return unique


def mapped_columns(path: Path, header: Sequence[str], mapping: ColumnMapping) -> dict[str, str]:
    """Field -> its column in this file: of `A|B` the first that exists; `A?` may be absent."""
    existing, mapped = column_names(header), {}
    for field, named in mapping.columns.items():
        alternatives = [*named.removesuffix("?").split("|"), named]
        column = next((one for one in alternatives if one in existing), None)
        if column is not None:
            mapped[field] = column
        elif not named.endswith("?"):
            raise MappingError(f"{path}: there is no column {named!r}; the columns are {', '.join(existing)}")
    return mapped
