"""Translates `Settings` into the options of the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stream.config.settings import Settings
from stream.engine import EngineOptions
from stream.worker.kafka.connection import faust_credentials, librdkafka_settings
from stream.worker.kafka.topics import topic_names

ROW_BYTES_MAX = 2_000_000
"""The largest row with its outbox, or dead letter; their topics allow 2 MiB (`stream topics`)."""


def engine_options(settings: Settings, bootstrap: str = "") -> EngineOptions:
    """The options of the engine; `bootstrap`, when given, replaces STREAM_BROKERS (embedded broker)."""
    names = topic_names(settings)
    return EngineOptions(
        app_id=settings.app_id,
        bootstrap=bootstrap or settings.brokers,
        inputs=names.inputs,
        changelog=names.profiles,
        reference=names.purchases,  # without purchases nobody may be judged inactive
        ticks=names.control,
        guarantee=settings.guarantee,
        clock=settings.clock,
        max_hot_rows=settings.hot_rows,
        flush_interval_s=settings.flush_interval_ms / 1_000,
        max_idle_s=settings.max_idle_ms / 1_000,
        merge_wait_s=settings.merge_wait_ms / 1_000,
        history_quiet_s=settings.history_quiet_s,
        stall_after_ms=settings.stall_after_s * 1_000,
        max_batch_bytes=settings.batch_bytes_max,
        session_timeout_s=settings.session_timeout_s,
        store=Path(settings.data_dir) if settings.store == "rocksdb" else None,
        producer={**_security(settings), "message.max.bytes": ROW_BYTES_MAX},
        faust=_faust_settings(settings),
    )


def _security(settings: Settings) -> dict[str, Any]:
    client = librdkafka_settings(settings)
    del client["bootstrap.servers"]
    return client


def _faust_settings(settings: Settings) -> dict[str, Any]:
    faust: dict[str, Any] = {}
    credentials = faust_credentials(settings)
    if credentials is not None:
        faust["broker_credentials"] = credentials
    if settings.instance_id:
        faust["consumer_group_instance_id"] = settings.instance_id
    return faust
