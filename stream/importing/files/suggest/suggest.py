"""Suggests a mapping: a ready one where its columns are in the file, else a new one; with a preview."""

from __future__ import annotations

import io
import json
from itertools import islice
from pathlib import Path
from typing import Any

from stream.importing.files.importer import Importer
from stream.importing.files.mapping.load import parse_mapping, ready_mappings
from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.suggest.currencies import currency_columns
from stream.importing.files.suggest.proposal import (
    proposed_toml,
    with_decimal_of,
    with_layout_of,
    with_time_format_of,
)
from stream.importing.files.suggest.sample import SAMPLE_LINES, ColumnSample, sampled_file

FIRST_EVENTS_SHOWN = 3
COLUMNS_IN_COMMON_MIN = 6
"""In nested JSON lines few calls have every field: this many of a ready mapping's columns are enough."""
KEY_COLUMNS = 3
"""The first columns of a nested ready mapping, by which it is recognised; all must be in the file."""


def suggested_mapping(path: Path, *, as_json: bool) -> str:
    """TOML text with the preview in comments, or one JSON object."""
    sample = sampled_file(path)
    name = _matching_ready_mapping(sample.columns)
    if name:
        text = with_time_format_of(sample, ready_mappings()[name])
        text = with_layout_of(sample, with_decimal_of(sample, text))
    else:
        text = proposed_toml(sample)
    preview = _preview(path, parse_mapping(text, f"the mapping proposed for {path}"))
    if as_json:
        return json.dumps({"ready": name, "mapping": text, **preview})
    counts = preview["lines"]
    output = [f"# ready mapping: {name}"] if name else []
    output += [text.rstrip(), ""]
    are = "is" if counts["rejected"] == 1 else "are"
    output += [f"# Of the first {counts['in']:,} lines, {counts['rejected']:,} {are} rejected."]
    output += [f"#   {count:,} x {reason}" for reason, count in preview["reasons"].items()]
    output += ["# The first events:", *(f"#   {event}" for event in preview["first"])]
    return "\n".join(output)


def _matching_ready_mapping(columns: ColumnSample) -> str | None:
    """The first ready mapping whose required columns are all in the file."""
    for name, text in ready_mappings().items():
        mapping = parse_mapping(text, name)
        found = [bool(paths & set(columns)) for paths in _required_columns(mapping)]
        nested = mapping.file.format == "jsonl" and mapping.items is not None
        enough = sum(found) >= COLUMNS_IN_COMMON_MIN and all(found[:KEY_COLUMNS])
        if (all(found) or (nested and enough)) and not _contradicts(mapping, columns):
            return name
    return None


def _contradicts(mapping: ColumnMapping, columns: ColumnSample) -> bool:
    """Whether the file has a column of currencies, and the mapping the same currency for every line."""
    return (
        "currency" in mapping.constants
        and "currency" not in mapping.columns
        and bool(currency_columns(list(columns), columns))
    )


def _required_columns(mapping: ColumnMapping) -> list[set[str]]:
    """For each column without a `?`, the set of its alternatives, as paths from the top of a JSON line."""
    required = [set(named.split("|")) for named in mapping.columns.values() if not named.endswith("?")]
    if not mapping.items:
        return required
    inner = f"{mapping.items}."
    return [
        {path.replace("items.", inner) if path.startswith("items.") else path for path in paths}
        for paths in required
    ]


def _preview(path: Path, mapping: ColumnMapping) -> dict[str, Any]:
    """The summary of the first lines, and the first events."""
    importer = Importer(mapping, io.BytesIO(), lambda count: None, SAMPLE_LINES)
    first = [event.value.decode() for event in islice(importer.events([path]), FIRST_EVENTS_SHOWN)]
    return {**importer.summary.as_dict(), "first": first}
