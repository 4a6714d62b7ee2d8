"""Text to instants: milliseconds since 1970 in UTC, by the mapping's formats and time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from stream.importing.files.mapping import TimeOptions
from stream.wire import YEAR_MAX, YEAR_MIN

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOCAL_EPOCH = EPOCH.replace(tzinfo=None)
EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day 0, in no zone
MILLISECOND = timedelta(milliseconds=1)
UNITS_US = {"unix_s": 1_000_000, "unix_ms": 1_000, "unix_us": 1}
EXCEL = "excel"
EXCEL_DAY_US = 86_400_000_000
DIRECTIVES = {"Y": r"(\d{4})", "y": r"(\d{2})", **dict.fromkeys("mdHMS", r"(\d{1,2})")}
"""strptime's directives that are plain numbers; a pattern of these is read five times as fast."""
PLACES = "YmdHMS"
CACHED = 1 << 16


def instants(options: TimeOptions) -> Callable[[str], int | None]:
    """A reader of times; None for what no format fits. Lines of one order follow each other with one time."""
    readers = [_reader(form) for form in options.formats]
    offset_ms = _offsets(ZoneInfo(options.zone))
    last_text, last_ms = "", None

    def read(text: str) -> int | None:
        nonlocal last_text, last_ms
        if text != last_text:
            last_text, last_ms = text, _first(readers, text, offset_ms)
        return last_ms

    return read


def _first(
    readers: list[Callable[[str], datetime]], text: str, offset_ms: Callable[[datetime], int]
) -> int | None:
    for reader in readers:
        try:
            at = reader(text)
            if not YEAR_MIN <= at.year <= YEAR_MAX:
                return None
            if at.tzinfo is not None:
                return (at - EPOCH) // MILLISECOND
            return (at - LOCAL_EPOCH) // MILLISECOND - offset_ms(at)
        except (ValueError, OverflowError):
            continue
    return None


def _offsets(zone: ZoneInfo) -> Callable[[datetime], int]:
    """How far a zone's local time is ahead of UTC; asked once a day, but for days when clocks change."""

    @lru_cache(CACHED)
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


def _reader(form: str) -> Callable[[str], datetime]:
    if form == "iso":
        return datetime.fromisoformat
    if form == EXCEL:
        return lambda text: (
            EXCEL_EPOCH + timedelta(milliseconds=round(Decimal(_number(text)) * EXCEL_DAY_US / 1_000))
        )
    if form in UNITS_US:
        return lambda text: EPOCH + timedelta(microseconds=int(Decimal(_number(text)) * UNITS_US[form]))
    return _numeric(form) or (lambda text: datetime.strptime(text, form))  # noqa: DTZ007 - zone comes later


def _numeric(form: str) -> Callable[[str], datetime] | None:
    """strptime for a pattern of numbers, each at most once; None for any other."""
    parts = re.split(r"%(.)", form)
    names = [name.upper() if name == "y" else name for name in parts[1::2]]
    usual = set(parts[1::2]) <= set(DIRECTIVES) and {"Y", "m", "d"} <= set(names)
    if not usual or len(names) != len(set(names)) or re.search(r"\s", form.replace(" ", "")):
        return None
    literal = [re.escape(text).replace(r"\ ", r"\s+") for text in parts[::2]]
    numbers = [DIRECTIVES[name] for name in parts[1::2]]
    pattern = re.compile("".join(a + b for a, b in zip(literal, [*numbers, ""], strict=True)), re.ASCII)
    places = [names.index(name) for name in PLACES if name in names]
    short_year = "y" in parts[1::2]
    if [name for name in PLACES if name in names] != list(PLACES[: len(places)]):
        return None

    def read(text: str) -> datetime:
        found = pattern.fullmatch(text)
        if found is None:
            raise ValueError(text)
        numbers = found.groups()
        year, month, day, *clock = [int(numbers[place]) for place in places]
        if short_year:  # POSIX: 69 to 99 are 1969 to 1999
            year += 1900 if year >= 69 else 2000
        return datetime(year, month, day, *clock)  # type: ignore[arg-type]  # noqa: DTZ001 - no zone yet

    return read


def _number(text: str) -> str:
    if not re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII):
        raise ValueError(text)
    return text
