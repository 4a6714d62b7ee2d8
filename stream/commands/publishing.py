"""`--publish FOLDER` of studies: the numbers are kept in the folder, where `stream dashboard` finds them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from stream.commands.output_files import OutputFolder
from stream.page.published import BACKTEST, REPORT, UPLIFT
from stream.recording.output_file import output_file

PUBLISHED_REPORT, PUBLISHED_BACKTEST = OutputFolder(REPORT), OutputFolder(BACKTEST)
PUBLISHED_UPLIFT = OutputFolder(UPLIFT)


@contextmanager
def published_file(folder: Path | None, kind: OutputFolder) -> Iterator[BinaryIO | None]:
    """The file, which appears when it is whole; nothing without a folder. A missing folder is made."""
    if folder is None:
        yield None
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise click.UsageError(f"--publish: {folder}: {failure.strerror}") from failure
    with output_file(folder / kind.file_name) as file:
        yield file
