"""Tools of other people that tests call: kustomize, actionlint, hadolint. `make tools` installs them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.required import Needed, give_up

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv" / "tools"
Run = Callable[..., tuple[str, bool]]
"""Takes the words of the command; gives its output and whether it was content."""


def program(name: str, needed: Needed) -> Run:
    """Runs one of the tools; without it the test skips, or fails as STREAM_TEST_REQUIRE says."""
    found = shutil.which(name, path=str(TOOLS)) or shutil.which(name)
    if found is None:
        give_up(needed, f"{name} is not installed (make tools)")

    def run(*words: Any, stdin: str = "") -> tuple[str, bool]:
        command = [found, *map(str, words)]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, check=False, input=stdin, timeout=120
        )
        return done.stdout + done.stderr, done.returncode == 0

    return run
