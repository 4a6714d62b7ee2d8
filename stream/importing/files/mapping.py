"""A mapping: which column is what. An error names the file, the line and what is allowed."""

from __future__ import annotations

import codecs
import hashlib
import re
import tomllib
from datetime import datetime
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from stream.core.events.event import EVENT_TYPES

FIELDS = (
    *("customer", "time", "id", "event", "currency"),
    *("order", "product", "name", "category", "brand", "quantity", "unit_price", "line_total"),
    *("order_total", "tax", "shipping", "discount", "refunded", "coupon", "payment_method", "affiliation"),
    *("channel", "campaign_id", "campaign_name", "campaign_source", "campaign_medium"),
    *("rating", "rating_max", "text", "language", "review", "survey", "survey_kind", "ticket", "topic"),
    *("message", "link", "session", "cart", "query", "promotion", "program", "reason", "country", "timezone"),
)
"""What a column can be."""
TYPES = tuple(str(kind.__struct_config__.tag) for kinds in EVENT_TYPES.values() for kind in kinds)
IGNORED = "ignore"


class FileOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How the files are written; the format is known by the suffix when left out."""

    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    names: tuple[str, ...] = ()
    """Column names of a file that has no header line."""


class TimeOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """`iso`, `unix_s`, `unix_ms`, `unix_us`, `excel` or strptime formats, tried in this order."""

    formats: tuple[str, ...] = ("iso",)
    zone: str = "UTC"
    """The time zone of times that name none."""


class MoneyOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How amounts are written."""

    decimal: Literal[".", ","] = "."
    minor_units: bool = False
    """Amounts are whole cents already."""


class CustomerOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How customer ids are written."""

    prefix: str = ""
    whole_number: bool = False
    """`17850.0` is customer 17850, as spreadsheets and data frames write it."""


class ReturnOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How goods that came back look; a return is refunded on the customer's latest order that fits."""

    negative_quantity: bool = True
    order_prefix: str = ""
    unmatched: Literal["refund", "reject"] = "refund"
    """A return that fits no earlier order: a refund of the order `unmatched-<number>`, or a rejected line."""


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """One file's columns in our words."""

    columns: dict[str, str]
    source: str = "/import"
    constants: dict[str, str] = {}
    """Fields that are the same on every line."""
    events: dict[str, str] = {}
    """Value of the `event` column -> event type, or "ignore"."""
    items: str | None = None
    """Path of the list of an order's products inside one JSON line; `items.x` then names a field in it."""
    fill_down: tuple[str, ...] = ()
    """Fields that only the first line of an order carries."""
    file: FileOptions = FileOptions()
    time: TimeOptions = TimeOptions()
    money: MoneyOptions = MoneyOptions()
    customer: CustomerOptions = CustomerOptions()
    returns: ReturnOptions = ReturnOptions()

    @property
    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class MappingError(Exception):
    """The mapping cannot be used; the message says where and why."""


def ready() -> dict[str, str]:
    """The mappings that come with the program: name -> TOML text."""
    folder = files("stream.importing.files") / "ready"
    return {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }


def load(named: str) -> Mapping:
    """A ready mapping by its name, or a mapping file."""
    shipped = ready()
    if named in shipped:
        return parsed(shipped[named], named)
    try:
        text = Path(named).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        why = getattr(failure, "strerror", None) or failure
        raise MappingError(f"{named}: {why}; ready mappings are {', '.join(shipped)}") from failure
    return parsed(text, named)


def parsed(text: str, name: str) -> Mapping:
    try:
        mapping = msgspec.convert(tomllib.loads(text), Mapping)
    except tomllib.TOMLDecodeError as failure:
        raise MappingError(f"{name}: {failure}") from failure
    except msgspec.ValidationError as failure:
        raise MappingError(f"{_where(text, name, str(failure))}: {failure}") from failure
    _check(mapping, text, name)
    return mapping


def _where(text: str, name: str, told: str) -> str:
    """The line of the key that the message speaks of, as far as it can be found."""
    keys = re.findall(r"`\$?\.?([^`]*)`", told)
    for key in (part for found in reversed(keys) for part in reversed(found.split("."))):
        for number, line in enumerate(text.splitlines(), start=1):
            if key and re.match(rf"\s*\[?\"?{re.escape(key.rstrip(']['))}\"?\s*[=\].]", line):
                return f"{name}, line {number}"
    return name


def _check(mapping: Mapping, text: str, name: str) -> None:
    given = {**mapping.columns, **mapping.constants}
    for field in (*given, *mapping.fill_down):
        if field not in FIELDS:
            where = _where(text, name, f"`{field}`")
            raise MappingError(f"{where}: {field!r} is no field; fields are {', '.join(FIELDS)}")
    for field in ("customer", "time"):
        if field not in mapping.columns:
            raise MappingError(f"{name}: [columns] must name the column of {field!r}")
    for value, kind in (*mapping.events.items(), *_constant_event(mapping)):
        if kind not in (*TYPES, IGNORED):
            where = _where(text, name, f"`{value}`")
            raise MappingError(f"{where}: {kind!r} is no event type; types are {', '.join(TYPES)}, {IGNORED}")
    if "event" in mapping.columns and not mapping.events:
        raise MappingError(f"{name}: an 'event' column needs [events], which says what its values mean")
    _check_zone(mapping, text, name)
    _check_formats(mapping, text, name)
    _check_encoding(mapping, text, name)


def _constant_event(mapping: Mapping) -> list[tuple[str, str]]:
    return [("event", mapping.constants["event"])] if "event" in mapping.constants else []


def _check_zone(mapping: Mapping, text: str, name: str) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(mapping.time.zone)
    except (ZoneInfoNotFoundError, ValueError) as failure:
        where = _where(text, name, "`zone`")
        raise MappingError(
            f"{where}: {mapping.time.zone!r} is no time zone; say for instance Europe/London"
        ) from failure


SECOND_OF_MAY = datetime(2006, 5, 2, 3, 4)  # noqa: DTZ001 - a day whose parts are all different


def contradict(form: str, other: str) -> bool:
    """Whether two formats read one text as different times, as 5/2 is February here and May there."""
    if not ("%d" in form and "%d" in other):
        return False
    for one in (form, other):
        text = SECOND_OF_MAY.strftime(one)
        try:
            if datetime.strptime(text, form) != datetime.strptime(text, other):  # noqa: DTZ007
                return True
        except ValueError:
            continue
    return False


def _check_formats(mapping: Mapping, text: str, name: str) -> None:
    for form, other in combinations(mapping.time.formats, 2):
        if contradict(form, other):
            where = _where(text, name, "`formats`")
            raise MappingError(
                f"{where}: {form!r} and {other!r} read one text as two different days; keep the right one"
            )


def _check_encoding(mapping: Mapping, text: str, name: str) -> None:
    try:
        codecs.lookup(mapping.file.encoding)
    except LookupError as failure:
        where = _where(text, name, "`encoding`")
        raise MappingError(f"{where}: {failure}; say for instance utf-8, cp1252 or utf-16") from failure
    if mapping.file.delimiter is not None and len(mapping.file.delimiter) != 1:
        where = _where(text, name, "`delimiter`")
        raise MappingError(f"{where}: {mapping.file.delimiter!r} is no delimiter; it is one character")
