"""Imports point inwards, between packages and between the rooms of core and engine, and never in a circle.

Imports for type checkers and imports inside functions count like any other. Each rule is tried on a planted
breach, so that it is known to fail.
"""

import ast
import sys
from pathlib import Path

import pytest

from tests.support.floors import (
    ANALYSIS_FLOORS,
    CORE_FLOORS,
    ENGINE_FLOORS,
    FIT_FLOORS,
    FLOORS,
    IMPORTING_FILES_FLOORS,
    PACKAGES,
    SHELLS,
)
from tests.support.imports import (
    FILES_MAX,
    circles,
    crowded,
    floor_breaches,
    imported,
    package_of,
    room_of,
)

ROOT = Path(__file__).parent.parent

ARITHMETIC = {
    "__future__", "bisect", "collections", "dataclasses", "datetime", "enum", "functools", "hashlib", "heapq",
    "itertools", "math", "operator", "re", "statistics", "string", "typing", "zoneinfo",
}  # fmt: skip
"""Standard modules that know no clock, file, socket, random number or log."""

CORE_PACKAGES = {"msgspec"}
CORE_EXCEPTIONS = {
    "stream/core/text/vader.py": {"vaderSentiment"},
    "stream/core/alerts/alert.py": {"uuid"},  # uuid5 hashes a name: no clock, no random number
}

WALL_CLOCK_AND_IO = {"now", "today", "utcnow", "open", "print", "input"}


def core_breaches(path: str, source: str) -> list[str]:
    allowed = ARITHMETIC | CORE_PACKAGES | CORE_EXCEPTIONS.get(path, set())
    names = imported(source)
    wrong = [n for n in names if not n.startswith("stream.core.") and n.split(".")[0] not in allowed]
    called = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    calls = [f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in called]
    return sorted(wrong) + sorted(name + "()" for name in calls if name in WALL_CLOCK_AND_IO)


def package_breaches(path: str, source: str) -> list[str]:
    package = package_of(path)
    allowed = {package, "__version__"} | PACKAGES.get(package, set())
    found = {n.split(".")[1] for n in imported(source) if n.startswith("stream.")}
    return sorted(found - allowed)


SOURCES = {str(path.relative_to(ROOT)): path.read_text() for path in sorted((ROOT / "stream").rglob("*.py"))}


def breaches(package: str | None, rule) -> dict[str, list[str]]:
    """Path -> what it breaks, for the modules of one package or of all."""
    found = {
        path: rule(path, text)
        for path, text in SOURCES.items()
        if package is None or path.startswith(f"stream/{package}/")
    }
    return {path: names for path, names in found.items() if names}


def test_the_core_imports_only_arithmetic_and_knows_no_clock():
    assert breaches("core", core_breaches) == {}


def test_imports_point_inwards_and_shells_never_import_each_other():
    assert breaches(None, package_breaches) == {}


@pytest.mark.parametrize(("package", "floors"), FLOORS)
def test_a_room_imports_only_from_the_floors_below(package, floors):
    assert breaches(package, lambda path, text: floor_breaches(package, floors, path, text)) == {}


@pytest.mark.parametrize(("package", "floors"), FLOORS)
def test_every_room_has_its_floor(package, floors):
    rooms = {room_of(package, path) for path in SOURCES if path.startswith(f"stream/{package}/")}

    assert rooms - {"__init__"} == set().union(*floors)


def test_no_modules_import_each_other_in_a_circle():
    assert circles(SOURCES) == []


def test_imports_are_absolute():
    relative = {path: [n for n in imported(text) if n.startswith(".")] for path, text in SOURCES.items()}

    assert {path: names for path, names in relative.items() if names} == {}


def test_every_package_has_its_rule():
    assert {package_of(path) for path in SOURCES} - {"__init__"} == set(PACKAGES)


def test_no_shell_may_import_another():
    for shell in SHELLS:
        assert PACKAGES[shell] & SHELLS == set()


def test_no_folder_is_crowded():
    assert crowded(SOURCES) == {}


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
def test_the_rule_of_the_core_finds_a_breach(path, source):
    assert core_breaches(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("stream/engine/state/table.py", "from stream.core.facts.profile import Profile"),
        ("stream/engine/state/table.py", "import stream.metrics"),
        ("stream/worker/app.py", "from stream.replay.run import run"),
        ("stream/replay/run.py", "def f():\n    from stream import worker"),
        ("stream/wire/decode.py", "from stream.config.settings import Settings"),
        (
            "stream/analysis/fit_recording.py",
            "if TYPE_CHECKING:\n    from stream.commands.parameters import DAY",
        ),
    ],
)
def test_the_rule_of_packages_finds_a_breach(path, source):
    assert package_breaches(path, source)


@pytest.mark.parametrize(
    ("package", "floors", "path", "source"),
    [
        ("core", CORE_FLOORS, "stream/core/facts/fold.py", "from stream.core.judgement.judge import judge"),
        ("core", CORE_FLOORS, "stream/core/judgement/judge.py", "from stream.core.alerts.build import alert"),
        ("core", CORE_FLOORS, "stream/core/text/themes.py", "from stream.core.model.record import Model"),
        ("core", CORE_FLOORS, "stream/core/risk/curve.py", "def f():\n    from stream.core import step"),
        (
            "engine",
            ENGINE_FLOORS,
            "stream/engine/input/transport.py",
            "if TYPE_CHECKING:\n    from stream.engine.app import EngineApp",
        ),
        ("engine", ENGINE_FLOORS, "stream/engine/state/table.py", "from stream.engine.task.lane import Lane"),
        ("fit", FIT_FLOORS, "stream/fit/history.py", "from stream.fit.model_fit import fit_model"),
        (
            "analysis",
            ANALYSIS_FLOORS,
            "stream/analysis/business/report.py",
            "from stream.analysis.backtest.page import page",
        ),
        (
            "importing/files",
            IMPORTING_FILES_FLOORS,
            "stream/importing/files/reading/rows.py",
            "from stream.importing.files.importer import Importer",
        ),
    ],
)
def test_the_rule_of_floors_finds_a_breach(package, floors, path, source):
    assert floor_breaches(package, floors, path, source)


@pytest.mark.parametrize(
    "sources",
    [
        {"stream/a.py": "import stream.b", "stream/b.py": "from stream.a import A"},
        {
            "stream/a.py": "from stream.b import B",
            "stream/b.py": "def f():\n    from stream.c import C",
            "stream/c.py": "if TYPE_CHECKING:\n    from stream import a",
        },
    ],
)
def test_the_rule_of_circles_finds_one(sources):
    assert circles(sources)


def test_the_rule_of_crowds_finds_one():
    assert crowded(f"stream/core/m{number}.py" for number in range(FILES_MAX + 1)) == {"stream/core": 15}
