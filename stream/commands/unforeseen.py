"""An exception that no command foresaw: one line for people, exit code 70, and the rest on request.

The line holds the type, the message and the place, but no secret of the settings: a message may quote one.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from pathlib import Path

from stream.commands.shown import echo
from stream.config.environment import secret_values
from stream.printable import printable, printable_lines

EXIT_CODE = 70
"""As a worker ends after a fault in this program; EX_SOFTWARE in sysexits.h."""
DEBUG = "STREAM_DEBUG"
MESSAGE_CHARACTERS_MAX = 300
PACKAGE = Path(__file__).parents[1]


def report(failure: BaseException, environ: Mapping[str, str] = os.environ) -> int:
    """Print the line, or with STREAM_DEBUG=1 the traceback before it; returns the exit code."""
    secrets = secret_values(environ)
    if environ.get(DEBUG, "") not in {"", "0"}:
        trace = "".join(traceback.format_exception(failure))
        echo(printable_lines(without_secrets(trace, secrets)), err=True)
        rest = ""
    else:
        rest = f"; {DEBUG}=1 shows the traceback"
    echo(f"stream: {fault_line(failure, secrets)}{rest}", err=True)
    return EXIT_CODE


def fault_line(failure: BaseException, secrets: frozenset[str] = frozenset()) -> str:
    """Type, message and place of a failure in one line."""
    message = printable(without_secrets(str(failure), secrets))
    if len(message) > MESSAGE_CHARACTERS_MAX:
        message = message[:MESSAGE_CHARACTERS_MAX] + " ..."
    name = type(failure).__name__ + (f": {message}" if message else "")
    return f"a fault in this program: {name} ({_place(failure)})"


def without_secrets(text: str, secrets: frozenset[str]) -> str:
    """The text with *** for each secret, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***").replace(repr(secret)[1:-1], "***")
    return text


def _place(failure: BaseException) -> str:
    """File and line of the innermost frame of this program, else of the innermost frame."""
    frames = traceback.extract_tb(failure.__traceback__)
    ours = [frame for frame in frames if PACKAGE in Path(frame.filename).parents]
    if not (ours or frames):
        return "no place is known"
    frame = (ours or frames)[-1]
    path = Path(frame.filename)
    name = path.relative_to(PACKAGE.parent) if ours else Path(path.name)
    return f"{name.as_posix()}:{frame.lineno}"
