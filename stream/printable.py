"""Text from outside (records, files, messages of other programs) as it may be shown on a terminal or a page.

A terminal obeys control characters: ESC sequences move its cursor, rename its window, hide what follows.
Bidirectional controls of Unicode let a line look other than it is ("Trojan Source", CVE-2021-42574).
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL and C1: ESC and its relatives, line ends, tabulators
    "\xad\u061c\u200b\u200e\u200f\u2060\ufeff"  # invisible, or marks of direction (joiners stay)
    "\u2028\u2029\u202a-\u202e\u2066-\u206f"  # line ends, embedding, override and isolation of directions
    "\ud800-\udfff"  # halves of a pair: no text, and no file takes them
    "\ufff9-\ufffb\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # annotations, and tags that nobody sees
    # (U+E0100 to U+E01EF between them choose the form of a Chinese or Japanese character: they stay)
    "]"
)


def printable(text: str) -> str:
    r"""The text in one line; each character that a terminal would obey or hide as its code, such as \u001b.

    The codes are those of JSON (a pair beyond the first 65,536 characters): text inside JSON stays the same.
    """
    return _UNSAFE.sub(_as_code, text)


def printable_lines(text: str) -> str:
    """The same for a text of several lines: its line ends and tabulators stay."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def _as_code(found: re.Match[str]) -> str:
    pair = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{pair[at : at + 4]}" for at in range(0, len(pair), 4))
