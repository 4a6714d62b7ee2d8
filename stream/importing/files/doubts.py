"""What would be read as something else in silence: the import is refused, with what the mapping must say."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from stream.core.currency import currency_digits
from stream.importing.files.mapping.mapping import ColumnMapping, MappingError
from stream.importing.files.values.amounts import THOUSANDS_DIGITS, MarkDoubt
from stream.importing.files.values.instants import DayDoubt, exchanged_format


def check_days(paths: Sequence[Path], mapping: ColumnMapping, doubt: DayDoubt) -> None:
    """MappingError where day and month would be exchanged in the times that can be read."""
    if doubt.is_sure or not doubt.exchanged:
        return
    other, example = next(iter(doubt.exchanged.items()))
    form = exchanged_format(other) or ""
    formats_now = [other if one == form else one for one in mapping.time.formats]
    raise MappingError(
        f"{', '.join(map(str, paths))}: {form!r} reads no day after the 12th, and times like "
        f"{example!r} fit {other!r}: day and month are exchanged; set formats = {formats_now} in [time]"
    )


def check_decimal_mark(
    paths: Sequence[Path], mapping: ColumnMapping, doubt: MarkDoubt, currencies: Collection[str]
) -> str:
    """MappingError where 2.800 may mean 2800, and no amount shows that it does not.

    A mapping that names the decimal mark has decided: then such an amount is returned, to be told; else the
    text is empty. Amounts in `currencies` of three decimals are as they should be.
    """
    three = bool(currencies) and all(currency_digits(one) == THOUSANDS_DIGITS for one in currencies)
    if not doubt.is_open or three:
        return ""
    if mapping.money.decimal is not None:
        return doubt.example
    amount, whole = doubt.example, doubt.example.replace(".", "")
    raise MappingError(
        f"{', '.join(map(str, paths))}: every amount with a point has three digits after it, "
        f'such as {amount!r}: is that {whole} or {amount}? Set in [money] decimal = "," ({whole}) or '
        f'decimal = "." ({amount})'
    )
