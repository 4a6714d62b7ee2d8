"""The steps of `stream try`: each is a command of its own, shown as one would type it, then run."""

from __future__ import annotations

import shlex
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import click

from stream.commands.ended import EndedBySignal
from stream.commands.shown import echo
from stream.wording.wrap import for_terminal


def say(text: str = "") -> None:
    """A line of output, wrapped on a terminal."""
    echo(for_terminal(text))


def run_step(title: str, words: list[str], into: Path | None = None) -> int:
    """Show and run `stream WORDS`, its output into a file where one is given; returns its exit code."""
    say()
    say(title)
    redirect = f" > {shlex.quote(str(into))}" if into else ""
    echo(f"$ stream {shlex.join(words)}{redirect}")
    sys.stdout.flush()
    if into is None:
        return _exit_code(words)
    with redirect_stdout(StringIO()) as printed:
        code = _exit_code(words)
    if code == 0:
        into.write_text(printed.getvalue(), encoding="utf-8")
    return code


def _exit_code(words: list[str]) -> int:
    from stream.commands.main import main

    try:
        with main.make_context("stream", words) as context:
            main.invoke(context)
    except click.ClickException as failure:
        failure.show()
        return failure.exit_code
    except EndedBySignal:
        raise
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0
