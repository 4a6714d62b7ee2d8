"""`stream import FILE... --mapping M`: your own files become events."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from stream.commands.import_output import ImportRefusedError
from stream.commands.output_files import FileCommand, OutputFile, refuse_same_files
from stream.commands.parameters import EXISTING, chosen_policy
from stream.commands.recorded_events import now_option
from stream.commands.shown import echo
from stream.config.environment import load_settings
from stream.config.settings import Settings
from stream.importing.files.mapping.load import load_mapping, ready_mappings
from stream.importing.files.mapping.mapping import ColumnMapping, MappingError
from stream.importing.files.output.journal import JournalError
from stream.importing.files.output.kafka import SendError
from stream.importing.files.output.sent_before import SentBeforeError
from stream.importing.files.run import (
    MissingFileError,
    TooManyRejectsError,
    default_rejects_path,
    import_new_to_kafka,
    import_to_file,
    import_to_kafka,
    matching_files,
)
from stream.printable import printable
from stream.progress import progress
from stream.recording.output_file import DISK_FULL, is_stdout
from stream.wording.amounts import money

LINE_WORDS = {
    "orders": "lines in orders",
    "refunds": "lines in refunds",
    "other_events": "lines that became other events",
    "ignored": "lines ignored by the mapping",
    "repeated": "lines that repeat an earlier one",
    "rejected": "lines rejected:",
}


@click.command("files", cls=FileCommand, hidden=True)
@click.argument("files", nargs=-1, required=True)
@click.option("--mapping", "mapping_name", help="A TOML file, or the name of a ready mapping.")
@click.option("--out", type=OutputFile(), help="Write .jsonl, .jsonl.gz or .jsonl.zst; - is standard output.")
@click.option(
    "--to-kafka", is_flag=True, help="Send to the topics of the STREAM_ settings; continues after a stop."
)
@click.option("--rejects", type=OutputFile(), help="File for rejected lines. [default: beside --out]")
@click.option(
    "--rejects-max",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of rejected lines above which the exit code is 1 and nothing is sent to Kafka.",
)
@click.option("--journal", type=OutputFile(), help="File that notes how many events --to-kafka has sent.")
@click.option(
    "--since-last", is_flag=True, help="With --to-kafka: send only what earlier runs have not sent."
)
@click.option("--state", type=OutputFile(), help="File that notes what --since-last has sent.")
@now_option
@click.option(
    "--policy",
    type=EXISTING,
    help="Policy file whose time zone is compared with the mapping's. [default: shipped, or STREAM_POLICY]",
)
@click.option(
    "--suggest", is_flag=True, help="Print a proposed mapping for FILE with a preview; write nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def files(  # noqa: PLR0917 - click passes each option by name
    files: tuple[str, ...],
    mapping_name: str | None,
    out: Path | None,
    to_kafka: bool,
    rejects: Path | None,
    rejects_max: float,
    journal: Path | None,
    since_last: bool,
    state: Path | None,
    now_ms: int,
    policy: Path | None,
    suggest: bool,
    as_json: bool,
) -> None:
    """Turn CSV, TSV, JSON lines or Parquet FILES (also .gz, .zst, globs) into events.

    \b
    The lines of an order become one purchase; a returned line refunds the order it fits. Lines that
    cannot become an event go to the rejects file, with their number and the reason.

    \b
    Examples:
      stream import --suggest invoices.csv > mine.toml
      stream import invoices.csv --mapping mine.toml --out events.jsonl.gz
      stream import 'exports/*.csv.gz' --mapping shopify-orders --to-kafka
      stream import tonight.csv --mapping mine.toml --to-kafka --since-last
    """
    paths = _matching_files(files)
    with _one_line_refusals(out):
        if suggest:
            from stream.importing.files.suggest.suggest import suggested_mapping

            echo(suggested_mapping(paths[0], as_json=as_json))
            return
        mapping = load_mapping(_required(mapping_name))
        if (out is None) == (not to_kafka):
            raise ImportRefusedError("say where the events go: either --out FILE or --to-kafka")
        _check_since_last(to_kafka, since_last, state, journal)
        rejects_path = rejects or default_rejects_path(out, paths[0])
        outputs = {"--out": out, "--rejects": rejects_path, "--journal": journal, "--state": state}
        _refuse_same_files(paths, _required(mapping_name), outputs)
        zone = chosen_policy(policy, of_worker=to_kafka).business.zone
        source = (paths, mapping, rejects_path)
        if out is not None:
            with progress("lines") as advance:
                summary = import_to_file(*source, out=out, advance=advance, now_ms=now_ms)
        else:
            send = _sender(since_last, state, journal)
            summary = _sent(partial(send, *source), _kafka_settings(), now_ms, rejects_max)
    _add_cautions(summary, paths[0], mapping, (policy, zone))
    _print_summary(summary, as_json, to_stderr=is_stdout(out) or is_stdout(rejects))
    _exit_if_unusable(summary, rejects_max)


def _add_cautions(
    summary: dict[str, Any], first: Path, mapping: ColumnMapping, days: tuple[Path | None, str]
) -> None:
    """What the first file and the policy show beside the lines; `days`: the policy's file and its zone."""
    from stream.importing.files.suggest.histories import unmapped_statuses

    if doubt := unmapped_statuses(first, mapping):
        summary["cautions"].append(doubt)
    policy, zone = days
    if summary.pop("local_times") and mapping.time.zone != zone:
        named = f" {policy}" if policy is not None else ""
        summary["cautions"].append(
            f"times without a zone are taken in {mapping.time.zone} ([time] of the mapping), and days are "
            f"counted in {zone} ([business] of the policy{named}): one of them is probably that of both"
        )


def _sender(since_last: bool, state: Path | None, journal: Path | None) -> Callable[..., dict[str, Any]]:
    if since_last:
        return partial(import_new_to_kafka, state=state)
    return partial(import_to_kafka, journal_path=journal)


def _sent(
    send: Callable[..., dict[str, Any]], settings: Settings, now_ms: int, rejects_max: float
) -> dict[str, Any]:
    with progress("lines and events") as advance:
        return send(settings=settings, advance=advance, now_ms=now_ms, rejects_max=rejects_max)


@contextmanager
def _one_line_refusals(out: Path | None) -> Iterator[None]:
    """What keeps the import from being done becomes one line; a full disk is told by the command line."""
    try:
        yield
    except (MappingError, JournalError, SentBeforeError) as failure:
        raise ImportRefusedError(str(failure)) from failure
    except TooManyRejectsError as failure:
        raise click.ClickException(f"{failure}; nothing was sent (--rejects-max)") from failure
    except SendError as failure:
        raise click.ClickException(str(failure)) from failure
    except OSError as failure:
        if failure.errno in DISK_FULL or isinstance(failure, BrokenPipeError):
            raise
        raise ImportRefusedError(f"{failure.filename or out}: {failure.strerror or failure}") from failure


def _exit_if_unusable(summary: dict[str, Any], rejects_max: float) -> None:
    """Exit code 1 where nothing could be read, or so little that the mapping is probably wrong."""
    if summary["lines"]["in"] and not summary["events"]:
        echo("no line could become an event", err=True)
        sys.exit(1)
    if (share := summary["rejected_share"]) > rejects_max:
        more = f"more than {rejects_max:.1%} (--rejects-max): see {summary['rejects']}"
        echo(f"{share:.1%} of the lines are rejected, {more}", err=True)
        sys.exit(1)


def _check_since_last(to_kafka: bool, since_last: bool, state: Path | None, journal: Path | None) -> None:
    if since_last and not to_kafka:
        raise ImportRefusedError("--since-last belongs to --to-kafka")
    if since_last and journal:
        raise ImportRefusedError("--since-last notes what it sends in --state, not in --journal")
    if state and not since_last:
        raise ImportRefusedError("--state belongs to --since-last")


def _refuse_same_files(paths: Sequence[Path], mapping_name: str, outputs: Mapping[str, Path | None]) -> None:
    """Compare the files of globs, the mapping and the default file of rejects with the outputs."""
    inputs = [*(("FILES", path) for path in paths), ("--mapping", Path(mapping_name))]
    refuse_same_files(inputs, [(name, path) for name, path in outputs.items() if path is not None])


def _required(name: str | None) -> str:
    if name is None:
        raise ImportRefusedError(
            f"--mapping is needed: a TOML file or one of {', '.join(ready_mappings())}; try --suggest"
        )
    return name


def _matching_files(names: Sequence[str]) -> list[Path]:
    try:
        return matching_files(names)
    except MissingFileError as missing:
        raise ImportRefusedError(
            f"there is no file {missing}; data sets are completejourney, cdnow, cdnow-sample, generated"
        ) from missing


def _kafka_settings() -> Settings:
    settings = load_settings()
    if settings.brokers == "embedded":
        raise ImportRefusedError("--to-kafka needs a real broker: set STREAM_BROKERS to host:port")
    return settings


def _print_summary(summary: dict[str, Any], as_json: bool, *, to_stderr: bool) -> None:
    for caution in summary["cautions"]:
        echo(printable(f"caution: {caution}"), err=True)
    if as_json:
        echo(json.dumps(summary), err=to_stderr)
        return
    lines = summary["lines"]
    echo(f"{lines['in']:>12,}  lines read", err=to_stderr)
    for name in ("orders", "refunds", "other_events", "ignored", "repeated", "rejected"):
        if lines[name]:
            echo(f"{lines[name]:>12,}  {LINE_WORDS[name]}", err=to_stderr)
    for reason, count in summary["reasons"].items():
        echo(printable(f"{count:>16,}  {reason}"), err=to_stderr)
    for kind, count in summary["events"].items():
        echo(f"{count:>12,}  {kind}", err=to_stderr)
    if summary["buyers"]:
        who = "customer who ordered" if summary["buyers"] == 1 else "customers who ordered"
        echo(f"{summary['buyers']:>12,}  {who}", err=to_stderr)
    for currency, count in summary["orders_by_currency"].items():
        paid = money(summary["orders_minor"][currency], currency)
        orders = "1 order" if count == 1 else f"{count:,} orders"
        echo(printable(f"{paid:>19}  in {orders}"), err=to_stderr)
    for what in ("refunded", "cancelled"):
        for currency, back in summary["refunds_minor" if what == "refunded" else "cancelled_minor"].items():
            echo(printable(f"{money(back, currency):>19}  {what}"), err=to_stderr)
    for name in ("now", "out", "sent", "sent_before", "changed", "state", "rejects", "seconds"):
        if name in summary:
            new = " (new: nothing was sent before)" if name == "state" and summary["state_is_new"] else ""
            echo(f"{name.replace('_', ' '):>12}  {summary[name]}{new}", err=to_stderr)
