"""The parts of an HTML page that every page shares: the document of a report with its stylesheet, and tables.

A table may hold bars: so a chart stands beside its numbers, and whoever cannot see it reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from stream.look.meanings import MEANINGS
from stream.printable import printable

STYLESHEET = Path(__file__).parent / "look.css"
"""The one stylesheet: the dashboard serves it, a report holds it."""
NAMED = "January|February|March|April|May|June|July|August|September|October|November|December"
WHOLE = re.compile(
    r"(?<![\w.-])[A-Za-z]{0,12}-?\d{4}-\d{2}(-\d{2})?(?![\w-])"
    rf"|(?:\b\d{{1,2}} )?\b(?:{NAMED}) \d{{4}}\b"
)
"""Days and months, also in the name of a campaign: a line is never broken in one."""
TEXT = re.compile(r"(?<=>)[^<>]+(?=<)")
"""The text between two tags."""
NUMBER = re.compile(r"[+-]?[$€£¥]?\d")
"""How a number, an amount or a day begins."""
METER_WIDTH = 100.0
SHARES_FROM = 20
"""From so many counted things on a share of them is a percentage."""


class Link(NamedTuple):
    """A cell that leads somewhere; without an address it is a text like others."""

    text: str
    address: str


class Meter(NamedTuple):
    """A cell that draws a number as a bar; the number itself stands in another cell of the row."""

    share: float
    """Length of the bar, 0 to 1 of its cell."""
    low: float | None = None
    """With `high`: the ends of its interval, drawn as a line, on the same scale."""
    high: float | None = None
    is_bad: bool = False
    """Drawn in the colour of what is to be noticed."""


Cell = str | Link | Meter


def html_text(text: str) -> str:
    """A text of whatever origin as HTML: it is no code, nothing in it is hidden or turns the direction."""
    return escape(printable(text))


def html_document(title: str, parts: Iterable[str]) -> str:
    """A whole HTML document in one file; `parts` are the pieces of HTML of its body."""
    head = (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f'<meta name=viewport content="width=device-width, initial-scale=1"><title>{html_text(title)}</title>'
        f"<style>{STYLESHEET.read_text(encoding='utf-8')}</style><body class=report><main>"
    )
    return "\n".join([head, *map(with_whole_days, parts)]) + "</main></body></html>\n"


def with_whole_days(part: str) -> str:
    """A piece of HTML in the texts of which no day or month is broken at the end of a line."""
    return TEXT.sub(lambda text: WHOLE.sub(r"<span class=whole>\g<0></span>", text[0]), part)


def html_list(sentences: Iterable[str], name: str = "summary") -> str:
    """Numbered sentences in a box; `name` is a class of the stylesheet."""
    return f"<div class={name}><ol>{''.join(f'<li>{html_text(each)}</li>' for each in sentences)}</ol></div>"


def html_table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table, whose rows become lines on a phone; the texts of cells are escaped here.

    Columns of words stand on the left, as does the first one; columns of numbers and days on the right.
    """
    rows = list(rows)
    kinds = [_kind([row[place] for row in rows], place) for place in range(len(head))]
    heads = "".join(
        f"<th scope=col{_meaning(name)} class={kind}>{html_text(name)}</th>"
        for name, kind in zip(head, kinds, strict=True)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row, kinds, head))}</tr>" for row in rows)
    label = f'"{html_text(", ".join(filter(None, head)))}"'
    return (
        f"<div class=wide tabindex=0 role=region aria-label={label}><table><thead><tr>{heads}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _meaning(name: str) -> str:
    """What is shown when one points at a head, where it has another meaning than its words."""
    return f' title="{html_text(MEANINGS[name])}"' if name in MEANINGS else ""


def _cell(cell: Cell, kind: str, name: str) -> str:
    label = "" if isinstance(cell, Meter) and not name else f' data-label="{html_text(name)}"'
    return f"<td{label} class={kind}>{_content(cell)}</td>"


def _content(cell: Cell) -> str:
    if isinstance(cell, Meter):
        return _meter(cell)
    return html_link(cell)


def html_link(cell: str | Link) -> str:
    """A text, or one that leads somewhere."""
    if isinstance(cell, str):
        return html_text(cell)
    text = html_text(cell.text)
    return f'<a href="{escape(cell.address)}">{text}</a>' if cell.address else text


def _meter(meter: Meter) -> str:
    """The bar; it is not read out, because its number stands beside it."""
    ends = [end for end in (meter.low, meter.high) if end is not None]
    places = [round(METER_WIDTH * min(1.0, max(0.0, each)), 1) for each in (meter.share, *ends)]
    line = f'<line x1="{places[1]}" x2="{places[2]}" y1="5" y2="5"/>' if len(places) == 3 else ""
    bad = " class=over" if meter.is_bad else ""
    return (
        f'<svg{bad} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{places[0]}" height="10"/>{line}</svg>'
    )


def _kind(column: Sequence[Cell], place: int) -> str:
    """The class of a column: a meter; words, where no cell begins as a number does and one is longer than a
    dash, and the first column; else amounts."""
    if any(isinstance(cell, Meter) for cell in column):
        return "meter"
    texts = [cell.text if isinstance(cell, Link) else str(cell) for cell in column]
    words = any(len(text) > 1 for text in texts) and not any(NUMBER.match(text) for text in texts)
    return "text" if not place or words else "amount"


def signed_percent(change: float) -> str:
    """A change from -1 on as a whole percentage with its sign: `+5%`, never `-0%`."""
    return f"{round(100 * change):+d}%"


def part_of(part: int, whole: int) -> str:
    """A share of counted things: `40% of 1,200`; of fewer than SHARES_FROM the counts alone, `2 of 5`: a
    percentage of so few says more than is known."""
    return f"{part / whole:.0%} of {whole:,}" if whole >= SHARES_FROM else f"{part:,} of {whole:,}"


def share_of(part: int, whole: int) -> str:
    """As above where the whole stands beside it: `40%`, or `2 of 5`."""
    return f"{part / whole:.0%}" if whole >= SHARES_FROM else f"{part:,} of {whole:,}"


def percent(share: float | None) -> str:
    """A share from 0 to 1 as a whole percentage; a dash where it is not known."""
    return "–" if share is None else f"{share:.0%}"
