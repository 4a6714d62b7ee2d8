"""Imports point inwards: core <- wire <- shells. Each rule is tried on a violation, so that it can fail."""

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ARITHMETIC = {
    "__future__", "bisect", "collections", "dataclasses", "datetime", "enum", "functools", "hashlib", "heapq",
    "itertools", "math", "operator", "re", "statistics", "string", "typing", "zoneinfo",
}  # fmt: skip
"""Standard modules that know no clock, file, socket, random number or log."""

CORE_PACKAGES = {"msgspec"}
CORE_EXCEPTIONS = {
    "stream/core/vader.py": {"vaderSentiment"},
    "stream/core/alert.py": {"uuid"},  # uuid5 hashes a name: no clock, no random number
}
SHELLS = {"worker", "replay", "fit", "dashboard", "deliver", "contracts"}
COMPOSERS = {"study", "demo", "operate"}
"""A composer may put shells together; no shell may import another one or a composer."""

INWARDS = {
    "engine": {"engine"},
    "worker": {
        "worker",
        "engine",
        "core",
        "wire",
        "metrics",
        "settings",
        "environment",
        "policy_file",
        "model_file",
    },
    "replay": {"replay", "words", "core", "wire", "policy_file", "model_file", "settings", "environment"},
    "fit": {"fit", "words", "core", "wire", "policy_file", "model_file"},
    "dashboard": {
        "dashboard",
        "words",
        "core",
        "wire",
        "policy_file",
        "model_file",
        "settings",
        "environment",
        "metrics",
    },
    "deliver": {
        "deliver",
        "words",
        "core",
        "wire",
        "policy_file",
        "model_file",
        "settings",
        "environment",
        "metrics",
    },
    "contracts": {"contracts", "core", "wire"},
    "words": {"core", "words"},
    "wire": {"core", "wire"},
    "policy_file": {"core", "policy_file"},
    "model_file": {"core", "model_file"},
    "metrics": {"metrics"},
    "settings": {"settings"},
    "environment": {"environment", "settings"},
}
"""Part of the package -> the parts it may import. `engine` knows nothing of customers."""

WALL_CLOCK_AND_IO = {"now", "today", "utcnow", "open", "print", "input"}


def imported(source: str) -> set[str]:
    """The full dotted name of everything a module imports, at any depth; relative ones keep their dots."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def part_of(path: str) -> str:
    """stream/core/step.py -> core; stream/wire.py -> wire."""
    return Path(path).parts[1].removesuffix(".py")


def core_violations(path: str, source: str) -> list[str]:
    allowed = ARITHMETIC | CORE_PACKAGES | CORE_EXCEPTIONS.get(path, set())
    names = imported(source)
    wrong = [n for n in names if not n.startswith("stream.core.") and n.split(".")[0] not in allowed]
    called = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    calls = [f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in called]
    return sorted(wrong) + sorted(name + "()" for name in calls if name in WALL_CLOCK_AND_IO)


def direction_violations(path: str, source: str) -> list[str]:
    allowed = INWARDS.get(part_of(path))
    if allowed is None:
        return []
    parts = {n.split(".")[1] for n in imported(source) if n.startswith("stream.")}
    return sorted(parts - allowed - {"__version__"})


def relative_imports(path: str, source: str) -> list[str]:
    return [name for name in imported(source) if name.startswith(".")]


def sources() -> Iterable[tuple[str, str]]:
    for path in sorted((ROOT / "stream").rglob("*.py")):
        yield str(path.relative_to(ROOT)), path.read_text()


def test_the_core_imports_only_arithmetic_and_knows_no_clock():
    wrong = {path: core_violations(path, text) for path, text in sources() if part_of(path) == "core"}

    assert {path: names for path, names in wrong.items() if names} == {}


def test_imports_point_inwards_and_shells_never_import_each_other():
    wrong = {path: direction_violations(path, text) for path, text in sources()}

    assert {path: parts for path, parts in wrong.items() if parts} == {}


def test_imports_are_absolute():
    assert {path: names for path, text in sources() if (names := relative_imports(path, text))} == {}


def test_every_part_of_the_package_has_a_rule():
    unruled = {part_of(path) for path, _ in sources()} - set(INWARDS) - COMPOSERS

    assert unruled <= {"__init__", "__main__", "cli", "core", "data", "settings_page"}


def test_no_shell_may_import_another():
    for shell in SHELLS:
        assert INWARDS[shell] & (SHELLS | COMPOSERS) <= {shell}


def test_arithmetic_is_standard_library():
    assert sys.stdlib_module_names >= ARITHMETIC


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("stream/core/step.py", "import time"),
        ("stream/core/step.py", "def f():\n    from stream import wire"),
        ("stream/core/step.py", "from stream.wire import Rejected"),
        ("stream/core/step.py", "from vaderSentiment.vaderSentiment import X"),
        ("stream/core/step.py", "from datetime import datetime\nat = datetime.now()"),
        ("stream/core/step.py", "text = open('x')"),
    ],
)
def test_the_rule_of_the_core_finds_a_violation(path, source):
    assert core_violations(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("stream/engine/table.py", "from stream.core.profile import Profile"),
        ("stream/engine/table.py", "import stream.metrics"),
        ("stream/worker/app.py", "from stream.replay.run import run"),
        ("stream/replay/run.py", "def f():\n    from stream import worker"),
        ("stream/wire.py", "from stream.settings import Settings"),
    ],
)
def test_the_rule_of_direction_finds_a_violation(path, source):
    assert direction_violations(path, source)
