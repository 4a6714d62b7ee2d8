"""Checks of a mapping beyond its types. Each message names the file, the line and what is allowed."""

from __future__ import annotations

import codecs
import re
from datetime import datetime
from itertools import combinations

from stream.core.events.event import EVENT_BY_NAME
from stream.importing.files.currency_marks import CurrencyFault, named_currency
from stream.importing.files.mapping.mapping import IGNORED, MAPPING_FIELDS, ColumnMapping, MappingError
from stream.policy_file.toml_lines import key_lines, line_of

EVENT_TYPE_NAMES = tuple(EVENT_BY_NAME)
SAMPLE_TIME = datetime(2006, 5, 2, 3, 4)  # noqa: DTZ001 - year, month, day, hour and minute all differ


def check_mapping(mapping: ColumnMapping, text: str, name: str) -> None:
    """Raise MappingError for the first fault; `text` is the TOML text, `name` the file it came from."""
    _check_fields(mapping, text, name)
    _check_events(mapping, text, name)
    _check_currency(mapping, text, name)
    _check_zone(mapping, text, name)
    _check_time_formats(mapping, text, name)
    _check_file_options(mapping, text, name)


def place_of_key(text: str, name: str, message: str) -> str:
    """`FILE, line N` of the key in `backticks` in a message; only the file if it is not found."""
    keys = re.findall(r"`\$?\.?([^`]*)`", message)
    for key in (part for found in reversed(keys) for part in reversed(found.split("."))):
        for number, line in enumerate(text.splitlines(), start=1):
            if key and re.match(rf"\s*\[?\"?{re.escape(key.rstrip(']['))}\"?\s*[=\].]", line):
                return f"{name}, line {number}"
    return name


def formats_contradict(form: str, other: str) -> bool:
    """Whether two time formats read some text as different days: 5/2 as 5 February and as 2 May."""
    if not ("%d" in form and "%d" in other):
        return False
    for one in (form, other):
        text = SAMPLE_TIME.strftime(one)
        try:
            if datetime.strptime(text, form) != datetime.strptime(text, other):  # noqa: DTZ007
                return True
        except ValueError:
            continue
    return False


def _check_fields(mapping: ColumnMapping, text: str, name: str) -> None:
    for field in (
        *(*mapping.columns, *mapping.constants, *mapping.fill_down, *mapping.values),
        *mapping.refund_columns,
    ):
        if field not in MAPPING_FIELDS:
            place = place_of_key(text, name, f"`{field}`")
            raise MappingError(f"{place}: {field!r} is no field; fields are {', '.join(MAPPING_FIELDS)}")
    for field in ("customer", "time"):
        if field not in mapping.columns:
            raise MappingError(f"{name}: [columns] must name the column of {field!r}")


def _check_events(mapping: ColumnMapping, text: str, name: str) -> None:
    constant = [("event", mapping.constants["event"])] if "event" in mapping.constants else []
    for value, kind in (*mapping.events.items(), *constant):
        if kind not in (*EVENT_TYPE_NAMES, IGNORED):
            place = place_of_key(text, name, f"`{value}`")
            allowed = ", ".join((*EVENT_TYPE_NAMES, IGNORED))
            raise MappingError(f"{place}: {kind!r} is no event type; types are {allowed}")
    if "event" in mapping.columns and not mapping.events:
        raise MappingError(f"{name}: an 'event' column needs [events], which says what its values mean")


def _check_currency(mapping: ColumnMapping, text: str, name: str) -> None:
    """A constant, and what labels mean, must be one currency: lines are not refused one by one for it."""
    stated: list[tuple[tuple[str, ...], str]] = []
    if "currency" in mapping.constants:
        stated.append((("constants", "currency"), mapping.constants["currency"]))
    for label, worth in mapping.values.get("currency", {}).items():
        stated.append((("values", "currency", label), str(worth)))
    for path, code in stated:
        found = named_currency(code)
        if isinstance(found, CurrencyFault):
            place = f"{name}, line {line_of(key_lines(text), path)}"
            what = found.what or "it is empty"
            raise MappingError(f"{place}: currency: {what}; name one by its code, such as EUR")


def _check_zone(mapping: ColumnMapping, text: str, name: str) -> None:
    from zoneinfo import ZoneInfoNotFoundError

    from stream.time_zones import zone_info

    try:
        zone_info(mapping.time.zone)
    except ZoneInfoNotFoundError as failure:
        place = place_of_key(text, name, "`zone`")
        raise MappingError(
            f"{place}: {mapping.time.zone!r} is no time zone; use a name like Europe/London"
        ) from failure


def _check_time_formats(mapping: ColumnMapping, text: str, name: str) -> None:
    for form, other in combinations(mapping.time.formats, 2):
        if formats_contradict(form, other):
            place = place_of_key(text, name, "`formats`")
            raise MappingError(
                f"{place}: {form!r} and {other!r} read the same text as two different days; keep only one"
            )


def _check_file_options(mapping: ColumnMapping, text: str, name: str) -> None:
    try:
        codecs.lookup(mapping.file.encoding)
    except LookupError as failure:
        place = place_of_key(text, name, "`encoding`")
        raise MappingError(f"{place}: {failure}; use a name like utf-8, cp1252 or utf-16") from failure
    if mapping.file.delimiter is not None and len(mapping.file.delimiter) != 1:
        place = place_of_key(text, name, "`delimiter`")
        raise MappingError(f"{place}: {mapping.file.delimiter!r} is no delimiter; it is one character")
