"""The parts of an HTML page that every report shares: the document with its stylesheet, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from stream.printable import printable

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2933; --faint: #52606d; --line: #d8dee4;
  --note: #fff8e1; --shade: rgba(0, 0, 0, .22) }
@media (prefers-color-scheme: dark) { :root { --paper: #14191f; --ink: #e4e9ee; --faint: #a3b1bf;
  --line: #37424d; --note: #3a3210; --shade: rgba(255, 255, 255, .28) } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.2rem } figure { margin: 1rem 0 }
figure svg { max-width: 100%; height: auto; fill: currentColor } p { overflow-wrap: break-word }
figcaption span { display: inline-block; margin-right: 1.2rem } figcaption i { display: inline-block;
  width: 1.4rem; height: .25rem; margin-right: .4rem; vertical-align: middle }
.wide { overflow-x: auto; margin: 1rem 0; background:
  linear-gradient(to right, var(--paper) 40%, transparent) left / 2.5rem 100% local,
  linear-gradient(to left, var(--paper) 40%, transparent) right / 2.5rem 100% local,
  linear-gradient(to right, var(--shade), transparent) left / .8rem 100% scroll,
  linear-gradient(to left, var(--shade), transparent) right / .8rem 100% scroll;
  background-repeat: no-repeat }
table { border-collapse: collapse }
td, th { padding: .3rem .8rem; text-align: right } th { vertical-align: bottom; min-width: 4rem }
td, .whole { white-space: nowrap }
.text { text-align: left } td.text { white-space: normal; min-width: 7rem }
tr { border-bottom: 1px solid var(--line) }
.note { background: var(--note); padding: .6rem 1rem; border-left: 4px solid #e0a800 }
small { color: var(--faint) }
@media (max-width: 40rem) { body { margin: 1rem auto } td, th { padding: .3rem .4rem } }
"""
"""Light or dark as the reader's device is; a table that goes on sideways has a shadow at that side."""
WHOLE = re.compile(r"(?<![\w.-])[A-Za-z]{0,12}-?\d{4}-\d{2}(-\d{2})?(?![\w-])")
"""Days and months, also in the name of a campaign: a line is never broken in one."""
TEXT = re.compile(r"(?<=>)[^<>]+(?=<)")
"""The text between two tags."""


def html_text(text: str) -> str:
    """A text of whatever origin as HTML: it is no code, nothing in it is hidden or turns the direction."""
    return escape(printable(text))


def html_document(title: str, parts: Iterable[str]) -> str:
    """A whole HTML document; `parts` are the pieces of HTML of its body."""
    head = (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f'<meta name=viewport content="width=device-width, initial-scale=1"><title>{html_text(title)}</title>'
        f"<style>{STYLE}</style>"
    )
    return "\n".join([head, *map(_with_whole_days, parts)]) + "</html>\n"


def _with_whole_days(part: str) -> str:
    return TEXT.sub(lambda text: WHOLE.sub(r"<span class=whole>\g<0></span>", text[0]), part)


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, which scrolls by itself where it is wider than the page; the texts of cells are escaped here.

    Columns of words stand on the left, as does the first one; columns of numbers and days on the right.
    """
    rows = list(rows)
    texts = [not place or _is_text([row[place] for row in rows]) for place in range(len(head))]
    cells = _cells("th", head, texts)
    body = "".join(f"<tr>{_cells('td', row, texts)}</tr>" for row in rows)
    return f"<div class=wide><table><tr>{cells}</tr>{body}</table></div>"


def _cells(tag: str, row: Sequence[str], texts: Sequence[bool]) -> str:
    marks = (" class=text" if is_text else "" for is_text in texts)
    return "".join(f"<{tag}{mark}>{html_text(cell)}</{tag}>" for cell, mark in zip(row, marks, strict=True))


def _is_text(column: Sequence[str]) -> bool:
    """Whether a column holds words: no cell of it begins as a number does, and one is longer than a dash."""
    return any(len(cell) > 1 for cell in column) and not any(cell[:1].isdigit() for cell in column)


def percent(share: float | None) -> str:
    """A share from 0 to 1 as a whole percentage; a dash where it is not known."""
    return "–" if share is None else f"{share:.0%}"
