"""Templates to HTML: everything is escaped, a name that a template does not get is an error, no text can turn
or hide what is beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from stream.page.screens.view import url
from stream.printable import printable
from stream.wording.amounts import count

TEMPLATES = Path(__file__).parent / "templates"
AGO, NO_BREAK = re.compile(r"(?<=\w) ago\b"), "\u00a0"
STATIC = Path(__file__).parent / "static"


def environment() -> jinja2.Environment:
    """The environment of all templates."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["thousands"] = lambda number: f"{number:,}"
    made.filters["capital"] = lambda text: text[:1].upper() + text[1:]
    made.filters["quoted"] = quoted
    made.globals.update(url=url, count=count)
    return made


def quoted(text: str) -> str:
    """A text that a form or an attribute gives back letter by letter: percent-encoded, so that nothing of it
    is made fit to be shown."""
    return quote(text, safe="")


def _shown(value: Any) -> Any:
    """A text from outside may hold marks that turn the direction of a line, or hide something in it. The word
    `ago` never stands alone on a line."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return AGO.sub(NO_BREAK + "ago", printable(value))
    return value
