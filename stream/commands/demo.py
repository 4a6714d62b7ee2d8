"""`stream demo`: parsing and printing only."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stream.commands.import_output import write_and_report
from stream.commands.output_files import FileCommand, OutputFile
from stream.commands.shown import echo
from stream.config.environment import load_settings
from stream.core.judgement.basis import Basis
from stream.demo.failure import DemoError
from stream.demo.run import MODEL, demo_events, play_demo
from stream.demo.summary import AlertHistory, is_complete, summary_lines
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.model_file import load_model
from stream.policy_file import default_policy
from stream.wording.wrap import for_terminal, is_terminal

if TYPE_CHECKING:
    from stream.commands.demo_page import DemoPage


@click.command(cls=FileCommand)
@click.option("--seed", default=1, show_default=True, help="Seed of the generated feedback.")
@click.option(
    "--days", default=366, show_default=True, type=click.IntRange(1, 366), help="Play only the first days."
)
@click.option("--json", "as_json", is_flag=True, help="Also print the summary as one JSON object, last line.")
@click.option("--no-browser", is_flag=True, help="Open no page: the demo ends when the year is over.")
@click.option(
    "--events", type=OutputFile(), help="Play nothing: write the events to this file, for stream send."
)
def demo(seed: int, days: int, as_json: bool, no_browser: bool, events: Path | None) -> None:
    """Play a real year of purchases and campaigns through the real worker, and see alerts as they are raised.

    \b
    Needs no Kafka and no Docker, only: pip install 'customer-stream[demo,dashboard]'. Takes a few minutes.
    On a terminal the dashboard is open meanwhile, and stays open until Ctrl-C; with --json, with --no-browser
    or without a terminal there is no page.

    \b
    Examples:
      stream demo
      stream demo --days 90 --json
      stream demo --events year.jsonl.gz
    """
    if events is not None:
        write_and_report(lambda: demo_events(seed, days), events, as_json)
        return
    with ExitStack() as stack:
        page = None if as_json or no_browser or not is_terminal(err=False) else _page(stack)
        _play(seed, days, as_json, page)
        if page is not None:
            _stay(page)


def _play(seed: int, days: int, as_json: bool, page: DemoPage | None) -> None:
    alerts = AlertHistory()
    try:
        summary = play_demo(seed, days, alerts, page)
    except SourceUnavailableError as missing:
        raise DemoError(str(missing)) from missing
    for text in summary_lines(summary, alerts):
        echo(for_terminal(text))
    if as_json:
        echo(json.dumps(summary))
    if not is_complete(summary):
        echo("some events are not accounted for", err=True)
        sys.exit(1)


def _page(stack: ExitStack) -> DemoPage | None:
    """The page, told to the reader; None where it cannot be."""
    from stream.commands.demo_page import NEEDS_EXTRA, opened_page

    basis = Basis(default_policy(), load_model(MODEL))
    page = opened_page(basis, load_settings().dashboard_port)
    if page is None:
        echo(NEEDS_EXTRA)
        return None
    stack.callback(page.close)
    echo(f"The dashboard is at {page.address} while the year is played.\n")
    return page


def _stay(page: DemoPage) -> None:
    """Serve until Ctrl-C."""
    echo(f"\nThe dashboard stays at {page.address} (Ctrl-C ends it)")
    with suppress(KeyboardInterrupt):
        echo("Won, Grown, Kept and Policy: report and backtest of the year are being computed ...")
        while not page.studies.wait(1.0):
            pass
        echo(page.studies.problem or "They are done: these pages show them now.")
        threading.Event().wait()
