"""Which time formats a column of text fits, and which of them would read another day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from stream.importing.files.mapping.check import formats_contradict
from stream.importing.files.mapping.mapping import ColumnMapping, FileOptions, TimeOptions
from stream.importing.files.reading.row import FileRow
from stream.importing.files.reading.rows import file_rows
from stream.importing.files.suggest.column_names import EXCEL_DAYS, TIME_FORMATS
from stream.importing.files.values.instants import instant_reader

FULL_SCAN_LINES = 300_000
"""Lines that are read where the sample leaves day and month unclear."""
ANY_HOME = "America/Chicago"
"""A zone in which every zone word is read: here only whether a text is a time matters."""
READABLE_MIN = 0.9
"""Share of the sample that a format must read."""
UNIX_SECONDS_DIGITS_MAX, UNIX_MS_DIGITS_MAX = 11, 14
"""Digits before the point of a number of seconds, of milliseconds; a longer number is microseconds."""


def fitting_formats(cells: list[str]) -> list[str]:
    """The formats, or units of a number, that read at least READABLE_MIN of the cells; the best first."""
    texts = list(dict.fromkeys(filled(cells)))
    if texts and all(re.fullmatch(r"\d{9,16}(\.\d+)?", text) for text in texts):
        digits = len(texts[0].partition(".")[0])
        if digits <= UNIX_SECONDS_DIGITS_MAX:
            return ["unix_s"]
        return ["unix_ms" if digits <= UNIX_MS_DIGITS_MAX else "unix_us"]
    if texts and all(re.fullmatch(r"\d{5}(\.\d+)?", text) for text in texts):
        return ["excel"] if all(EXCEL_DAYS[0] <= float(text) < EXCEL_DAYS[1] for text in texts) else []
    counts = {form: _readable_if_enough(form, texts) for form in TIME_FORMATS}
    spans = {form: _span_ms(form, texts) for form in counts if counts[form] and "%y" in form}
    return sorted(
        (form for form in counts if counts[form]), key=lambda form: (-counts[form], spans.get(form, 0))
    )


def rival_formats(chosen: str, fits: list[str], cells: list[str]) -> list[str]:
    """Formats that read every cell too, but as other days than the chosen one."""
    rivals = [form for form in fits if form != chosen and formats_contradict(chosen, form)]
    return [form for form in rivals if readable_count(form, cells) == len(cells)]


def readable_count(form: str, cells: list[str]) -> int:
    """How many of the cells a format reads; blank ones do not count."""
    read = instant_reader(TimeOptions(formats=(form,), zone=ANY_HOME))
    return sum(read(text) is not None for text in filled(cells))


def _readable_if_enough(form: str, texts: list[str]) -> int:
    """How many texts a format reads; 0 as soon as they cannot be READABLE_MIN of all."""
    read = instant_reader(TimeOptions(formats=(form,), zone=ANY_HOME))
    readable = len(texts)
    for text in texts:
        if read(text) is None:
            readable -= 1
            if readable < READABLE_MIN * len(texts):
                return 0
    return readable


def _span_ms(form: str, texts: list[str]) -> int:
    """From the earliest to the latest time as this format reads them.

    Read by the wrong one of `24/06/20` as day first and as year first, the days of a month become years.
    """
    read = instant_reader(TimeOptions(formats=(form,), zone=ANY_HOME))
    instants = [at_ms for at_ms in map(read, texts) if at_ms is not None]
    return max(instants, default=0) - min(instants, default=0)


def days_in_file(path: Path, column: str, file: FileOptions) -> list[str]:
    """One time of each different day in the column, far beyond the sample."""
    mapping = ColumnMapping(columns={"time": column}, file=file)
    texts = (row.values["time"] for row in file_rows(path, mapping) if isinstance(row, FileRow))
    days: Mapping[str, str] = {text.partition(" ")[0]: text for text in islice(texts, FULL_SCAN_LINES)}
    return list(days.values())


def filled(cells: list[str]) -> list[str]:
    """The cells that are not blank, stripped."""
    return [cell.strip() for cell in cells if cell.strip()]
