"""The parts of an HTML page that every report shares: the document with its stylesheet, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from stream.printable import printable

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.2rem } figure { margin: 1rem 0 }
figure svg { max-width: 100%; height: auto } p { overflow-wrap: break-word }
.wide { overflow-x: auto; margin: 1rem 0 } table { border-collapse: collapse }
td, th { padding: .3rem .8rem; text-align: right } th { vertical-align: bottom } td { white-space: nowrap }
.text { text-align: left } td.text { white-space: normal; min-width: 7rem }
tr { border-bottom: 1px solid #d8dee4 }
.note { background: #fff8e1; padding: .6rem 1rem; border-left: 4px solid #e0a800 } small { color: #52606d }
@media (max-width: 40rem) { body { margin: 1rem auto } td, th { padding: .3rem .4rem } }
"""


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
    return "\n".join([head, *parts]) + "</html>\n"


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
