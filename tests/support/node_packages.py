"""The packages of tests/deliver/node in a folder; a test is skipped, with the reason, where npm has none."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

SOURCE = Path(__file__).parents[1] / "deliver" / "node"
PATIENCE_S = 120


@cache
def _installed() -> tuple[Path | None, str]:
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None, "node or npm is not there"
    folder = Path(mkdtemp(prefix="node-"))
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    try:
        words = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return None, f"npm did not answer within {PATIENCE_S} s"
    return (folder, "") if done.returncode == 0 else (None, f"npm: {(done.stderr or done.stdout)[-300:]}")


def node_folder() -> Path:
    folder, reason = _installed()
    if folder is None:
        pytest.skip(f"the package standardwebhooks of npm cannot be had: {reason}")
    return folder
