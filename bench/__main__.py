"""`python -m bench`: parsing only. Without a subcommand: everything that `make bench` promises."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec

from bench import compare as comparison
from bench.results import PICTURE, draw, keep, stamp
from bench.stage import stage
from bench.workload import Workload


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure the worker beside other engines, and alone.

    Example: python -m bench compare --events 200000 --rounds 1 --only ours,floor
    """


def tell(result: dict[str, Any]) -> None:
    """The last line of every subcommand: one JSON object."""
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")


@main.command(name="compare")
@click.option("--events", default=1_000_000, show_default=True, type=click.IntRange(min=50_000))
@click.option("--customers", default=50_000, show_default=True, type=click.IntRange(min=10))
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=7, show_default=True)
@click.option("--only", default="", help="Peers, separated by commas; all when left out.")
@click.option("--keep/--no-keep", "kept", default=False, help="Write bench/results/ and docs/bench.svg.")
def compare_command(*, events: int, customers: int, rounds: int, seed: int, only: str, kept: bool) -> None:
    """Events per second of every peer on the same backlog."""
    try:
        peers = comparison.chosen(only)
    except ValueError as mistake:
        raise click.UsageError(str(mistake)) from mistake
    with stage() as here:
        here.fill(Workload(events, customers, seed))
        standings = comparison.compare(here, peers, rounds)
    speed = comparison.rates(standings)
    click.echo(comparison.table(standings))
    result = {
        **speed,
        "ratios": comparison.ratios(speed),
        "per_cpu_s": comparison.rates(standings, "events_per_cpu_s"),
        "reasons": {each.name: each.reason for each in standings if each.reason},
        "workload": {"events": events, "customers": customers, "seed": seed, "rounds": rounds},
        **stamp(),
    }
    if kept:
        keep("", {**result, "runs": {each.name: each.runs for each in standings}})
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(draw(speed, f"Events per second, one process, {events:,} events, 2 cores"))
    tell(result)


if __name__ == "__main__":
    main()
