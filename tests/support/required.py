"""What a machine lacks skips a test with the reason, or fails it where STREAM_TEST_REQUIRE names it."""

from __future__ import annotations

import os
from typing import Literal, NoReturn

import pytest

Needed = Literal["kafka", "browser", "postgres", "promtool", "axe", "go", "hadolint"]


def give_up(needed: Needed, reason: str) -> NoReturn:
    """Skip the test, or fail it: STREAM_TEST_REQUIRE=kafka,browser makes these two compulsory."""
    if needed in os.environ.get("STREAM_TEST_REQUIRE", "").split(","):
        pytest.fail(f"STREAM_TEST_REQUIRE={needed}, but: {reason}")
    pytest.skip(reason)
