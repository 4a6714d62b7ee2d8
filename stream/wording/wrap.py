"""Long lines for a terminal: broken between words, continued under their own indentation."""

from __future__ import annotations

import shutil
import sys
import textwrap

CONTINUATION = "    "
WIDTH_MIN = 40
"""Columns below which lines are not wrapped narrower."""


def wrapped(text: str, width: int) -> str:
    """The text in lines of at most `width` columns; a longer word, such as an id, is never broken."""
    indent = text[: len(text) - len(text.lstrip(" "))]
    lines = textwrap.wrap(
        text,
        max(width, WIDTH_MIN),
        subsequent_indent=indent + CONTINUATION,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    return "\n".join(lines)


def for_terminal(text: str) -> str:
    """The text wrapped to the width of the terminal; unchanged where standard output is a file or a pipe."""
    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(wrapped(line, width) for line in text.split("\n"))
