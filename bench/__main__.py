"""`python -m bench`: the command line of the benchmarks; `make bench` runs its subcommand `all`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bench import alone, border, history, import_speed, latency, same_job
from bench import compare as comparison
from bench import deliver as delivery
from bench import jobs as studies
from bench import page as dashboard
from bench.core.histories import HISTORIES, Sizes
from bench.results import PICTURE, draw, keep, print_result, stamp
from bench.roster import ROSTER, SAME_JOB, Peer
from bench.stage import Stage, stage
from bench.workload import Workload, messages


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Measure the worker, alone and beside other stream processors on the same backlog.

    \b
    Example: python -m bench compare --events 200000 --rounds 1 --only ours,floor
    """


workload = click.option("--events", default=1_000_000, show_default=True, type=click.IntRange(min=50_000))
population = click.option("--customers", default=50_000, show_default=True, type=click.IntRange(min=10))
turns = click.option("--rounds", default=3, show_default=True, type=click.IntRange(min=1))
chosen = click.option("--only", default="", help="Names of peers, separated by commas. [default: all]")
keeping = click.option("--keep/--no-keep", "kept", default=False, help="Write the result to bench/results/.")


def peers_named(only: str, roster: Sequence[Peer] = ROSTER) -> list[Peer]:
    try:
        return comparison.chosen(only, roster)
    except ValueError as mistake:
        raise click.UsageError(str(mistake)) from mistake


@main.command(name="import")
@click.option("--lines", default=1_000_000, show_default=True, type=click.IntRange(min=1_000))
@turns
@click.option("--before", help="A commit whose code has every second turn on the same file.")
def import_command(*, lines: int, rounds: int, before: str | None) -> None:
    """Lines per second of `stream import` on a tidy CSV of orders; no Kafka."""
    print_result(import_speed.measured(lines, rounds, before))


@main.command(name="jobs")
@click.option("--events", type=click.Path(exists=True, path_type=Path), help="[default: completejourney]")
@turns
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(min=2))
def jobs_command(*, events: Path | None, rounds: int, jobs: int) -> None:
    """Seconds of replay, backtest, fit and report with one process and with several, in turns; no Kafka."""
    print_result({**studies.measured(events, rounds, jobs), **stamp()})


@main.command(name="deliver")
@click.option("--alerts", default=10_000, show_default=True, type=click.IntRange(min=1_000))
@click.option("--only", default="", help="Queues, separated by commas: sqlite, postgresql. [default: both]")
@click.option("--endpoints", "counts", default="1,10", show_default=True, help="Numbers of endpoints.")
@click.option(
    "--rate", default=500.0, show_default=True, help="Deliveries a second while latency is measured."
)
@click.option("--budget", is_flag=True, help="With a contact budget, which each alert must pass.")
@click.option("--mock", is_flag=True, help="On the mock cluster of librdkafka, without Java.")
def deliver_command(*, alerts: int, only: str, counts: str, rate: float, budget: bool, mock: bool) -> None:
    """Accepted alerts per second of `stream deliver`, and their latency; endpoints answer at once."""
    queues = [name for name in ("sqlite", "postgresql") if not only or name in only.split(",")]
    results = []
    for queue in queues:
        for count in map(int, counts.split(",")):
            wanted = alerts if count == 1 else alerts // 3
            kind = "mock" if mock else os.environ.get("STREAM_TEST_BROKER", "jar")
            on_postgres = queue == "postgresql"
            more: dict[str, Any] = {"kind": kind, "live_rate": rate / count, "budget": budget}
            results.append(delivery.measured(wanted, count, on_postgres=on_postgres, **more))
    click.echo(delivery.table(results))
    print_result({"deliver": results, **stamp()})


@main.command(name="page")
@click.option("--profiles", default=1_000_000, show_default=True, type=click.IntRange(min=2_000))
@click.option("--postgres/--no-postgres", "on_postgres", default=True, help="Also with a PostgreSQL.")
@click.option("--rate", default=5_000.0, show_default=True, help="Events a second, worker and all; 0: none.")
def page_command(*, profiles: int, on_postgres: bool, rate: float) -> None:
    """Filling, page times, memory and the way of an alert to the page of `stream dashboard`."""
    print_result({**dashboard.measured(profiles, on_postgres=on_postgres, rate=rate), **stamp()})


@main.command(name="compare")
@workload
@population
@turns
@chosen
@click.option("--real", is_flag=True, help="completejourney, its customers repeated to so many events.")
@keeping
def compare_command(*, events: int, customers: int, rounds: int, only: str, real: bool, kept: bool) -> None:
    """Events per second of every peer (measured program) on the same backlog."""
    peers = peers_named(only)
    with stage() as here:
        here.fill_real(events) if real else here.fill(Workload(events, customers))
        standings = comparison.compare(here, peers, rounds)
    click.echo(comparison.table(standings))
    sizes = {"events": events, "customers": None if real else customers, "rounds": rounds}
    result = {**comparison.result(standings, sizes), **stamp()}
    if kept:
        keep(
            "compare-real" if real else "compare", {**result, "runs": {it.name: it.runs for it in standings}}
        )
    print_result(result)


@main.command(name="history")
@click.option(
    "--size", "sizes", multiple=True, type=int, default=(100_000, 1_000_000, 10_000_000), show_default=True
)
@click.option("--study", "chosen_studies", multiple=True, type=click.Choice(tuple(history.STUDIES)))
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, type=click.IntRange(min=1))
def history_command(*, sizes: tuple[int, ...], chosen_studies: tuple[str, ...], jobs: int) -> None:
    """Replay, fit, backtest and report of a long history: seconds, CPU per event, memory; no Kafka."""
    print_result({**history.measured(sizes, chosen_studies or tuple(history.STUDIES), jobs), **stamp()})


@main.command(name="same-job")
@workload
@population
@turns
@chosen
@keeping
def same_job_command(*, events: int, customers: int, rounds: int, only: str, kept: bool) -> None:
    """The full job with our own core in other engines: speed, and what they have after a kill."""
    peers = peers_named(only, SAME_JOB)
    with stage() as here:
        result = same_job.measured(here, Workload(events, customers), peers, rounds)
    if kept:
        keep("same-job", {**result, **stamp()})
    print_result({**result, **stamp()})


@main.command(name="all")
@workload
@population
@turns
@chosen
@click.option("--quick", is_flag=True, help="150,000 events, one round; no result is written.")
def all_command(*, events: int, customers: int, rounds: int, only: str, quick: bool) -> None:
    """As `make bench`: all peers, then recovery, bytes per customer, and latency at half of the full rate."""
    peers = peers_named(only)
    if quick:
        events, customers, rounds = 150_000, 7_500, 1
    with stage() as here:
        here.fill(Workload(events, customers))
        standings = comparison.compare(here, peers, rounds)
        result = comparison.result(standings, {"events": events, "customers": customers, "rounds": rounds})
        click.echo(comparison.table(standings))
        result |= {"latency_ms": None, "recovery_rows_s": None, "bytes_per_customer": None}
        if result.get("ours"):
            sizes = alone.bytes_per_customer(here, customers)
            result |= {"recovery_rows_s": sizes["recovery_rows_s"], "bytes_per_customer": sizes["memory"]}
            result["recovery_s_per_million"] = sizes["recovery_s_per_million"]
            result["latency_ms"] = _latency(here, 0.5 * result["ours"], {})
        if result.get("ours_exactly_once"):
            exactly_once = {"STREAM_GUARANTEE": "exactly_once"}
            rate = 0.5 * result["ours_exactly_once"]
            result["latency_exactly_once_ms"] = _latency(here, rate, exactly_once)
        result |= same_job.measured(here, Workload(events, customers), SAME_JOB, rounds)
    if not quick:
        keep("", {**result, **stamp(), "runs": {each.name: each.runs for each in standings}})
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(draw(result, f"Events per second, one process each, {events:,} events, 2 cores"))
    print_result({**result, **stamp()})


HISTORY = 100_000
"""Events that the worker has read before the latency of live events is measured."""
WARM_S, LIVE_S = 30.0, 20.0
"""Seconds of live events before, and during, the measurement."""


def _latency(here: Stage, rate: float, extra: dict[str, str]) -> dict[str, float]:
    """Latency at `rate` events/s, with the customers and the event time per event that `compare` has."""
    count = HISTORY + int(rate * (WARM_S + LIVE_S))
    whole = list(messages(Workload(count, span_days=max(1, 365 * count // 1_000_000))))
    return latency.measure(here, whole[:HISTORY], whole[HISTORY:], rate, extra, warm_s=WARM_S)


@main.command(name="latency")
@click.option("--capacity", required=True, type=float, help="Events per second at full load, from `compare`.")
@click.option("--guarantee", default="at_least_once", type=click.Choice(["at_least_once", "exactly_once"]))
@keeping
def latency_command(*, capacity: float, guarantee: str, kept: bool) -> None:
    """Time from an event to the alert it caused, in milliseconds, at 25, 50 and 80% of the capacity."""
    with stage() as here:
        found = {
            f"{round(share * 100)}%": _latency(here, share * capacity, {"STREAM_GUARANTEE": guarantee})
            for share in (0.25, 0.5, 0.8)
        }
    result = {"latency_ms": found, "capacity": capacity, "guarantee": guarantee, **stamp()}
    if kept:
        keep(f"latency-{guarantee}", result)
    print_result(result)


@main.command(name="sizes")
@workload
@population
@keeping
def sizes_command(*, events: int, customers: int, kept: bool) -> None:
    """Bytes per customer in memory and on disk, and rows per second when a worker recovers."""
    with stage() as here:
        here.fill(Workload(events, customers))
        result = {**alone.bytes_per_customer(here, customers), "disk": alone.bytes_on_disk(here, customers)}
    result = {**result, "events": events, "customers": customers, **stamp()}
    if kept:
        keep("sizes", result)
    print_result(result)


@main.command(name="scaling")
@workload
@population
@turns
@keeping
def scaling_command(*, events: int, customers: int, rounds: int, kept: bool) -> None:
    """Events per second of one worker and of `--processes 2` on the same backlog, in turns."""
    with stage() as here:
        here.fill(Workload(events, customers))
        result = {**alone.scaling(here, rounds), "events": events, "customers": customers, **stamp()}
    if kept:
        keep("scaling", result)
    print_result(result)


@main.command(name="customers")
@workload
@keeping
def customers_command(*, events: int, kept: bool) -> None:
    """Events per second with 10,000, 100,000 and 1,000,000 customers."""
    with stage() as here:
        result = {**alone.by_customers(here, events, (10_000, 100_000, 1_000_000)), **stamp()}
    if kept:
        keep("customers", result)
    print_result(result)


@main.command(name="core")
@click.option(
    "--history",
    "chosen",
    multiple=True,
    type=click.Choice(["made_up", "completejourney", "generated", "christmas"]),
    help="Measure this one; may be repeated. [default: all]",
)
@click.option("--events", default=200_000, show_default=True, help="Of made_up.")
@click.option("--customers", default=10_000, show_default=True, help="Of made_up.")
@turns
@click.option("--before", help="A commit whose code has every second turn on the same events.")
@click.option("--profile", "lines", default=0, help="Also run cProfile and print so many of its lines.")
def core_command(
    *, chosen: tuple[str, ...], events: int, customers: int, rounds: int, before: str | None, lines: int
) -> None:
    """CPU microseconds per event in the core: decode, step, reviews, row encode; in all and by event type."""
    from bench.core.report import report

    sizes = Sizes(events, customers)
    print_result({**report(chosen or tuple(HISTORIES), sizes, rounds, before, lines), **stamp()})


@main.command(name="right")
@click.option("--only", "words", multiple=True, help="A part of the name of a log; may be repeated.")
@click.option(
    "--events", "files", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="A file of events as a further log; may be repeated. online-retail.jsonl and grocer.jsonl have "
    "splits of their own, others get two by their span.",
)  # fmt: skip
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(min=1))
@click.option("--promise", "of_promises", is_flag=True, help="Instead: promises of alerts.")
@click.option("--value", "of_value", is_flag=True, help="Instead: totals and ranges of value.")
def right_command(
    *, words: tuple[str, ...], files: tuple[Path, ...], jobs: int, of_promises: bool, of_value: bool
) -> None:
    """Error and ranking of the risk beside the process, a constant, bins and rules; losing cells are bold."""
    from bench.right import promise, table, value

    measured = (value if of_value else promise if of_promises else table).measured
    print_result({**measured(words, files, jobs, table.show_line), **stamp()})


main.add_command(border.border_command)

if __name__ == "__main__":
    main()
