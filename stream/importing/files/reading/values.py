"""Text to exact values: decimal text to minor units by integers alone; what could mean two things is None."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from stream.importing.files.mapping import MoneyOptions

SIGNS = (
    r"(?:[A-Z]{0,2}[$£€¥₹₩₺₽₴₫₱₪฿₦]|Rs\.?|kr\.?|zł|Kč|Ft|Fr\.?|"
    r"(?:AED|AUD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EUR|GBP|HKD|HUF|IDR|ILS|INR|ISK|JPY|KRW|KWD|MXN|MYR|NOK|"
    r"NZD|PHP|PLN|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR))"
)
"""What may stand before or after an amount; it is not asked whether it is the line's currency."""
GROUPS = "\u00a0\u202f '’"
"""What groups thousands everywhere, beside the mark that is not the decimal one."""
CACHED = 1 << 16

Amount = tuple[int, int]
"""A decimal number exactly: (digits, scale) is digits / 10**scale."""


def amounts(options: MoneyOptions) -> Callable[[str], Amount | None]:
    """A reader of amounts, None for what is no number: `2,55` is none where the comma groups thousands."""
    mark = re.escape(options.decimal)
    plain = re.compile(rf"([+-]?)(\d*)(?:{mark}(\d*))?", re.ASCII)
    group = f"[{'.' if options.decimal == ',' else ','}{GROUPS}]"
    written = re.compile(
        rf"(?P<open>\()?\s*{SIGNS}?\s*(?P<sign>[+−-])?\s*{SIGNS}?\s*"
        rf"(?P<whole>[0-9]{{1,3}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}}|[0-9]*)(?:{mark}(?P<part>[0-9]*))?"
        rf"\s*{SIGNS}?\s*(?P<after>[−-])?(?P<close>\))?"
    )

    @lru_cache(CACHED)
    def read(text: str) -> Amount | None:
        text = text.strip()
        if found := plain.fullmatch(text):
            sign, whole, part = found.groups(default="")
            return _amount(sign == "-", whole, part)
        if found := written.fullmatch(text):
            minus = [name for name in ("open", "sign", "after") if found[name] not in {None, "+"}]
            if len(minus) > 1 or (found["open"] is None) != (found["close"] is None):
                return None
            whole = re.sub(r"\D", "", found["whole"])
            return _amount(bool(minus), whole, found["part"] or "")
        return _scientific(text.replace(options.decimal, "."))

    return read


def _amount(minus: bool, whole: str, part: str) -> Amount | None:
    if not whole and not part:
        return None
    part = part.rstrip("0")
    digits = int(whole + part or "0")
    return (-digits if minus else digits), len(part)


def _scientific(text: str) -> Amount | None:
    """`1e-05` and the like, as data frames and spreadsheets write numbers."""
    try:
        sign, digits, power = Decimal(text).as_tuple()
    except InvalidOperation:
        return None
    if not text.isascii() or not re.search("[eE]", text) or not isinstance(power, int) or abs(power) > 30:
        return None
    number = int("".join(map(str, digits)))
    number = -number if sign else number
    return (number, -power) if power < 0 else (number * 10**power, 0)


def times(amount: Amount, factor: Amount) -> Amount:
    return amount[0] * factor[0], amount[1] + factor[1]


def in_minor(amount: Amount, digits: int) -> tuple[int, int]:
    """In units of 10**-digits, halves away from zero, and what that added in 1e-9 of one."""
    number, scale = amount
    if scale <= digits:
        return number * 10 ** (digits - scale), 0
    unit = 10 ** (scale - digits)
    whole = (2 * abs(number) + unit) // (2 * unit)
    rounded = -whole if number < 0 else whole
    return rounded, (rounded * unit - number) * 10**9 // unit


def whole_number(amount: Amount | None) -> int | None:
    """`3`, `3.0` and `3E+0` are 3; `1.5` is none."""
    if amount is None:
        return None
    number, left = divmod(amount[0], 10 ** amount[1])
    return None if left else number
