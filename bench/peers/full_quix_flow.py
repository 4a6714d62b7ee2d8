"""The full job in Quix Streams: a stateful step with RocksDB and a changelog topic, alerts to a topic.

As an expert would tune it: profiles stay decoded in memory beside the store, so a row is decoded once, and
the store keeps our bytes as they are.
"""

from __future__ import annotations

from typing import Any

from quixstreams import Application, State
from quixstreams.state.rocksdb import RocksDBOptions

from bench.peers.contract import BOOTSTRAP, FETCH_BACKOFF_MS, GROUP, STATE_DIR
from bench.peers.full_job import ALERTS, EPOCH_S, INPUT, basis, decode_row, encode_row, step
from stream.core.facts.profile import Profile

BY = basis()
live: dict[bytes, Profile] = {}
"""Customer -> profile. One process reads all partitions here, so nothing else changes a row."""


def same(value: Any) -> Any:
    return value


def keep(value: bytes, key: bytes, _timestamp: int, _headers: Any, state: State) -> list[bytes]:
    known = live.get(key)
    if known is None:
        stored = state.get(b"row")
        known = None if stored is None else decode_row(stored)
    profile, alerts = step(known, value, BY)
    if profile is not None:
        live[key] = profile
        state.set(b"row", encode_row(profile))
    return alerts


def run() -> None:
    app = Application(
        broker_address=BOOTSTRAP,
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        state_dir=STATE_DIR,
        commit_interval=EPOCH_S,
        use_changelog_topics=True,
        loglevel="WARNING",
        rocksdb_options=RocksDBOptions(dumps=same, loads=same),
        consumer_extra_config={"fetch.queue.backoff.ms": FETCH_BACKOFF_MS},
        producer_extra_config={"compression.type": "lz4", "linger.ms": 50},
    )
    raw = {"key_serializer": "bytes", "value_serializer": "bytes"}
    events = app.topic(INPUT, key_deserializer="bytes", value_deserializer="bytes")
    frame: Any = app.dataframe(events)
    frame = frame.apply(keep, stateful=True, metadata=True, expand=True)
    frame.to_topic(app.topic(ALERTS, **raw))
    app.run()


if __name__ == "__main__":
    run()
