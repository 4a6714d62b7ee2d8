"""Text of an amount becomes an exact decimal number, and minor units of a currency, with integers only.

Text that could mean two numbers is not read: `2,55` is no number where the comma groups thousands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from stream.importing.files.currency_marks import CURRENCY_MARKS
from stream.importing.files.mapping.mapping import MoneyOptions

GROUP_MARKS = "\u00a0\u202f '’"
"""Thousands separators, in addition to the point or the comma, whichever is not the decimal mark."""
NO_CENTS = "[-–—−]{1,2}"
"""After the decimal mark: `20.-` and `20,--` have no cents, and are not below zero."""
NO_PAISE = "(?:/[-=])?"
"""`500/-`, as it is written in India."""
TEXT_MAX = 400
"""Characters of an amount; longer text is none. Python makes no int of more than 4,300 digits of a text."""
POWER_MAX = 30
"""Largest exponent of a number like 1e-05: beyond it, no amount is meant, and 10**power would grow."""
CACHE_SIZE = 1 << 16
"""Different texts that a reader remembers: prices, times and names repeat in a file."""

THOUSANDS_DIGITS = 3
"""Digits after a mark that groups thousands."""

Amount = tuple[int, int]
"""An exact decimal number: (digits, scale) means digits / 10**scale."""


class MarkDoubt:
    """Whether the decimal mark is one, as the amounts of a file show: `2.800` alone may mean 2800."""

    def __init__(self, mark: str) -> None:
        self.is_sure = False
        """An amount was read in which the mark groups no thousands, such as 12.50, 0.125 or 1234.500."""
        self.example = ""
        """An amount in which it may."""
        digits, point = r"[0-9]", re.escape(mark)
        self._open = re.compile(rf"[^0-9]*[1-9]{digits}{{0,2}}{point}{digits}{{3}}[^0-9]*")
        self._marked = re.compile(rf".*{point}({digits}|{NO_CENTS}).*", re.DOTALL)

    def note(self, text: str) -> None:
        """One more amount that was read."""
        if self._open.fullmatch(text):
            self.example = self.example or text
        elif self._marked.fullmatch(text):
            self.is_sure = True

    @property
    def is_open(self) -> bool:
        """Whether nothing shows that the mark is a decimal one, and something may show that it is not."""
        return bool(self.example) and not self.is_sure


def amount_reader(options: MoneyOptions, doubt: MarkDoubt | None = None) -> Callable[[str], Amount | None]:
    """A function from text to an amount; None for text that is no number. `doubt` takes note of what it
    reads."""
    mark = re.escape(options.mark)
    plain = re.compile(rf"([+-]?)(\d*)(?:{mark}(\d*))?", re.ASCII)
    group_mark = f"[{'.' if options.mark == ',' else ','}{GROUP_MARKS}]"
    written = re.compile(
        rf"(?P<open>\()?\s*{CURRENCY_MARKS}?\s*(?P<sign>[+−-])?\s*{CURRENCY_MARKS}?\s*"
        rf"(?P<whole>[0-9]{{1,3}}(?:{group_mark}[0-9]{{2,3}})*{group_mark}[0-9]{{3}}|[0-9]*)"
        rf"(?:{mark}(?:(?P<part>[0-9]+)|{NO_CENTS})?)?{NO_PAISE}"
        rf"\s*{CURRENCY_MARKS}?\s*(?P<after>[−-])?(?P<close>\))?"
    )

    @lru_cache(CACHE_SIZE)
    def remembered(text: str) -> Amount | None:
        text = text.strip()
        found = number(text)
        if doubt is not None and found is not None and options.mark in text:
            doubt.note(text)
        return found

    def number(text: str) -> Amount | None:
        if found := plain.fullmatch(text):
            sign, whole, part = found.groups(default="")
            return _amount(sign == "-", whole, part)
        if found := written.fullmatch(text):
            minus = [name for name in ("open", "sign", "after") if found[name] not in {None, "+"}]
            if len(minus) > 1 or (found["open"] is None) != (found["close"] is None):
                return None
            whole = re.sub(r"\D", "", found["whole"])
            return _amount(bool(minus), whole, found["part"] or "")
        return _scientific(text.replace(options.mark, "."))

    def read(text: str) -> Amount | None:
        return remembered(text) if len(text) <= TEXT_MAX else None

    return read


def _amount(minus: bool, whole: str, part: str) -> Amount | None:
    if not whole and not part:
        return None
    part = part.rstrip("0")
    digits = int(whole + part or "0")
    return (-digits if minus else digits), len(part)


def _scientific(text: str) -> Amount | None:
    """`1e-05`: numbers as data frames and spreadsheets sometimes write them."""
    try:
        sign, digits, power = Decimal(text).as_tuple()
    except InvalidOperation:
        return None
    if (
        not text.isascii()
        or not re.search("[eE]", text)
        or not isinstance(power, int)
        or abs(power) > POWER_MAX
    ):
        return None
    number = int("".join(map(str, digits)))
    number = -number if sign else number
    return (number, -power) if power < 0 else (number * 10**power, 0)


def product(amount: Amount, factor: Amount) -> Amount:
    """Exact multiplication."""
    return amount[0] * factor[0], amount[1] + factor[1]


def rounded_to_minor(amount: Amount, digits: int) -> tuple[int, int]:
    """In units of 10**-digits, halves away from zero; and what rounding added, in 1e-9 of a unit."""
    number, scale = amount
    if scale <= digits:
        return number * 10 ** (digits - scale), 0
    unit = 10 ** (scale - digits)
    whole = (2 * abs(number) + unit) // (2 * unit)
    rounded = -whole if number < 0 else whole
    return rounded, (rounded * unit - number) * 10**9 // unit


def whole_number(amount: Amount | None) -> int | None:
    """3 for `3`, `3.0` and `3E+0`; None for `1.5`."""
    if amount is None:
        return None
    number, left = divmod(amount[0], 10 ** amount[1])
    return None if left else number
