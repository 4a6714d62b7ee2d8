"""Batches of some kilobytes that hold hundreds of megabytes."""

import time

from confluent_kafka import Producer

BOMB_BYTES, TRIES = 200 << 20, 4
BOMBS = ("zstd", "lz4", "gzip")
"""Snappy shrinks to a twentieth at best: what a topic takes of it (2 MiB) is within the bound."""


def put_bomb(bootstrap: str, topic: str, compression: str, partition: int = 0) -> None:
    """One record of zeros, which the broker takes: it looks at the compressed size."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": compression,
            "message.max.bytes": 1_000_000_000,
            "queue.buffering.max.kbytes": 1_000_000,
        }
    )
    refused: list[object] = []
    for _ in range(TRIES):
        refused.clear()
        producer.produce(
            topic, bytes(BOMB_BYTES), b"bomb", partition,
            on_delivery=lambda error, _: refused.append(error) if error else None,
        )  # fmt: skip
        left = producer.flush(120)  # the broker unpacks each batch: slow on busy cores
        if not left and not refused:
            return
        time.sleep(2)  # it had not the memory for it (UNKNOWN): it is asked again
    raise AssertionError((left, refused))
