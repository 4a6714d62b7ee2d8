"""What the topics hold, for a fit: the input topics as a recording, or everybody's newest profile."""

from __future__ import annotations

import msgspec

from stream.core.model import Model, decode_model
from stream.core.profile import Profile
from stream.operate.cluster import cluster_errors, cluster_settings, from_start, reader
from stream.operate.history import recorded_topics
from stream.replay.recorded import Recording
from stream.worker.row import MODEL_KEY, Row
from stream.worker.topics import topic_names

_ROW = msgspec.json.Decoder(Row).decode


def topic_recording() -> Recording:
    """Every event of the input topics, as they are now."""
    with cluster_errors():
        return recorded_topics(cluster_settings(), None, None)


def topic_profiles() -> tuple[dict[str, Profile], Model | None]:
    """Everybody's newest profile, and the model in force; None when that is the workers' own setting."""
    settings = cluster_settings()
    rows: dict[str, Row] = {}
    model: Model | None = None
    with cluster_errors(), reader(settings) as consumer:
        for message in from_start(consumer, topic_names(settings).profiles):
            key, value = message.key() or b"", message.value()
            if key == MODEL_KEY:
                kept = _ROW(value).models if value else []
                model = decode_model(kept[0]) if kept else model
            elif value:
                rows[key.decode()] = _ROW(value)
            else:
                rows.pop(key.decode(), None)
    profiles = {
        customer: row.profile
        for customer, row in rows.items()
        if row.profile is not None and not row.profile.erased_ms
    }
    return profiles, model
