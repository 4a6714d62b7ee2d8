"""Draws the boards as pictures, from a real Prometheus: what people see when Grafana shows them.

`python deploy/grafana/draw_boards.py http://localhost:9090 docs` writes docs/board-operations.svg and
docs/board-business.svg, over the last quarter of an hour (--minutes). The layout, titles and queries are
those of the boards' JSON; Grafana itself is not needed.
"""

from __future__ import annotations

import argparse
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
COLUMN, ROW, GAP = 40, 26, 6
"""Pixels of a cell of Grafana's grid, of which a row has 24, and what panels keep off each other."""
COLOURS = ("#17936c", "#d0624b", "#4a86dd", "#92816f", "#a873b3", "#7a4b00", "#52606d")
LINE, SOFT = "#d8dee4", "#52606d"
NUMBERS_MAX, NAME_MAX = 3, 30
STEPS = 90
SECONDS_AS = ((1.0, 1e3, "ms"), (120.0, 1.0, "s"), (7_200.0, 1 / 60, "min"), (172_800.0, 1 / 3_600, "h"))
"""Below so many seconds, times this, by this name."""
Series = tuple[str, list[tuple[float, float]]]
"""Name of a line, and its points: seconds since 1970 and value."""
Ask = Callable[[str], list[dict[str, Any]]]
"""A query -> Prometheus' answer over the time of the picture: series with `metric` and `values`."""


def asking(prometheus: str, begin_s: float, end_s: float) -> Ask:
    """Asks a Prometheus for a stretch of time."""

    def ask(query: str) -> list[dict[str, Any]]:
        words = {"query": query, "start": begin_s, "end": end_s, "step": max(5.0, (end_s - begin_s) / STEPS)}
        address = f"{prometheus}/api/v1/query_range?{urllib.parse.urlencode(words)}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            return list(json.load(answer)["data"]["result"])

    return ask


def named(template: str, labels: dict[str, str]) -> str:
    """The name of a line: `{{topic}}` stands for the value of that label."""
    for label, value in labels.items():
        template = template.replace("{{" + label + "}}", value)
    return template


def series_of(panel: dict[str, Any], ask: Ask) -> list[Series]:
    """The lines of a panel; without points where the value is no number."""
    found: list[Series] = []
    for target in panel["targets"]:
        for each in ask(target["expr"]):
            read = [(float(at_s), float(value)) for at_s, value in each["values"]]
            points = [point for point in read if isfinite(point[1])]
            if points:
                found.append((named(target["legendFormat"], each["metric"]), points))
    return sorted(found, key=lambda each: (not any(value for _, value in each[1]), each[0]))


def in_unit(value: float, unit: str) -> str:
    """A value as Grafana writes it in this unit."""
    if unit == "percentunit":
        return f"{100 * value:.3g}%"
    if unit == "bytes":
        return f"{value / 2**20:,.0f} MiB"
    if unit == "s":
        for most, by, name in SECONDS_AS:
            if abs(value) < most:
                return f"{value * by:.3g} {name}"
        return f"{value / 86_400:,.0f} d"
    words = f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    return f"{words}/s" if unit == "ops" else words


def text(x: float, y: float, words: str, **more: object) -> str:
    """A text; `_` in the name of an attribute stands for `-`."""
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{escape(words)}</text>'


class Frame(NamedTuple):
    """Where a panel is, in pixels, and the stretch of time that it shows."""

    left: float
    top: float
    width: float
    height: float
    begin_s: float
    end_s: float

    def outline(self) -> str:
        """Its paper."""
        size = f'x="{self.left:g}" y="{self.top:g}" width="{self.width:g}" height="{self.height:g}"'
        return f'<rect {size} rx="3" fill="#fff" stroke="{LINE}"/>'


def frame(panel: dict[str, Any], begin_s: float, end_s: float) -> Frame:
    """Grafana's place of a panel, in pixels."""
    place = panel["gridPos"]
    left, top = place["x"] * COLUMN + GAP, place["y"] * ROW + GAP + 30
    return Frame(left, top, place["w"] * COLUMN - GAP, place["h"] * ROW - GAP, begin_s, end_s)


def drawn(panel: dict[str, Any], ask: Ask, begin_s: float, end_s: float) -> str:
    """One panel."""
    here = frame(panel, begin_s, end_s)
    if panel["type"] == "row":
        return text(here.left, here.top + 17, panel["title"], font_size=15, font_weight=600)
    unit, lines = panel["fieldConfig"]["defaults"]["unit"], series_of(panel, ask)
    parts = [here.outline(), text(here.left + 8, here.top + 17, panel["title"], font_weight=600)]
    if not lines:
        middle = here.left + here.width / 2, here.top + here.height / 2 + 6
        parts.append(text(*middle, "No data", text_anchor="middle", fill=SOFT))
    elif panel["type"] == "stat":
        parts += numbers(lines, unit, here)
    else:
        parts += [*curves(lines, unit, here), *legend(lines, here)]
    return "".join(parts)


def numbers(lines: list[Series], unit: str, here: Frame) -> Iterator[str]:
    """The last value of each line with its name."""
    for number, (name, points) in enumerate(lines[:NUMBERS_MAX]):
        x = here.left + here.width * (number + 0.5) / min(len(lines), NUMBERS_MAX)
        words = in_unit(points[-1][1], unit)
        yield text(x, here.top + 56, words, text_anchor="middle", font_size=26, fill=COLOURS[0])
        yield text(x, here.top + 80, name[:40], text_anchor="middle", font_size=10, fill=SOFT)


def curves(lines: list[Series], unit: str, here: Frame) -> Iterator[str]:
    """From 0, or the lowest value below it, to the highest, over three lines of the scale."""
    x0, x1 = here.left + 64, here.left + here.width - 12
    y0, y1 = here.top + here.height - 42, here.top + 30
    values = [value for _, points in lines for _, value in points]
    low, high = min(0.0, *values), max(0.0, *values)
    high = high if high > low else low + 1.0
    for share in (0.0, 0.5, 1.0):
        y = y0 + share * (y1 - y0)
        yield f'<path d="M{x0:g} {y:g}H{x1:g}" stroke="{LINE}"/>'
        words = in_unit(low + share * (high - low), unit)
        yield text(x0 - 6, y + 4, words, text_anchor="end", font_size=11, fill=SOFT)
    for number, (_, points) in enumerate(lines):
        places = []
        for at_s, value in points:
            x = x0 + (at_s - here.begin_s) / (here.end_s - here.begin_s) * (x1 - x0)
            places.append(f"{x:.1f} {y0 + (value - low) / (high - low) * (y1 - y0):.1f}")
        colour = COLOURS[number % len(COLOURS)]
        yield f'<path d="M{"L".join(places)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def legend(lines: list[Series], here: Frame) -> Iterator[str]:
    """The names of the lines, as many as there is room for."""
    x, y = here.left + 10.0, here.top + here.height - 14
    for number, (name, _) in enumerate(lines):
        words = name if len(name) <= NAME_MAX else name[: NAME_MAX - 1] + "…"
        width = 26 + 6.2 * len(words)
        if x + width > here.left + here.width:
            return
        yield f'<rect x="{x:g}" y="{y - 6:g}" width="10" height="4" fill="{COLOURS[number % len(COLOURS)]}"/>'
        yield text(x + 14, y, words, font_size=11)
        x += width


def picture(board: dict[str, Any], ask: Ask, begin_s: float, end_s: float) -> str:
    """A whole board as SVG."""
    panels = board["panels"]
    height = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in panels) * ROW + 48
    width = 24 * COLUMN + GAP
    head = f"{board['title']}, {(end_s - begin_s) / 60:.0f} minutes of a real Prometheus"
    size = f'viewBox="0 0 {width} {height}" width="{width}"'
    style = 'font-family="system-ui, sans-serif" font-size="13" fill="#1f2933"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(head)}" {style}>',
        f'<rect width="{width}" height="{height}" fill="#f5f7f9"/>',
        text(GAP + 4, 24, head, font_size=16, font_weight=600),
        *(drawn(panel, ask, begin_s, end_s) for panel in panels),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prometheus", help="its address, such as http://localhost:9090")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--minutes", type=float, default=15.0)
    wanted = parser.parse_args()
    end_s = time.time()
    begin_s = end_s - 60 * wanted.minutes
    for name in ("operations", "business"):
        board = json.loads((FOLDER / f"{name}.json").read_text())
        drawing = picture(board, asking(wanted.prometheus, begin_s, end_s), begin_s, end_s)
        (wanted.folder / f"board-{name}.svg").write_text(drawing)


if __name__ == "__main__":
    main()
