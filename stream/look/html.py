"""The parts of an HTML page that every report shares: the document with its stylesheet, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.2rem } figure { margin: 1rem 0 }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .3rem .8rem; text-align: right }
td:first-child, th:first-child { text-align: left } tr { border-bottom: 1px solid #d8dee4 }
.note { background: #fff8e1; padding: .6rem 1rem; border-left: 4px solid #e0a800 } small { color: #52606d }
"""


def html_document(title: str, parts: Iterable[str]) -> str:
    """A whole HTML document; `parts` are the pieces of HTML of its body."""
    head = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f"<style>{STYLE}</style>"
    )
    return "\n".join([head, *parts]) + "</html>\n"


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the texts of its cells are escaped here."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def percent(share: float | None) -> str:
    """A share from 0 to 1 as a whole percentage; a dash where it is not known."""
    return "–" if share is None else f"{share:.0%}"
