"""The Markdown pages of the repository, and what they show: code blocks, links, commands, paths."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
BENCH = ["bench/README.md", "bench/results/core.md"]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", *DOCS, *BENCH]

_BLOCK = re.compile(r"^[ ]*```(\w*)\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ENVIRONMENT = re.compile(r"[A-Z_]+=\S+")
_OPERATORS = {"&&", "|", ">", "<", ";"}


def text_of(page: str) -> str:
    """The page as it is written."""
    return (ROOT / page).read_text()


def blocks(page: str) -> list[str]:
    """The text of each code block, without the fences."""
    return [text for _, text in _BLOCK.findall(text_of(page))]


def inline(page: str) -> list[str]:
    """Each piece of inline code outside code blocks, with single spaces."""
    return [" ".join(code.split()) for code in _INLINE.findall(_BLOCK.sub("", text_of(page)))]


def links(page: str) -> list[str]:
    """The targets of links to files of the repository, as written, with their anchors."""
    outside = _BLOCK.sub("", text_of(page))
    return [link for link in _LINK.findall(outside) if "://" not in link]


def linked(page: str, link: str) -> Path:
    """The file that a link of this page leads to."""
    target = link.partition("#")[0]
    return (ROOT / page).parent / target if target else ROOT / page


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", path.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(text: str) -> list[list[str]]:
    """Every call of `stream` in a piece of code: its words, without environment, redirection and comment."""
    found = []
    for line in text.splitlines():
        if "stream " not in line:
            continue
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|><;")
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:  # an apostrophe: a sentence, not a command
            continue
        found += [call[1:] for call in _calls(words) if call and call[0] == "stream"]
    return found


def _calls(words: list[str]) -> list[list[str]]:
    """The words of a line, cut at `&&`, `|` and the like; what a redirection writes to is left out."""
    calls: list[list[str]] = [[]]
    skip = False
    for word in words:
        if word in _OPERATORS:
            skip = word in "<>"
            if not skip:
                calls.append([])
        elif skip:
            skip = False
        elif calls[-1] or not _ENVIRONMENT.fullmatch(word):
            calls[-1].append(word)
    return calls
