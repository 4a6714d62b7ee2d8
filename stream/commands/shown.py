"""What a command prints: parts of it come from records, files and other programs.

A terminal obeys control characters, and marks of direction let a line look other than it is. Both appear as
their codes, such as `\\u001b`, which JSON reads as the character itself.
"""

from __future__ import annotations

import click

from stream.printable import printable_lines


def echo(text: object = "", *, err: bool = False) -> None:
    """Print a text of one or several lines on standard output, or with `err` on standard error."""
    click.echo(printable_lines(str(text)), err=err)
