"""Long lines for a terminal: broken between words, with an indented continuation."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap

CONTINUATION = "    "
NO_BREAK = "\ue000"
"""Stands for a space at which no line is broken, while lines are broken: a character of private use."""
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
WHOLE = re.compile(rf"\d{{1,2}} (?:{MONTHS}) \d{{4}}")
WIDTH_MIN = 40
"""Lines are never wrapped to fewer columns."""


def wrapped(line: str, width: int, continuation: str = CONTINUATION) -> str:
    """A line in parts of at most `width` columns; a longer word, such as an id, is never broken.

    What is one thing stays together: `2 May 2018`.
    """
    indent = line[: len(line) - len(line.lstrip(" "))]
    parts = textwrap.wrap(
        WHOLE.sub(lambda found: found[0].replace(" ", NO_BREAK), line),
        max(width, WIDTH_MIN),
        subsequent_indent=indent + continuation,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(parts).replace(NO_BREAK, " ")


def for_terminal(text: str, continuation: str = CONTINUATION, *, err: bool = False) -> str:
    """The text wrapped to the width of the terminal; unchanged where it goes to a file or a pipe.

    It goes to standard output, or with `err` to standard error.
    """
    if not is_terminal(err=err):
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(wrapped(line, width, continuation) for line in text.split("\n"))


def is_terminal(*, err: bool) -> bool:
    """Whether standard output, or with `err` standard error, is a terminal."""
    return (sys.stderr if err else sys.stdout).isatty()
