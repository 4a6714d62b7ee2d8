"""What is decided about a delivery knows no clock, network or random number."""

import pytest

from tests.support.imports import imported
from tests.support.pages import ROOT

ALLOWED = {
    *("__future__", "base64", "binascii", "collections", "datetime", "email", "hashlib", "hmac"),
    *("ipaddress", "json"),
    *("math", "msgspec", "typing"),
}


def breaches(source: str) -> list[str]:
    own = ("stream.core.", "stream.deliver.plan.", "stream.deliver.stake.")
    return [
        name for name in imported(source) if not name.startswith(own) and name.split(".")[0] not in ALLOWED
    ]


@pytest.mark.parametrize(
    "path",
    sorted([*(ROOT / "stream/deliver/plan").glob("*.py"), ROOT / "stream/deliver/stake.py"]),
    ids=lambda path: path.stem,
)
def test_a_decision_imports_arithmetic_and_signatures_only(path):
    assert breaches(path.read_text()) == []


@pytest.mark.parametrize("source", ["import time", "import random", "from stream.deliver.queue import x"])
def test_the_rule_finds_a_breach(source):
    assert breaches(source)
