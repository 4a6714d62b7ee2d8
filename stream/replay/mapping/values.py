"""Text to exact values: decimal text to minor units by integers alone, times to milliseconds of UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

from stream.replay.mapping.mapping import MoneyOptions, TimeOptions

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
YEAR_MIN, YEAR_MAX = 1990, 2199
"""As the worker accepts them."""
EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Digits after the point in ISO 4217, where they are not two."""
PLAIN = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?", re.ASCII)
CACHED = 1 << 16

Amount = tuple[int, int]
"""A decimal number exactly: (digits, scale) is digits / 10**scale."""


def exponent(currency: str) -> int:
    return EXPONENTS.get(currency, 2)


def amounts(options: MoneyOptions) -> Callable[[str], Amount | None]:
    """A reader of amounts, None for what is no number; the other mark groups thousands."""
    group, mark = ("," if options.decimal == "." else "."), options.decimal

    @lru_cache(CACHED)
    def read(text: str) -> Amount | None:
        bare = text.strip(" \u00a0\t$£€¥")
        bare = bare.replace(group, "").replace(mark, ".") if group in bare or mark != "." else bare
        found = PLAIN.fullmatch(bare)
        if found is None:
            return _scientific(bare)
        sign, whole, part = found.groups(default="")
        if not whole and not part:
            return None
        part = part.rstrip("0")
        digits = int(whole + part or "0")
        return (-digits if sign == "-" else digits), len(part)

    return read


def _scientific(text: str) -> Amount | None:
    """`1e-05` and the like, as data frames write small numbers."""
    try:
        sign, digits, power = Decimal(text).as_tuple()
    except InvalidOperation:
        return None
    if not text.isascii() or not isinstance(power, int) or abs(power) > 30:
        return None
    number = int("".join(map(str, digits)))
    number = -number if sign else number
    return (number, -power) if power < 0 else (number * 10**power, 0)


def in_minor(amount: Amount, times: int, digits: int) -> tuple[int, int]:
    """`amount * times` in units of 10**-digits, halves away from zero, and what that added in 1e-9."""
    number, scale = amount[0] * times, amount[1]
    if scale <= digits:
        return number * 10 ** (digits - scale), 0
    unit = 10 ** (scale - digits)
    whole = (2 * abs(number) + unit) // (2 * unit)
    rounded = -whole if number < 0 else whole
    return rounded, (rounded * unit - number) * 10**9 // unit


def whole_number(amount: Amount | None) -> int | None:
    """`3` and `3.0` are 3; `1.5` is none."""
    return amount[0] if amount is not None and amount[1] == 0 else None


def instants(options: TimeOptions) -> Callable[[str], int | None]:
    """A reader of times to milliseconds since 1970 in UTC; None for what no format fits."""
    zone = ZoneInfo(options.zone)
    readers = [_instant_reader(form) for form in options.formats]

    @lru_cache(CACHED)
    def read(text: str) -> int | None:
        for reader in readers:
            try:
                at = reader(text)
                at = at if at.tzinfo is not None else at.replace(tzinfo=zone)
            except (ValueError, OverflowError):
                continue
            return (at - EPOCH) // MILLISECOND if YEAR_MIN <= at.year <= YEAR_MAX else None
        return None

    return read


def _instant_reader(form: str) -> Callable[[str], datetime]:
    if form == "iso":
        return datetime.fromisoformat
    units = {"unix_s": 1_000_000, "unix_ms": 1_000, "unix_us": 1}
    if form in units:
        return lambda text: EPOCH + timedelta(microseconds=int(Decimal(_number(text)) * units[form]))
    return lambda text: datetime.strptime(text, form)  # noqa: DTZ007 - the zone is put in by the caller


def _number(text: str) -> str:
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise ValueError(text)
    return text
