"""What a command prints: parts of it come from records, files and other programs.

A terminal obeys control characters, and marks of direction let a line look other than it is. Both appear as
their codes, such as `\\u001b`, which JSON reads as the character itself.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from pathlib import Path

import click

from stream.printable import printable_lines


def open_closed_streams() -> None:
    """Put nothing where a stream was closed (`stream ... >&-`): Python has None for it, and the next
    file that is opened would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - until the end


def show_unknown_letters_as_codes() -> None:
    """Where standard output is no UTF-8, as on old terminals: a letter that it does not have is no fault of a
    command, and is shown as its code. (Python does so for standard error.)"""
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and codecs.lookup(out.encoding).name != "utf-8":
        out.reconfigure(errors="backslashreplace")


def echo(text: object = "", *, err: bool = False) -> None:
    """Print a text of one or several lines on standard output, or with `err` on standard error."""
    click.echo(printable_lines(str(text)), err=err)
