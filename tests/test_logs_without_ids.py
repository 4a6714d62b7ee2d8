"""No line of a log is built from something that holds a customer id: fields that do are hashed by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import stream
from stream.worker.monitoring.logs import PERSONAL

ROOT = Path(stream.__file__).parent
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
LOGGERS = {"log", "logger", "_log", "logging"}
HOLD_IDS = PERSONAL | {
    "path",
    "path_qs",
    "rel_url",
    "url_for",
    "match_info",
    "body",
    "value",
    "profile",
    "head",
}
"""Names whose text may be, or contain, a customer id; `request.path` is `/customers/ID`."""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in METHODS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in LOGGERS
        ):
            yield node


def suspects(source: str) -> list[str]:
    """Names that may hold an id, in the text or the arguments of a log line; fields by keyword that are
    hashed are left out."""
    found = []
    for call in calls(ast.parse(source)):
        parts = [*call.args, *(each.value for each in call.keywords if each.arg not in PERSONAL)]
        for part in parts:
            for node in ast.walk(part):
                name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
                if name in HOLD_IDS:
                    found.append(f"{call.lineno}: {name}")
    return found


def test_no_log_line_is_built_from_what_holds_a_customer_id():
    wrong = {
        str(path.relative_to(ROOT.parent)): names
        for path in sorted(ROOT.rglob("*.py"))
        if (names := suspects(path.read_text()))
    }

    assert wrong == {}


def test_lines_that_would_name_a_customer_are_found():
    for line in (
        'log.info("at %s", request.path)',
        'log.exception(f"of {customer}")',
        'log.warning("x", who=event.subject)',
        'logging.error("%r", row.profile)',
    ):
        assert suspects(line), line
    assert not suspects('log.warning("x", customer=event.customer)')
    assert not suspects('log.warning("%s/%d", topic, partition)')
