"""Small columns, one a month, as SVG: upwards what is above zero, downwards what is below."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stream.look.html import html_text

STEP, HEIGHT = 12, 44
"""Width of a month and height of the drawing, in pixels."""


class Months(Struct, frozen=True):
    """A series by month, the latest last."""

    label: str
    """What is read out in place of the drawing."""
    values: Sequence[tuple[str, float | None, str]]
    """Of each month its name, its number (None: nothing is known) and what is said of it."""
    bound: float = 0.0
    """The largest number, up or down; 0: that of the series."""


def months(series: Months) -> str:
    """The drawing; its numbers belong into a table beside it, and are titles of the columns."""
    numbers = [value for _, value, _ in series.values if value is not None]
    most = series.bound or max(map(abs, numbers), default=0.0) or 1.0
    has_negative = any(value < 0 for value in numbers)
    level = HEIGHT / 2 if has_negative or series.bound else HEIGHT - 2
    reach = level - 2
    width = STEP * max(1, len(series.values))
    columns = "".join(
        _column(STEP * place, level, value / most * reach, f"{name}: {words}")
        for place, (name, value, words) in enumerate(series.values)
        if value is not None
    )
    return (
        f'<svg class="months" viewBox="0 0 {width} {HEIGHT}" width="{width}" role="img" '
        f'aria-label="{html_text(series.label)}">{columns}<path class="axis" d="M0 {level}H{width}"/></svg>'
    )


def _column(left: float, level: float, height: float, title: str) -> str:
    drawn = max(1.5, abs(height))
    top = level - drawn if height >= 0 else level
    kind = "up" if height >= 0 else "down"
    return (
        f'<rect class="{kind}" x="{left + 1.5}" y="{top:.1f}" width="{STEP - 3}" height="{drawn:.1f}">'
        f"<title>{html_text(title)}</title></rect>"
    )
