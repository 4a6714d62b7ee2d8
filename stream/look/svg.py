"""Line plots of shares, from 0 to 1 on both axes, as inline SVG without script, fonts or network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.look.html import html_text

WIDTH, HEIGHT, MARGIN, RIGHT = 480, 340, 60, 26
"""Size of a plot, its left and lower margin, and the right one, in pixels: half of the last label stands
there."""
COLOURS = 5
"""So many colours of the stylesheet (c0, c1 ...) can be told from each other on light and on dark paper."""


@dataclass(frozen=True)
class Curve:
    """One curve of a plot; `strong` draws it thick, `dots` marks its points."""

    name: str
    points: Sequence[tuple[float, float]]
    strong: bool = False
    dots: bool = False


def plot(curves: Sequence[Curve], across: str, up: str) -> str:
    """An HTML figure: the curves over a grid, the legend below it; `across` and `up` name the axes."""
    label = f"{up} by {across}: {', '.join(curve.name for curve in curves)}"
    parts = [
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" font-size="14" '
        f'aria-label="{html_text(label)}">'
    ]
    parts += [_grid(fifth / 5.0) for fifth in range(6)]
    for place, curve in enumerate(curves):
        parts.append(_drawn(curve, f"var(--c{place % COLOURS})"))
    middle = (MARGIN + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{html_text(across)}</text>')
    parts.append(
        f'<text x="14" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 14 {HEIGHT / 2})">'
        f"{html_text(up)}</text></svg>"
    )
    legend = [_legend(curve, place % COLOURS) for place, curve in enumerate(curves)]
    return "".join([*parts, "<figcaption>", *legend, "</figcaption></figure>"])


def sparkline(values: Sequence[float], label: str, width: int = 150, height: int = 30) -> str:
    """A small line of values from 0 up, as SVG without axes; `label` is what is read out in its place.

    Its colour is that of the stylesheet. The values belong into a table beside it.
    """
    most, steps = max(values, default=0.0) or 1.0, max(1, len(values) - 1)
    places = [
        f"{2 + place / steps * (width - 4):.1f} {height - 3 - value / most * (height - 6):.1f}"
        for place, value in enumerate(values)
    ]
    drawn = f'<path d="M{"L".join(places)}"/>' if places else ""
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{html_text(label)}">{drawn}</svg>'


def _at(x: float, y: float) -> tuple[float, float]:
    return (
        round(MARGIN + x * (WIDTH - MARGIN - RIGHT), 1),
        round(HEIGHT - MARGIN + 16 - y * (HEIGHT - MARGIN - 8), 1),
    )


def _grid(share: float) -> str:
    left, level = _at(0.0, share)
    right, _ = _at(1.0, share)
    column, bottom = _at(share, 0.0)
    _, top = _at(share, 1.0)
    return (
        f'<path d="M{left} {level}H{right}M{column} {bottom}V{top}" stroke="var(--line)" fill="none"/>'
        f'<text x="{left - 6}" y="{level + 4}" text-anchor="end">{share:.0%}</text>'
        f'<text x="{column}" y="{bottom + 16}" text-anchor="middle">{share:.0%}</text>'
    )


def _drawn(curve: Curve, colour: str) -> str:
    places = [_at(x, y) for x, y in curve.points]
    path = "M" + "L".join(f"{x} {y}" for x, y in places)
    width = 3 if curve.strong else 1.2
    svg = f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
    if curve.dots:
        svg += "".join(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>' for x, y in places)
    return svg


def _legend(curve: Curve, colour: int) -> str:
    return f"<span><i class=c{colour}></i>{html_text(curve.name)}</span>"
