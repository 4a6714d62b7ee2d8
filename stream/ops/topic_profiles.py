"""The profiles topic as a fit reads it: the newest profile of every customer, and the model in force."""

from __future__ import annotations

from collections.abc import Iterable

import click
from confluent_kafka import Message

from stream.core.facts.profile import Profile
from stream.core.facts.versions import ForeignProfileError, check_meaning
from stream.core.model.document import decode_model
from stream.core.model.record import Model
from stream.ops.changelog import without_fenced_writes
from stream.ops.cluster import cluster_errors, cluster_settings, from_start, reader
from stream.worker.kafka.topics import topic_names
from stream.worker.kafka.topics_admin import ClusterError
from stream.worker.rows.row import MODEL_KEY, StoredRow
from stream.worker.rows.stored import UNREADABLE, read_row


def topic_profiles(meaning: str) -> tuple[dict[str, Profile], Model | None]:
    """Read the profiles topic to its end: the newest profile of each customer id, and the published model.

    The cluster is that of the settings (STREAM_BROKERS ...); a cluster that does not answer ends the command
    with one line; so do profiles of a later version, or whose facts do not mean what `meaning` is the digest
    of. Erased customers are left out. The model is None when none was published: workers then
    judge by the model of their own settings.
    """
    settings = cluster_settings()
    with cluster_errors(), reader(settings) as consumer:
        rows = newest_rows(from_start(consumer, topic_names(settings).profiles), meaning)
    kept = rows.pop(MODEL_KEY).models if MODEL_KEY in rows else []
    profiles = {
        customer.decode(): row.profile
        for customer, row in rows.items()
        if row.profile is not None and not row.profile.erased_ms
    }
    return profiles, decode_model(kept[0]) if kept else None


def newest_rows(records: Iterable[Message], meaning: str = "") -> dict[bytes, StoredRow]:
    """The last row of each key, by the same rules as a worker's recovery; customers whose row cannot be read
    are left out, and told on stderr. ClusterError: it is the row of the published model, or a profile is of a
    later version or of another meaning."""
    rows: dict[bytes, StoredRow] = {}
    wrong: dict[bytes, Exception] = {}
    for record in without_fenced_writes(records):
        key, value = record.key() or b"", record.value()
        wrong.pop(key, None)
        if value:
            try:
                rows[key] = _row(value, meaning)
            except (*UNREADABLE, ForeignProfileError) as why:
                rows.pop(key, None)
                wrong[key] = why
        elif key != MODEL_KEY:
            rows.pop(key, None)
    for error in wrong.values():
        if isinstance(error, ForeignProfileError):
            raise ClusterError(str(error)) from error
    if MODEL_KEY in wrong:
        raise ClusterError(
            "the published model of the profiles topic cannot be read; `stream doctor` looks for such rows"
        )
    if wrong:
        click.echo(f"{len(wrong):,} profiles cannot be read and are left out", err=True)
    return rows


def _row(value: bytes, meaning: str) -> StoredRow:
    stored = read_row(value)
    if stored.profile is not None:
        check_meaning(stored.profile.meaning, meaning)
    return stored
