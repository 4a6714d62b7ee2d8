"""`stream digest`: parsing and printing only."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.commands.output_files import FileCommand
from stream.commands.page_sources import (
    needs_extra,
    one_source,
    page_source,
    page_words,
    reached,
    source_options,
)
from stream.commands.parameters import OUTPUT, basis_of_worker
from stream.commands.recorded_events import now_option
from stream.commands.shown import echo
from stream.config.environment import load_settings
from stream.progress import progress
from stream.pseudonyms import ERASED, Pseudonyms
from stream.recording.output_file import is_stdout, output_file

if TYPE_CHECKING:
    from stream.config.settings import Settings
    from stream.core.judgement.basis import Basis
    from stream.page.screens.view import View
    from stream.page.store.store import ReadStore


@click.command("digest", cls=FileCommand)
@source_options
@click.option("--html", type=OUTPUT, help="Write it as HTML: one file, also for a mail.")
@click.option("--text", type=OUTPUT, help="Write it as text for a mail. [default without --html: printed]")
@now_option
def digest_command(
    *,
    folder: Path | None,
    events: tuple[Path, ...],
    profiles: Path | None,
    alerts: Path | None,
    policy_path: Path | None,
    model_path: Path | None,
    published: Path | None,
    html: Path | None,
    text: Path | None,
    now_ms: int,
) -> None:
    """The day in one page: who needs us today, why, what is at stake, what to do. For a mail each morning.

    Without a source it reads the topics of a running shop once, as `stream dashboard` does. Else name one:
    the FOLDER that `stream try` made, files of a replay, or events. Exit code 1: a file holds a line that no
    replay wrote, or the topics cannot be read; 2 wrong usage.

    \b
    Examples:
      stream digest orders.try --html digest.html --text digest.txt
      STREAM_BROKERS=kafka:9092 stream digest --published published --html digest.html
    """
    needs_extra("stream digest")
    profiles, alerts, model_path = one_source(folder, events, profiles, alerts, model_path)
    from stream.page.dashboard import filled, opened_store
    from stream.page.published import Published
    from stream.page.screens.digest import digest, digest_text
    from stream.page.web.digest_page import digest_page

    settings = load_settings()
    opened = opened_store("", shared=False, mask_key=settings.dashboard_mask_key)
    with page_words(), opened as kept, ExitStack() as files:
        outputs = [(files.enter_context(output_file(path)) if path else None) for path in (html, text)]
        if events or profiles:
            source = page_source(events, profiles, alerts, (policy_path, model_path), now_ms)
            with progress("reading the customers"):
                view = filled(kept, source)
        else:
            view = _read_topics(settings, kept, basis_of_worker(policy_path, model_path))
        with kept.reading() as reading:
            found = digest(reading, view, Published(published or folder).report())
        for file, made in zip(outputs, (digest_page, digest_text), strict=True):
            if file is not None:
                file.write(made(found).encode())
    _tell((html, text), digest_text(found))


def _read_topics(settings: Settings, store: ReadStore, basis: Basis) -> View:
    """What the topics of a running shop say, read to their end."""
    from stream.page.dashboard import read_once, running_shop

    reached(settings)
    store.pseudonyms = Pseudonyms(settings.erasure_key, ERASED)
    with progress("reading the topics"):
        return read_once(running_shop(settings, basis, store))


def _tell(written: tuple[Path | None, Path | None], as_text: str) -> None:
    """Name the files that were written; without any, print the text."""
    if written == (None, None):
        echo(as_text.rstrip())
    for path in written:
        if path is not None and not is_stdout(path):
            echo(f"written to {path}", err=True)
