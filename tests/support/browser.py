"""Debian's chromium, driven by Playwright. Where it is missing tests skip and say why;
STREAM_TEST_REQUIRE=browser makes that a failure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.required import give_up

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 120_000
"""For one step of the browser: the machines of tests are busy."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without window. As root it runs without its sandbox, as chromium demands."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        give_up("browser", "no chromium is installed (Debian: apt-get install chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as missing:
        give_up("browser", str(missing))
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=arguments, timeout=PATIENCE_MS)
        yield browser
        browser.close()
