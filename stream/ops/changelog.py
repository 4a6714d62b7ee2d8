"""Records of the profiles topic that count: what a worker wrote after its successor had begun is void.

The rule of the engine's recovery (docs/decisions/0007), for whoever else reads the topic from its start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from confluent_kafka import Message

from stream.engine.state.epoch import epoch_in
from stream.ops.cluster import headers_of


def valid(records: Iterable[Message]) -> Iterator[Message]:
    """In their order; records without an epoch count, as those of transactions do."""
    latest: dict[tuple[str | None, int | None], int] = {}
    for record in records:
        place, epoch = (record.topic(), record.partition()), epoch_in(headers_of(record))
        if epoch is not None:
            if epoch < latest.get(place, 0):
                continue
            latest[place] = epoch
        yield record
