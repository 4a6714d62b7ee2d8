"""The full job in Bytewax: events of a customer in batches, rows and alerts to Kafka, its own recovery store.

A row is encoded once per batch of its customer, and once per epoch for the recovery store. Bytewax goes on
from the offsets in that store; librdkafka's auto-commit only makes its progress visible.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from bench.peers.contract import BOOTSTRAP, FETCH_BACKOFF_MS, GROUP, STATE_DIR
from bench.peers.full_job import ALERTS, EPOCH_S, INPUT, ROWS, basis, decode_row, encode_row, step

BY = basis()


class Customer(StatefulBatchLogic[bytes, Any, bytes]):  # type: ignore[misc]  # its package is in another environment
    """One customer: its profile, and what goes out after a batch of its events."""

    def __init__(self, stored: bytes | None) -> None:
        self.profile = None if stored is None else decode_row(stored)

    def on_batch(self, values: list[bytes]) -> tuple[list[tuple[str, bytes]], bool]:
        out = []
        for value in values:
            self.profile, alerts = step(self.profile, value, BY)
            out += [(ALERTS, alert) for alert in alerts]
        return [*out, (ROWS, encode_row(self.profile))], StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes:
        return encode_row(self.profile)


def keyed(batch: list[KafkaSourceMessage]) -> list[tuple[str, bytes]]:
    return [(message.key.decode(), message.value) for message in batch]


def message(item: tuple[str, tuple[str, bytes]]) -> KafkaSinkMessage[bytes, bytes]:
    key, (topic, value) = item
    return KafkaSinkMessage(key.encode(), value, topic=topic)


def flow() -> Dataflow:
    dataflow = Dataflow("bench-full")
    config = {
        "group.id": GROUP,
        "enable.auto.commit": "true",
        "auto.commit.interval.ms": "500",
        "fetch.queue.backoff.ms": str(FETCH_BACKOFF_MS),
    }
    source = KafkaSource([BOOTSTRAP], [INPUT], add_config=config, batch_size=10_000)
    events = op.input("read", dataflow, source)
    customers = op.flat_map_batch("key", events, keyed)
    kept = op.stateful_batch("keep", customers, Customer)
    sent = op.map("message", kept, message)
    sink = {"compression.type": "lz4", "linger.ms": "50", "partitioner": "murmur2_random"}
    op.output("send", sent, KafkaSink([BOOTSTRAP], None, add_config=sink))
    return dataflow


if __name__ == "__main__":
    store = Path(STATE_DIR)
    store.mkdir(parents=True, exist_ok=True)
    if not any(store.glob("*.sqlite3")):
        init_db_dir(store, 1)
    recovery = RecoveryConfig(store)
    cli_main(flow(), epoch_interval=timedelta(seconds=EPOCH_S), recovery_config=recovery)
