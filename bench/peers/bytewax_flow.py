"""Bytewax: a Kafka source, batches decoded at once, a stateful fold, Bytewax's own SQLite recovery store.

Bytewax commits no offsets to Kafka; librdkafka's auto-commit is switched on so that its progress can be seen.
Its rows go to no topic: the recovery store takes the place of a changelog.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from bench.peers.contract import (
    BOOTSTRAP,
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


class _Nowhere(StatelessSinkPartition[tuple[str, None]]):
    def write_batch(self, items: list[tuple[str, None]]) -> None:
        pass


class Nowhere(DynamicSink[tuple[str, None]]):
    """A sink that drops everything."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Nowhere:
        return _Nowhere()


def decoded(batch: list[KafkaSourceMessage]) -> list[tuple[str, object]]:
    return [(event.subject, event) for event in (decode(message.value) for message in batch)]


def count(row: Counters | None, event: object) -> tuple[Counters, list[None]]:
    if row is None:
        row = Counters()
    fold(row, event, time_ms_of(event))
    return row, []


def flow() -> Dataflow:
    dataflow = Dataflow("bench")
    config = {
        "group.id": GROUP,
        "enable.auto.commit": "true",
        "auto.commit.interval.ms": "500",
        "fetch.queue.backoff.ms": str(FETCH_BACKOFF_MS),
    }
    source = KafkaSource([BOOTSTRAP], list(TOPICS), add_config=config, batch_size=10_000)
    messages = op.input("read", dataflow, source)
    keyed = op.flat_map_batch("decode", messages, decoded)
    rows = op.stateful_flat_map("fold", keyed, count)
    op.output("drop", rows, Nowhere())
    return dataflow


if __name__ == "__main__":
    store = Path(STATE_DIR)
    store.mkdir(parents=True, exist_ok=True)
    init_db_dir(store, 1)
    cli_main(flow(), epoch_interval=timedelta(seconds=10), recovery_config=RecoveryConfig(store))
