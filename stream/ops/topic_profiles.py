"""What the topics hold, for a fit: the input topics as a recording, or everybody's newest profile."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from confluent_kafka import Message

from stream.core.facts.profile import Profile
from stream.core.model.record import Model, decode_model
from stream.ops.changelog import valid
from stream.ops.cluster import cluster_errors, cluster_settings, from_start, reader
from stream.ops.topic_recording import recorded_topics
from stream.recording.recording import Recording
from stream.worker.kafka.topics import topic_names
from stream.worker.rows.row import MODEL_KEY, StoredRow

_ROW = msgspec.json.Decoder(StoredRow).decode


def topic_recording() -> Recording:
    """Every event of the input topics, as they are now."""
    with cluster_errors():
        return recorded_topics(cluster_settings(), None, None)


def topic_profiles() -> tuple[dict[str, Profile], Model | None]:
    """Everybody's newest profile, and the model in force; None when that is the workers' own setting."""
    settings = cluster_settings()
    with cluster_errors(), reader(settings) as consumer:
        rows = newest_rows(from_start(consumer, topic_names(settings).profiles))
    kept = rows.pop(MODEL_KEY).models if MODEL_KEY in rows else []
    profiles = {
        customer.decode(): row.profile
        for customer, row in rows.items()
        if row.profile is not None and not row.profile.erased_ms
    }
    return profiles, decode_model(kept[0]) if kept else None


def newest_rows(records: Iterable[Message]) -> dict[bytes, StoredRow]:
    """Each key's last row, as the engine's recovery finds it."""
    rows: dict[bytes, StoredRow] = {}
    for record in valid(records):
        key, value = record.key() or b"", record.value()
        if value:
            rows[key] = _ROW(value)
        elif key != MODEL_KEY:
            rows.pop(key, None)
    return rows
