"""One import: from named files to a file of events or to Kafka, with a summary as one object."""

from __future__ import annotations

import gc
import glob
import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stream.config.settings import Settings
from stream.core.alerts.alert import rfc3339
from stream.importing.files.cautions import cautions
from stream.importing.files.importer import ORDER_TYPES, Importer
from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.output.journal import Journal
from stream.importing.files.output.kafka import Acknowledgements, send_to_kafka
from stream.importing.files.output.outgoing import OutgoingEvent
from stream.importing.files.output.sent_before import SentBefore, SentBeforeError
from stream.recording.event_file import atomic_writer
from stream.recording.output_file import is_written_directly

GC_THRESHOLD = 200_000
"""New objects between two searches for reference cycles: rows are millions of objects without cycles."""
CHANGED = (
    "{:,} events were sent before under the same id with another content, and are sent again: a worker keeps "
    "the content that it has, but of an order whose id it has forgotten the later or larger one"
)
Advance = Callable[[int], None]


class MissingFileError(Exception):
    """No file has this name or matches this glob."""


class TooManyRejectsError(Exception):
    """So many lines are rejected that the mapping is probably wrong."""


def matching_files(names: Sequence[str]) -> list[Path]:
    """The files of names and globs: in the given order, those of a glob by name, each once."""
    found: dict[Path, None] = {}
    for name in names:
        matches = [name] if Path(name).is_file() else sorted(glob.glob(name, recursive=True))
        files = [Path(match) for match in matches if Path(match).is_file()]
        if not files:
            raise MissingFileError(name)
        found.update(dict.fromkeys(files))
    return list(found)


def default_rejects_path(out: Path | None, first: Path) -> Path:
    """Beside the file of events; without one, in the current folder, named after the first imported file."""
    if out is None or is_written_directly(out):
        return Path(f"{first.name.partition('.')[0]}.rejects.jsonl")
    return out.with_name(f"{out.name.partition('.')[0]}.rejects.jsonl")


def import_to_file(
    paths: Sequence[Path],
    mapping: ColumnMapping,
    rejects: Path,
    *,
    out: Path,
    advance: Advance,
    now_ms: int,
) -> dict[str, Any]:
    """Write the events up to `now_ms` as JSON lines; returns the summary."""
    began = time.monotonic()
    gc.set_threshold(GC_THRESHOLD)
    with atomic_writer(rejects) as rejects_file, atomic_writer(out) as file:
        importer = Importer(mapping, rejects_file, advance, now_ms=now_ms)
        for event in importer.events(paths):
            file.write(event.value + b"\n")
    counts = {"now": rfc3339(now_ms), "out": str(out)}
    return {**_summary(importer, mapping), **_rejects_and_seconds(rejects, began), **counts}


def import_to_kafka(
    paths: Sequence[Path],
    mapping: ColumnMapping,
    rejects: Path,
    *,
    settings: Settings,
    advance: Advance,
    now_ms: int,
    journal_path: Path | None = None,
    rejects_max: float = 1.0,
) -> dict[str, Any]:
    """Send the events up to `now_ms` that the journal does not have yet; returns the summary.

    TooManyRejectsError where a larger share of the lines than `rejects_max` is rejected: nothing is sent.
    An import that continues goes on with the as-of time of its beginning.
    The default journal is `.stream-import-<fingerprint>.json` in the current folder.
    """
    began = time.monotonic()
    fingerprint = _fingerprint(paths, mapping, settings.brokers + settings.topic_prefix)
    journal = Journal(journal_path or Path(f".stream-import-{fingerprint}.json"), fingerprint, now_ms)
    sent_before = journal.sent
    job = _Job(paths, mapping, rejects, settings, advance, journal.now_ms, rejects_max)
    importer, sent = _send(job, journal)
    counts = {"now": rfc3339(journal.now_ms), "sent": sent, "sent_before": sent_before}
    return {**_summary(importer, mapping), **_rejects_and_seconds(rejects, began), **counts}


def import_new_to_kafka(
    paths: Sequence[Path],
    mapping: ColumnMapping,
    rejects: Path,
    *,
    settings: Settings,
    advance: Advance,
    now_ms: int,
    state: Path | None = None,
    rejects_max: float = 1.0,
) -> dict[str, Any]:
    """Send the events up to `now_ms` that no import with this state file has sent; returns the summary.

    SentBeforeError where the file cannot be used, or where ids are not made of content alone.
    The default state is `.stream-sent-<fingerprint>.db` in the current folder.
    """
    began = time.monotonic()
    if not has_lasting_ids(mapping):
        raise SentBeforeError(
            "--since-last needs ids that are the same in every export, and without a column for `order` they "
            'are made of file and line: name one in [columns], also of several columns (order = "Email+Date")'
        )
    job = _Job(paths, mapping, rejects, settings, advance, now_ms, rejects_max)
    before = SentBefore(state or default_state_path(mapping, settings), mapping.source)
    try:
        importer, sent = _send(job, before)
    except sqlite3.Error as failure:
        raise SentBeforeError(before.why(failure)) from failure
    finally:
        before.close()
    counts = {"now": rfc3339(now_ms), "sent": sent, "sent_before": before.known, "changed": before.changed}
    summary = {**_summary(importer, mapping), **_rejects_and_seconds(rejects, began), **counts}
    if before.changed:
        summary["cautions"].append(CHANGED.format(before.changed))
    return {**summary, "state": str(before.path), "state_is_new": before.is_new}


def has_lasting_ids(mapping: ColumnMapping) -> bool:
    """Whether the same line gets the same id in every export."""
    kinds = {*mapping.events.values(), *mapping.constants.values()}
    has_orders = mapping.is_orders_only or bool(ORDER_TYPES & kinds)
    return not has_orders or "order" in {*mapping.columns, *mapping.constants}


def default_state_path(mapping: ColumnMapping, settings: Settings) -> Path:
    """In the current folder, as the journal is; one for each source and prefix of topics."""
    named = json.dumps([mapping.source, settings.topic_prefix])
    return Path(f".stream-sent-{hashlib.sha256(named.encode()).hexdigest()[:16]}.db")


class _Job(NamedTuple):
    """What is imported, how, and to where."""

    paths: Sequence[Path]
    mapping: ColumnMapping
    rejects: Path
    settings: Settings
    advance: Advance
    now_ms: int
    rejects_max: float


def _send(job: _Job, noted: Acknowledgements) -> tuple[Importer, int]:
    """The importer that has read the files, and how many events were sent."""
    gc.set_threshold(GC_THRESHOLD)
    sent, refused = 0, None
    with atomic_writer(job.rejects) as rejects_file:
        importer = Importer(job.mapping, rejects_file, job.advance, now_ms=job.now_ms)
        events = _if_few_rejects(importer.events(job.paths), importer, job.rejects_max)
        try:
            sent = send_to_kafka(events, job.settings, noted, job.advance)
        except TooManyRejectsError as failure:
            refused = failure  # raised when the file that shows the lines is complete
    if refused is not None:
        raise TooManyRejectsError(f"{refused}: see {job.rejects}")
    return importer, sent


def _if_few_rejects(
    events: Iterator[OutgoingEvent], importer: Importer, rejects_max: float
) -> Iterator[OutgoingEvent]:
    """The events; the first comes when every line was read, so that is when rejects can be counted."""
    for number, event in enumerate(events):
        if number == 0 and importer.summary.rejected_share > rejects_max:
            reasons = ", ".join(
                f"{count:,} x {why}" for why, count in importer.summary.rejected.most_common(3)
            )
            raise TooManyRejectsError(
                f"{importer.summary.rejected_share:.1%} of the lines are rejected ({reasons})"
            )
        yield event


def _summary(importer: Importer, mapping: ColumnMapping) -> dict[str, Any]:
    sentences = cautions(mapping, importer.summary)
    return {
        **importer.summary.as_dict(),
        "cautions": sentences,
        "local_times": importer.summary.has_local_times,
    }


def _fingerprint(paths: Sequence[Path], mapping: ColumnMapping, target: str) -> str:
    """Equal for the same files, mapping and target: such imports have the same events in the same order."""
    sizes = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    return hashlib.sha256(json.dumps([sizes, mapping.fingerprint, target]).encode()).hexdigest()[:16]


def _rejects_and_seconds(rejects: Path, began: float) -> dict[str, Any]:
    return {"rejects": str(rejects), "seconds": round(time.monotonic() - began, 1)}
