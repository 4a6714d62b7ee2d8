"""Quix Streams: three topics into one dataframe, a stateful fold in RocksDB, its own changelog topic."""

from __future__ import annotations

from typing import Any

import msgspec
from quixstreams import Application, State

from bench.peers.contract import (
    BOOTSTRAP,
    COMMIT_S,
    FETCH_BACKOFF_MS,
    GROUP,
    STATE_DIR,
    TOPICS,
    Counters,
    decoder,
    fold,
    time_ms_of,
)

decode = decoder().decode


def count(value: bytes, state: State) -> None:
    """Fold one event. The row is stored as the list of its counters: the same JSON as in the other peers."""
    stored = state.get("row")
    row = Counters() if stored is None else Counters(*stored)
    event = decode(value)
    fold(row, event, time_ms_of(event))
    state.set("row", list(msgspec.structs.astuple(row)))


def run() -> None:
    app = Application(
        broker_address=BOOTSTRAP,
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        state_dir=STATE_DIR,
        commit_interval=COMMIT_S,
        use_changelog_topics=True,
        loglevel="WARNING",
        consumer_extra_config={"fetch.queue.backoff.ms": FETCH_BACKOFF_MS},
        producer_extra_config={"compression.type": "lz4", "linger.ms": 50},
    )
    topics = [app.topic(name, key_deserializer="bytes", value_deserializer="bytes") for name in TOPICS]
    frames: list[Any] = [app.dataframe(each) for each in topics]
    merged = frames[0].concat(frames[1]).concat(frames[2])
    merged.update(count, stateful=True)
    app.run()


if __name__ == "__main__":
    run()
