"""`stream import FILE... --mapping M`: your own files as events, every line accounted for."""

from __future__ import annotations

import gc
import glob
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from stream.commands.import_output import ImportRefusedError
from stream.importing.files.mapping import Mapping, MappingError, load, ready
from stream.importing.files.run import Importer
from stream.progress import progress
from stream.recording.event_file import STDOUT, atomic_writer

GC_THRESHOLD = 200_000
"""Rows are millions of short-lived containers without cycles: looking for those is work for nothing."""
WRITE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@click.command("files", hidden=True)
@click.argument("files", nargs=-1, required=True)
@click.option("--mapping", "mapping_name", help="A TOML file, or a ready mapping by name.")
@click.option("--out", type=WRITE, help="Write JSON lines: .jsonl, .jsonl.gz or .jsonl.zst; - is stdout.")
@click.option("--to-kafka", is_flag=True, help="Send to the topics of the STREAM_ settings; can be resumed.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where refused lines go.")
@click.option("--journal", type=click.Path(dir_okay=False, path_type=Path), help="How far --to-kafka came.")
@click.option("--suggest", is_flag=True, help="Propose a mapping for FILE, with a preview; writes nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def files(  # noqa: PLR0917 - click passes each option by name
    files: tuple[str, ...],
    mapping_name: str | None,
    out: Path | None,
    to_kafka: bool,
    rejects: Path | None,
    journal: Path | None,
    suggest: bool,
    as_json: bool,
) -> None:
    """Turn CSV, TSV, JSON lines or Parquet FILES (also .gz, .zst, globs) into events.

    \b
    Lines of one order become one purchase, returned lines refund the order they fit, and lines that
    cannot be an event go to the rejects file with their number and the reason.

    \b
    Examples:
      stream import --suggest invoices.csv > mine.toml
      stream import invoices.csv --mapping mine.toml --out events.jsonl.gz
      stream import 'exports/*.csv.gz' --mapping shopify-orders --to-kafka
    """
    paths = _paths(files)
    try:
        if suggest:
            from stream.importing.files.suggest.suggest import suggested

            click.echo(suggested(paths[0], as_json=as_json))
            return
        mapping = load(_needed(mapping_name))
        if (out is None) == (not to_kafka):
            raise ImportRefusedError("say where the events go: either --out FILE or --to-kafka")
        refused = rejects or _rejects_path(out, paths[0])
        gc.set_threshold(GC_THRESHOLD)
        if to_kafka:
            summary = _sent(paths, mapping, refused, journal)
        else:
            assert out is not None
            summary = _written(paths, mapping, refused, out)
    except MappingError as failure:
        raise ImportRefusedError(str(failure)) from failure
    except OSError as failure:
        raise ImportRefusedError(f"{failure.filename or out}: {failure.strerror or failure}") from failure
    _tell(summary, as_json, to_stderr=out == STDOUT)
    if summary["lines"]["in"] and not summary["events"]:
        click.echo("not one line could become an event", err=True)
        sys.exit(1)


def _needed(name: str | None) -> str:
    if name is None:
        raise ImportRefusedError(
            f"--mapping is needed: a TOML file, or one of {', '.join(ready())}; --suggest proposes one"
        )
    return name


def _paths(named: Sequence[str]) -> list[Path]:
    """Files in the order given; a glob's files by name. None may be missing, none comes twice."""
    found: dict[Path, None] = {}
    for name in named:
        matches = [name] if Path(name).is_file() else sorted(glob.glob(name, recursive=True))
        files = [Path(match) for match in matches if Path(match).is_file()]
        if not files:
            raise ImportRefusedError(
                f"there is no file {name}; data sets are completejourney, cdnow, cdnow-sample, generated"
            )
        found.update(dict.fromkeys(files))
    return list(found)


def _rejects_path(out: Path | None, first: Path) -> Path:
    """Beside the events, else in the current folder."""
    if out is None or out == STDOUT:
        return Path(f"{first.name.partition('.')[0]}.rejects.jsonl")
    return out.with_name(f"{out.name.partition('.')[0]}.rejects.jsonl")


def _written(paths: Sequence[Path], mapping: Mapping, rejects: Path, out: Path) -> dict[str, Any]:
    began = time.monotonic()
    with atomic_writer(rejects) as refused, atomic_writer(out) as file, progress("lines") as advance:
        importer = Importer(mapping, refused, advance)
        for told in importer.events(paths):
            file.write(told.value + b"\n")
    return {**importer.accounts.summary(), **_ends(began, rejects), "out": str(out)}


def _sent(paths: Sequence[Path], mapping: Mapping, rejects: Path, journal: Path | None) -> dict[str, Any]:
    from stream.config.environment import load_settings
    from stream.importing.files.kafka_out import Journal, send

    settings, began = load_settings(), time.monotonic()
    if settings.brokers == "embedded":
        raise ImportRefusedError("--to-kafka needs a broker of its own: set STREAM_BROKERS to host:port")
    digest = _fingerprint(paths, mapping, settings.brokers + settings.topic_prefix)
    kept = Journal(journal or Path(f".stream-import-{digest}.json"), digest)
    already = kept.sent
    with atomic_writer(rejects) as refused, progress("lines and events") as advance:
        importer = Importer(mapping, refused, advance)
        now = send(importer.events(paths), settings, kept, advance)
    return {**importer.accounts.summary(), **_ends(began, rejects), "sent": now, "sent_before": already}


def _fingerprint(paths: Sequence[Path], mapping: Mapping, target: str) -> str:
    """The same files, mapping and target are the same import: its events come in the same order."""
    sizes = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return hashlib.sha256(json.dumps([sizes, mapping.digest, target]).encode()).hexdigest()[:16]


def _ends(began: float, rejects: Path) -> dict[str, Any]:
    return {"rejects": str(rejects), "seconds": round(time.monotonic() - began, 1)}


def _tell(told: dict[str, Any], as_json: bool, *, to_stderr: bool) -> None:
    if as_json:
        click.echo(json.dumps(told), err=to_stderr)
        return
    lines = told["lines"]
    click.echo(f"{lines['in']:>12,}  lines read", err=to_stderr)
    for name in ("orders", "refunds", "other_events", "ignored", "rejected"):
        if lines[name]:
            click.echo(f"{lines[name]:>12,}  {WORDS[name]}", err=to_stderr)
    for reason, count in told["reasons"].items():
        click.echo(f"{count:>16,}  {reason}", err=to_stderr)
    for kind, count in told["events"].items():
        click.echo(f"{count:>12,}  {kind}", err=to_stderr)
    for name in ("out", "sent", "sent_before", "rejects", "seconds"):
        if name in told:
            click.echo(f"{name.replace('_', ' '):>12}  {told[name]}", err=to_stderr)


WORDS = {
    "orders": "lines in orders",
    "refunds": "lines in refunds",
    "other_events": "lines that are events of their own",
    "ignored": "lines the mapping ignores",
    "rejected": "lines rejected:",
}
