"""`stream demo`: parsing and printing only."""

from __future__ import annotations

import json
import sys

import click

from stream.commands.shown import echo
from stream.demo.failure import DemoError
from stream.demo.run import play_demo
from stream.demo.summary import AlertHistory, is_complete, summary_lines
from stream.importing.datasets.unavailable import SourceUnavailableError
from stream.wording.wrap import for_terminal


@click.command()
@click.option("--seed", default=1, show_default=True, help="Seed of the generated feedback.")
@click.option(
    "--days", default=366, show_default=True, type=click.IntRange(1, 366), help="Play only the first days."
)
@click.option("--json", "as_json", is_flag=True, help="Also print the summary as one JSON object, last line.")
@click.option(
    "--no-browser", is_flag=True, hidden=True, expose_value=False
)  # of older scripts: no page opens
def demo(seed: int, days: int, as_json: bool) -> None:
    """Play a real year of purchases and campaigns through the real worker, and see alerts as they are raised.

    \b
    Needs no Kafka and no Docker, only: pip install 'customer-stream[demo]'. Takes a few minutes.

    \b
    Examples:
      stream demo
      stream demo --days 90 --json
    """
    alerts = AlertHistory()
    try:
        summary = play_demo(seed, days, alerts)
    except SourceUnavailableError as missing:
        raise DemoError(str(missing)) from missing
    for text in summary_lines(summary, alerts):
        echo(for_terminal(text))
    if as_json:
        echo(json.dumps(summary))
    if not is_complete(summary):
        echo("some events are not accounted for", err=True)
        sys.exit(1)
