"""A TOML file of an operator becomes tables, or one fault with its line: whatever the file holds.

tomllib recurses for each level of nesting, and takes time that grows with the square of the parts of a dotted
key: a key of 100,000 parts takes minutes.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

CHARACTERS_MAX = 1 << 20
"""A policy with all its words has 15,000."""
KEY_PARTS_MAX = 32
"""Parts of a dotted key; ours have 4."""
DIGITS_MAX = 4_000

_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_DEEP_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+(?:{_PART}){{{KEY_PARTS_MAX}}}", re.MULTILINE)
_LONG_NUMBER = re.compile(rf"[\d_]{{{DIGITS_MAX}}}")


class TomlTextError(ValueError):
    """A text that is no TOML, or none that anybody means: the line (from 1), and what is wrong there."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


def parsed_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text; TomlTextError says what is wrong with it."""
    if len(text) > CHARACTERS_MAX:
        raise TomlTextError(1, f"{len(text):,} characters; at most {CHARACTERS_MAX:,} are read")
    for wrong, problem in (
        (_DEEP_KEY, f"a dotted key of more than {KEY_PARTS_MAX} parts"),
        (_LONG_NUMBER, f"a number of more than {DIGITS_MAX:,} digits"),
    ):
        if found := wrong.search(text):
            raise TomlTextError(text.count("\n", 0, found.start()) + 1, problem)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax(str(error), text) from None
    except RecursionError:
        raise TomlTextError(_deepest_line(text), "nested too deeply") from None


def _syntax(message: str, text: str) -> TomlTextError:
    """A message of tomllib, `... (at line 3, column 5)` or `(at end of document)`, as a fault."""
    where = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    problem = message[: where.start()] if where else message
    line = int(where[1]) if where and where[1] else text.count("\n") + 1
    return TomlTextError(line, f"not TOML: {problem[:1].lower()}{problem[1:]}")


def _deepest_line(text: str) -> int:
    """The line with the most opening brackets."""
    counts = [line.count("[") + line.count("{") for line in text.split("\n")]
    return counts.index(max(counts)) + 1


def as_toml(value: str | list[str] | tuple[str, ...]) -> str:
    """A text or a list of texts as TOML, which unlike JSON knows no surrogate pairs and no bare DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
