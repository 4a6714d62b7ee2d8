"""A time line as SVG: marks above an axis, a band and lines across, and spans on tracks below it.

It is drawn for wide windows and scrolls by itself on narrow ones. Whoever points at a thing reads its title;
all of it belongs into a table beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from stream.look.html import html_text

WIDTH, LEFT, RIGHT = 1_000, 70, 16
TOP, STEM = 44, 90
"""Room for two rows of words of lines, and the height of the highest mark, in pixels."""
ROW = 14
"""Height of a row of words."""
AXIS = TOP + STEM
UNDER, TRACK = 34, 20
"""From the axis to the first track (labels of time, and what hangs below it), and the height of a track."""
LETTER = 6.2
"""Mean width of a letter at the size of the text, in pixels: what does not fit is left to the title."""


class Mark(Struct, frozen=True):
    """Something that happened at an instant."""

    at_ms: int
    kind: str
    """A class of the stylesheet: order, cancelled, refund. A refund hangs below the axis."""
    size: float
    """Height, 0 to 1."""
    title: str


class Stretch(Struct, frozen=True):
    """Something that lasted; `text` is written into it where there is room."""

    from_ms: int
    to_ms: int
    kind: str
    """A class of the stylesheet."""
    title: str
    text: str = ""


class Line(Struct, frozen=True):
    """An instant that is named across the whole height."""

    at_ms: int
    text: str
    kind: str = ""
    is_left: bool = False
    """The words stand left of the line."""


class Timeline(Struct, frozen=True):
    """What is drawn."""

    start_ms: int
    end_ms: int
    label: str
    """What is read out in its place."""
    ticks: Sequence[tuple[int, str]] = ()
    marks: Sequence[Mark] = ()
    band: Stretch | None = None
    lines: Sequence[Line] = ()
    tracks: Sequence[tuple[str, Sequence[Stretch]]] = ()


def timeline(drawn: Timeline) -> str:
    """The drawing, in a box that scrolls; texts are escaped here."""
    height = AXIS + UNDER + TRACK * len(drawn.tracks) + 4
    label = f'aria-label="{html_text(drawn.label)}"'
    parts = [
        f'<div class="wide strip" tabindex="0" role="region" {label}>'
        f'<svg class="timeline" viewBox="0 0 {WIDTH} {height}" role="img" {label}>'
    ]
    if drawn.band is not None:
        parts.append(_box(drawn, drawn.band, TOP - 4, STEM + 4))
    parts += [_tick(drawn, at_ms, text) for at_ms, text in drawn.ticks]
    parts.append(f'<path class="axis" d="M{LEFT} {AXIS}H{WIDTH - RIGHT}"/>')
    parts += _lines(drawn, height)
    parts += [_mark(drawn, mark) for mark in drawn.marks]
    for place, (name, spans) in enumerate(drawn.tracks):
        top = AXIS + UNDER + TRACK * place
        parts.append(_name(LEFT - 8, top, name))
        parts += [_box(drawn, span, top + 2, TRACK - 4) for span in spans]
        parts.append(_name(WIDTH - 2, top, name, "narrow"))
    return "".join([*parts, "</svg></div>"])


def _name(x: int, top: int, name: str, kind: str = "") -> str:
    """What a track is, on its left; once more on its right, which is what a narrow window shows first."""
    return f'<text class="{kind}" x="{x}" y="{top + 14}" text-anchor="end">{html_text(name)}</text>'


def _x(drawn: Timeline, at_ms: float) -> float:
    share = (at_ms - drawn.start_ms) / max(1, drawn.end_ms - drawn.start_ms)
    return round(LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT), 1)


def _tick(drawn: Timeline, at_ms: int, text: str) -> str:
    x = _x(drawn, at_ms)
    return (
        f'<path class="tick" d="M{x} {TOP}V{AXIS + 4}"/>'
        f'<text x="{x}" y="{AXIS + 28}" text-anchor="middle">{html_text(text)}</text>'
    )


def _lines(drawn: Timeline, height: int) -> Iterator[str]:
    """Lines with their words beside them; words that would touch others stand in the row above."""
    taken: list[tuple[int, float, float]] = []
    for line in drawn.lines:
        x, room = _x(drawn, line.at_ms), LETTER * len(line.text) + 6
        begins = x - room if line.is_left else x + 4
        inside = min(max(2.0, begins), WIDTH - room)
        row = next(
            row
            for row in range(len(drawn.lines))
            if not any(row == other and inside < end and start < inside + room for other, start, end in taken)
        )
        taken.append((row, inside, inside + room))
        base = TOP - 8 - ROW * row
        top = base - 6 if inside == begins else base + 4  # above the line there is no room beside it
        yield (
            f'<path class="line {line.kind}" d="M{x} {top}V{height}"/>'
            f'<text x="{round(inside, 1)}" y="{base}">{html_text(line.text)}</text>'
        )


def _mark(drawn: Timeline, mark: Mark) -> str:
    x, title = _x(drawn, mark.at_ms), f"<title>{html_text(mark.title)}</title>"
    if mark.kind == "refund":
        return f'<path class="refund" d="M{x} {AXIS + 3}l5 9h-10z">{title}</path>'
    top = round(AXIS - max(0.06, mark.size) * (STEM - 8), 1)
    return (
        f'<g class="{mark.kind}"><path d="M{x} {AXIS}V{top}"/><circle cx="{x}" cy="{top}" r="4"/>{title}</g>'
    )


def _box(drawn: Timeline, span: Stretch, top: float, height: float) -> str:
    left, right = _x(drawn, span.from_ms), _x(drawn, span.to_ms)
    width = max(2.0, round(right - left, 1))
    fits = span.text and width > LETTER * len(span.text) + 6
    text = (
        f'<text x="{left + 4}" y="{top + 12}">{html_text(span.text)}</text>' if fits and height < STEM else ""
    )
    return (
        f'<g class="{span.kind}"><rect x="{left}" y="{top}" width="{width}" height="{height}"/>{text}'
        f"<title>{html_text(span.title)}</title></g>"
    )
