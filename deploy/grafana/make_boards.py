"""Writes Grafana's JSON of the boards in boards.yml: `python deploy/grafana/make_boards.py`.

Classic JSON (Grafana 10 and later). What is the same for all panels is written here once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
SOURCE = {"type": "prometheus", "uid": "${source}"}
WIDTH, HEIGHT = 24, 8
RUNBOOK = "${docs}/runbook.md"
Panel = dict[str, Any]


def panel_json(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    """One panel as Grafana wants it."""
    targets = [
        {"datasource": SOURCE, "expr": query, "legendFormat": name, "refId": chr(ord("A") + at)}
        for at, (query, name) in enumerate(panel["queries"].items())
    ]
    options: dict[str, Any] = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}}
    if panel.get("kind", "timeseries") == "stat":
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "auto"}
    return {
        "id": number,
        "type": panel.get("kind", "timeseries"),
        "title": panel["title"],
        "description": panel["says"],
        "gridPos": place,
        "datasource": SOURCE,
        "targets": targets,
        "options": options,
        "fieldConfig": {
            "defaults": {"unit": panel["unit"], "min": 0 if panel["unit"] in {"s", "ops"} else None},
            "overrides": [],
        },
    }


def board(uid: str, title: str, rows: dict[str, list[Panel]]) -> dict[str, Any]:
    """A whole board: its rows from the top down, four stats or two pictures side by side."""
    panels: list[dict[str, Any]] = []
    y = 0
    for name, wanted in rows.items():
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": name,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
            }
        )
        y, x, height = y + 1, 0, 0
        for panel in wanted:
            width, high = (6, 4) if panel.get("kind", "timeseries") == "stat" else (12, HEIGHT)
            if x + width > WIDTH:
                y, x, height = y + height, 0, 0
            place = {"x": x, "y": y, "w": width, "h": high}
            panels.append(panel_json(panel, len(panels) + 1, place))
            x, height = x + width, max(height, high)
        y += height
    variables = [
        {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        {
            "name": "docs",
            "label": "Documents",
            "type": "textbox",
            "query": "docs",
            "current": {"text": "docs", "value": "docs"},
        },
    ]
    return {
        "uid": uid,
        "title": title,
        "tags": ["customer-stream"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": variables},
        "annotations": {"list": []},
        "links": [{"title": "Runbook", "type": "link", "url": RUNBOOK, "targetBlank": True, "icon": "doc"}],
        "panels": panels,
    }


BOARDS = {
    f"{name}.json": board(f"customer-stream-{name}", wanted["title"], wanted["rows"])
    for name, wanted in yaml.safe_load((FOLDER / "boards.yml").read_text()).items()
}


def text_of(name: str) -> str:
    """The file of a board."""
    return json.dumps(BOARDS[name], indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for file in BOARDS:
        (FOLDER / file).write_text(text_of(file))
