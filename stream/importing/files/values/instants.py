"""Text of a time becomes milliseconds since 1970 (UTC), by the time formats and the zone of the mapping."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from stream.importing.files.mapping.mapping import TimeOptions
from stream.importing.files.values.amounts import CACHE_SIZE
from stream.importing.files.zones import reader_with_zone
from stream.time_zones import zone_info
from stream.wire import YEAR_MAX, YEAR_MIN

EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_LOCAL = EPOCH_UTC.replace(tzinfo=None)
EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - day 0 of spreadsheets, without a zone
MILLISECOND = timedelta(milliseconds=1)
UNIX_UNITS_US = {"unix_s": 1_000_000, "unix_ms": 1_000, "unix_us": 1}
EXCEL = "excel"
EXCEL_DAY_US = 86_400_000_000
DIRECTIVES = {"Y": r"(\d{4})", "y": r"(\d{2})", **dict.fromkeys("mdHMS", r"(\d{1,2})")}
"""The numeric directives of strptime. A format of these alone is read by a regular expression, five times as
fast as by strptime."""
DIRECTIVES_IN_ORDER = "YmdHMS"
MONTHS = 12
TWO_DIGIT_YEAR_PIVOT = 69
"""POSIX: two-digit years 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068."""


class DayDoubt:
    """Whether the formats read day and month the right way round, as the times of a file show."""

    def __init__(self) -> None:
        self.is_sure = False
        """A day after the 12th was read, so the order of day and month is right."""
        self.exchanged: dict[str, str] = {}
        """Format that fits times that none of the given formats reads -> an example."""
        self.has_local = False
        """A time without a zone of its own was read."""


def instant_reader(options: TimeOptions, doubt: DayDoubt | None = None) -> Callable[[str], int | None]:
    """A function from text to milliseconds; None for text that fits no format.

    A zone in the text (`UTC`, `EST`, `Europe/Berlin`) is obeyed, or the text is not read. The last text is
    remembered, since the lines of an order follow each other and have the same time.
    """
    readers = [_reader(form, options.zone) for form in options.formats]
    zoned = [reader_with_zone(reader, options.zone) for reader in readers]
    offset_ms = _offset_reader(zone_info(options.zone))
    seen = doubt or DayDoubt()
    is_open = {at for at, form in enumerate(options.formats) if exchanged_format(form)}
    last_text, last_ms = "", None

    def first(readers: list[Callable[[str], datetime]], text: str) -> datetime | None:
        for number, reader in enumerate(readers):
            try:
                at = reader(text)
            except (ValueError, OverflowError):
                continue
            if number in is_open and at.day > MONTHS:
                seen.is_sure = True
            return at
        return None

    def read(text: str) -> int | None:
        nonlocal last_text, last_ms
        if text != last_text:
            at = first(readers, text) or (first(zoned, text) if text else None)
            last_text, last_ms = text, None if at is None else _milliseconds(at, offset_ms)
            seen.has_local = seen.has_local or (at is not None and at.tzinfo is None)
            if at is None and is_open:
                _note_exchanged(options.formats, text, seen)
        return last_ms

    return read


def exchanged_format(form: str) -> str | None:
    """`%d/%m/%Y` for `%m/%d/%Y`; None for a format in which day and month cannot be exchanged."""
    if not ("%d" in form and "%m" in form) or form.startswith("%Y"):
        return None
    return form.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")


def _note_exchanged(forms: Sequence[str], text: str, seen: DayDoubt) -> None:
    for form in forms:
        other = exchanged_format(form)
        if other is not None and other not in seen.exchanged and other not in forms:
            try:
                _exchanged_reader(other)(text)
            except (ValueError, OverflowError):
                continue
            seen.exchanged[other] = text


@lru_cache(16)
def _exchanged_reader(form: str) -> Callable[[str], datetime]:
    return _reader(form, "UTC")


def _milliseconds(at: datetime, offset_ms: Callable[[datetime], int]) -> int | None:
    if not YEAR_MIN <= at.year <= YEAR_MAX:
        return None
    try:
        if at.tzinfo is not None:
            return (at - EPOCH_UTC) // MILLISECOND
        return (at - EPOCH_LOCAL) // MILLISECOND - offset_ms(at)
    except (ValueError, OverflowError):
        return None


def _offset_reader(zone: ZoneInfo) -> Callable[[datetime], int]:
    """How many ms a zone is ahead of UTC at a local time; one lookup per day, except when clocks change."""

    @lru_cache(CACHE_SIZE)
    def of_day(day: int) -> int | None:
        begins = datetime.fromordinal(day)
        first, last = at(begins), at(begins + timedelta(days=1))
        return first if first == last else None

    def at(local: datetime) -> int:
        return (local.replace(tzinfo=UTC) - local.replace(tzinfo=zone)) // MILLISECOND

    def offset_ms(local: datetime) -> int:
        whole_day = of_day(local.toordinal())
        return at(local) if whole_day is None else whole_day

    return offset_ms


def _reader(form: str, home: str) -> Callable[[str], datetime]:
    """A reader of one format; `home` is the mapping's zone."""
    if form == "iso":
        return datetime.fromisoformat
    if form == EXCEL:
        return lambda text: (
            EXCEL_EPOCH + timedelta(milliseconds=round(Decimal(_decimal_text(text)) * EXCEL_DAY_US / 1_000))
        )
    if form in UNIX_UNITS_US:
        return lambda text: (
            EPOCH_UTC + timedelta(microseconds=int(Decimal(_decimal_text(text)) * UNIX_UNITS_US[form]))
        )
    if "%Z" in form:
        return reader_with_zone(_reader(" ".join(form.replace("%Z", " ").split()), home), home)
    return _numeric(form) or (lambda text: datetime.strptime(text, form))  # noqa: DTZ007 - the zone is added later


def _numeric(form: str) -> Callable[[str], datetime] | None:
    """A fast reader for a format of numeric directives, each at most once; None for any other format."""
    parts = re.split(r"%(.)", form)
    names = [name.upper() if name == "y" else name for name in parts[1::2]]
    usual = set(parts[1::2]) <= set(DIRECTIVES) and {"Y", "m", "d"} <= set(names)
    if not usual or len(names) != len(set(names)) or re.search(r"\s", form.replace(" ", "")):
        return None
    literal = [re.escape(text).replace(r"\ ", r"\s+") for text in parts[::2]]
    numbers = [DIRECTIVES[name] for name in parts[1::2]]
    pattern = re.compile("".join(a + b for a, b in zip(literal, [*numbers, ""], strict=True)), re.ASCII)
    places = [names.index(name) for name in DIRECTIVES_IN_ORDER if name in names]
    short_year = "y" in parts[1::2]
    if [name for name in DIRECTIVES_IN_ORDER if name in names] != list(DIRECTIVES_IN_ORDER[: len(places)]):
        return None

    def read(text: str) -> datetime:
        found = pattern.fullmatch(text)
        if found is None:
            raise ValueError(text)
        numbers = found.groups()
        year, month, day, *clock = [int(numbers[place]) for place in places]
        if short_year:
            year += 1900 if year >= TWO_DIGIT_YEAR_PIVOT else 2000
        return datetime(year, month, day, *clock)  # type: ignore[arg-type]  # noqa: DTZ001 - the zone is added later

    return read


def _decimal_text(text: str) -> str:
    if not re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII):
        raise ValueError(text)
    return text
