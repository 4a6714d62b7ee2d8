"""Tables whose cells are coloured by a number: a heat map that is its own table of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stream.look.html import Link, html_link, html_text

LEVELS = 10
"""Steps of the colour, g0 to g9 in the stylesheet."""
FEW = 7
"""With so many columns it fits on a phone in small letters; with more it scrolls."""


class HeatCell(NamedTuple):
    """One cell: its text, and how strongly it is coloured."""

    text: str
    level: float | None = None
    """0 to 1; None: it has no colour, because there is no number."""
    address: str = ""
    """Where a click leads; empty: nowhere."""
    is_running: bool = False
    """Of a period that is not over: it is hatched."""
    more: str = ""
    """A second line in small letters."""


def html_heat(
    head: Sequence[str],
    rows: Sequence[tuple[str | Link, Sequence[HeatCell]]],
    label: str,
    foot: str = "",
    *,
    is_bad: bool = False,
) -> str:
    """A heat map: `head` names the columns, the first one that of the rows; `label` says what it shows.

    The last row is set apart where `foot` is its name. `is_bad`: the colour is that of what is to be noticed.
    The texts are escaped here.
    """
    heads = "".join(f"<th scope=col>{html_text(name)}</th>" for name in head)
    body = "".join(_row(name, cells, is_foot=bool(foot) and name == foot) for name, cells in rows)
    classes = ["heat", *(["few"] if len(head) <= FEW else []), *(["bad"] if is_bad else [])]
    marks = f'"{" ".join(classes)}"' if len(classes) > 1 else classes[0]
    return (
        f'<div class=wide tabindex=0 role=region aria-label="{html_text(label)}"><table class={marks}>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(name: str | Link, cells: Sequence[HeatCell], *, is_foot: bool) -> str:
    mark = " class=foot" if is_foot else ""
    return f"<tr{mark}><th scope=row>{html_link(name)}</th>{''.join(map(_cell, cells))}</tr>"


def _cell(cell: HeatCell) -> str:
    classes = [] if cell.level is None else [f"g{min(LEVELS - 1, max(0, int(cell.level * LEVELS)))}"]
    classes += ["running"] if cell.is_running else []
    text = html_text(cell.text)
    if cell.address:
        text = f'<a href="{html_text(cell.address)}">{text}</a>'
    more = f" <small>{html_text(cell.more)}</small>" if cell.more else ""
    return f'<td class="{" ".join(classes)}">{text}{more}</td>'
