"""`stream import generated`: parsing and printing only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from stream.commands.import_output import output_options, write_and_report
from stream.commands.output_files import FileCommand, OutputFile
from stream.core.events.event import Event
from stream.importing.generated.disorder import Disorder
from stream.importing.generated.kinds.history import kind_events
from stream.importing.generated.kinds.plans import PLANS, KindOfShop
from stream.importing.generated.run import generated_events
from stream.importing.generated.shop import Shop
from stream.recording.event_file import optional_writer

SHARE = click.FloatRange(0, 1)


@click.command(cls=FileCommand, short_help="A generated shop whose truth is known.")
@click.option("--kind", type=click.Choice(tuple(PLANS)), help="A shop of this kind: purchases of four years.")
@click.option(
    "--customers", type=click.IntRange(1, 1_000_000), help="By default 500, with --kind as many as it has."
)
@click.option("--days", type=click.IntRange(30, 3_650), help="By default 730; not with --kind.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same events.")
@click.option(
    "--noise",
    is_flag=True,
    help="Plant nothing: nobody leaves over trouble or grows, feedback predicts nothing.",
)
@click.option("--truth", type=OutputFile(), help="File for the truth (JSON): what was planted.")
@click.option("--duplicates", default=0.0, type=SHARE, help="Share of events that arrive twice.")
@click.option("--late", default=0.0, type=SHARE, help="Share of events that arrive up to three days late.")
@click.option("--shuffled", default=0.0, type=SHARE, help="Share of events that arrive minutes out of order.")
@output_options
def generated(  # noqa: PLR0917 - click passes each option by name
    kind: KindOfShop | None,
    customers: int | None,
    days: int | None,
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

    With --kind: purchases alone, and the truth is how each customer buys, so that the true chance is known.

    \b
    Example:
      stream import generated --customers 1000 --out shop.jsonl --truth truth.json
      stream import generated --kind christmas --out christmas.jsonl --truth truth.json
    """
    disorder = Disorder(duplicates=duplicates, late=late, shuffled=shuffled)
    if kind is not None:
        for option, given in (("--days", days is not None), ("--noise", noise)):
            if given:
                raise click.UsageError(f"{option} cannot be used with --kind: a kind of shop is fixed")
    shop = Shop(seed=seed, customers=customers or 500, days=days or 730, drivers=not noise)
    with optional_writer(truth) as file:

        def events() -> Iterator[Event]:
            if kind is None:
                return generated_events(shop, disorder, file)
            return kind_events(kind, seed, customers, disorder, file)

        write_and_report(events, out, as_json)
