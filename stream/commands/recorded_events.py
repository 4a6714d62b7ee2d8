"""What every command that reads recorded events says about them."""

from __future__ import annotations

from collections.abc import Iterable

import click

from stream.commands.shown import echo
from stream.wording.wrap import for_terminal


class UnfitDataError(click.ClickException):
    """The options ask for what the events do not hold; the line says what would fit. Exit code 2."""

    exit_code = 2


def print_notes(notes: Iterable[str]) -> None:
    """Each note as one line of standard error."""
    for note in notes:
        echo(for_terminal(f"note: {note}", err=True), err=True)
