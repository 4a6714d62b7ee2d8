"""The pages claim only what is there: commands, make targets, links."""

import re
from pathlib import Path

import pytest

from stream.commands.main import COMMANDS

ROOT = Path(__file__).parent.parent
DOCS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))
PAGES = ["README.md", "CONTRIBUTING.md", *DOCS]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_there(page):
    text = (ROOT / page).read_text()
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]

    assert [t for t in targets if t and not ((ROOT / page).parent / t).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_shown_exists(page):
    shown = set(re.findall(r"(?:^|`)stream ([a-z]+)", (ROOT / page).read_text(), flags=re.MULTILINE))

    assert shown - set(COMMANDS) == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_is_shown_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    typed = r"(?:^|`)(?:[A-Z_]+=\S+ )?make ([a-z-]+)"
    shown = set(re.findall(typed, (ROOT / page).read_text(), flags=re.MULTILINE))

    assert shown - targets == set()
