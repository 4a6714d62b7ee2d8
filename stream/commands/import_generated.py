"""`stream import generated`: parsing and printing only."""

from __future__ import annotations

from pathlib import Path

import click

from stream.commands.import_output import output_options, write_and_report
from stream.commands.output_files import FileCommand, OutputFile
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.recording.event_file import optional_writer

SHARE = click.FloatRange(0, 1)


@click.command(cls=FileCommand, short_help="A generated shop whose truth is known.")
@click.option("--customers", default=500, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--days", default=730, show_default=True, type=click.IntRange(30, 3_650))
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same events.")
@click.option(
    "--noise",
    is_flag=True,
    help="Plant nothing: nobody leaves over trouble or grows, feedback predicts nothing.",
)
@click.option("--truth", type=OutputFile(), help="File for the planted truth (JSON).")
@click.option("--duplicates", default=0.0, type=SHARE, help="Share of events that arrive twice.")
@click.option("--late", default=0.0, type=SHARE, help="Share of events that arrive up to three days late.")
@click.option("--shuffled", default=0.0, type=SHARE, help="Share of events that arrive minutes out of order.")
@output_options
def generated(  # noqa: PLR0917 - click passes each option by name
    customers: int,
    days: int,
    seed: int,
    noise: bool,
    truth: Path | None,
    duplicates: float,
    late: float,
    shuffled: float,
    out: Path,
    as_json: bool,
) -> None:
    """A generated shop whose truth is known: who left, when and why. Events have the source /generated.

    \b
    Example:
      stream import generated --customers 1000 --out shop.jsonl --truth truth.json
    """
    shop = Shop(seed=seed, customers=customers, days=days, drivers=not noise)
    disorder = Disorder(duplicates=duplicates, late=late, shuffled=shuffled)
    with optional_writer(truth) as file:
        write_and_report(lambda: generated_events(shop, disorder, file), out, as_json)
