"""No module imports a test module: what tests share is in tests/support."""

from pathlib import Path

import pytest

from tests.support.imports import imports_of_tests

ROOT = Path(__file__).parent.parent
TESTS = {str(path.relative_to(ROOT)): path.read_text() for path in sorted((ROOT / "tests").rglob("*.py"))}


def test_no_module_imports_a_test_module_because_helpers_are_in_tests_support():
    """pytest rewrites the asserts of a test module, and runs what is imported from it a second time."""
    found = {path: imports_of_tests(text) for path, text in TESTS.items()}

    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from tests.ops.test_dlq import bury",
        "from tests.worker.conftest import SHOP",
        "from tests import test_tidy",
        "def f():\n    import tests.engine.test_lane",
        "from .test_lane import Pipe",
    ],
)
def test_the_rule_of_tests_finds_a_breach(source):
    assert imports_of_tests(source)


def test_the_rule_of_tests_allows_helpers():
    assert not imports_of_tests(
        "from tests.support.builders import at\nfrom tests.faults.verifier import fold"
    )
