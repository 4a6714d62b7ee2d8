"""Producers that write in transactions, and where the logs end that they wrote to."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from tests.support.toy_app import TOPICS

TIMEOUT_S = 30


class TransactionalProducer:
    """One producer; each record is in the log before `send` returns: an abort has something to undo."""

    def __init__(self, bootstrap: str, name: str, compression: str = "none", **settings: Any) -> None:
        self._open = False
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "transactional.id": name,
                "compression.type": compression,
                "log_level": 0,
                **settings,
            }
        )
        self._producer.init_transactions(TIMEOUT_S)

    def __enter__(self) -> TransactionalProducer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._open:
            self.end(commit=False)

    def begin(self) -> None:
        self._producer.begin_transaction()
        self._open = True

    def send(self, topic: str, key: str | bytes, value: bytes, partition: int = 0, **more: Any) -> None:
        self._producer.produce(topic, value, key, partition, **more)
        assert self._producer.flush(TIMEOUT_S) == 0

    def end(self, *, commit: bool) -> None:
        self._open = False
        (self._producer.commit_transaction if commit else self._producer.abort_transaction)(TIMEOUT_S)


def ends(bootstrap: str, prefix: str) -> dict[tuple[str, int], int]:
    """Of the toy application's inputs: the offset that the next record of each partition will get."""
    how = {"bootstrap.servers": bootstrap, "group.id": "ends", "isolation.level": "read_uncommitted"}
    reader = Consumer(how)
    try:
        listed = reader.list_topics(timeout=TIMEOUT_S).topics
        topics = [f"{prefix}.{name}" for name in TOPICS]
        places = [(topic, each) for topic in topics for each in listed[topic].partitions]
        return {place: reader.get_watermark_offsets(TopicPartition(*place), TIMEOUT_S)[1] for place in places}
    finally:
        reader.close()
