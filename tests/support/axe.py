"""axe-core (Deque), which finds what keeps people from using a page: pinned with its checksum in npm/.

Where it cannot be had tests skip and say why; STREAM_TEST_REQUIRE=axe makes that a failure.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.required import give_up

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).parent / "npm"
SCRIPT = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE_S = 120
GRAVE = ("serious", "critical")


def axe_script() -> str:
    """The text of the program; it is installed by npm where it is missing."""
    if not SCRIPT.exists():
        _install()
    return SCRIPT.read_text(encoding="utf-8")


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        give_up("axe", "axe-core is not installed, and there is no npm to install it")
    words = [npm, "ci", "--prefix", str(FOLDER), "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        give_up("axe", f"npm did not install axe-core within {PATIENCE_S} s")
    if not SCRIPT.exists():
        give_up("axe", f"npm cannot install axe-core: {done.stderr.strip().splitlines()[-1:]}")


def grave_faults(page: Page, script: str) -> list[str]:
    """What is serious or critical on a page that is open: rule, and where."""
    page.evaluate(script)
    found: dict[str, Any] = page.evaluate(
        "async () => await axe.run(document, {resultTypes: ['violations']})"
    )
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {[node['target'] for node in one['nodes']][:4]}"
        for one in found["violations"]
        if one["impact"] in GRAVE
    ]
