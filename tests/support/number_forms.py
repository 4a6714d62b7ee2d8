"""What a page says to people, and what of it is written otherwise than `26%` and `1 January 2018`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

READ_OUT = ("title", "aria-label", "placeholder", "alt")
"""Attributes that people read or hear."""
FOR_PROGRAMS = ("code", "style", "script")
"""What stands in these is for a program."""
WRONG = re.compile(
    r"""\d\s+%|\d[.,]\d+\s*%            # 26 %, 26.5%
    |(?<![\w.-])\d{4}-\d{2}(-\d{2})?(?![\w-])  # 2018-01-01, 2018-01
    |\b\d{1,2}/\d{1,2}/\d{2,4}\b|\b\d{1,2}\.\d{1,2}\.\d{4}\b""",
    re.VERBOSE,
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FOR_PROGRAMS:
            self._inside.append(tag)
        self.texts += [value for name, value in attrs if name in READ_OUT and value]

    def handle_endtag(self, tag: str) -> None:
        if self._inside and tag == self._inside[-1]:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.texts.append(data)


def texts_read(html: str) -> list[str]:
    """Every text of a page that people read, of titles and labels too."""
    parser = _Reader()
    parser.feed(html)
    return parser.texts


def other_forms(texts: list[str]) -> Iterator[str]:
    """Percentages and days that are written otherwise, each with the text it stands in."""
    for text in texts:
        for found in WRONG.finditer(text):
            yield f"{found[0]!r} in {text.strip()[:200]!r}"
