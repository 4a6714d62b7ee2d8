"""Reading the profiles topic without the rows of fenced workers.

A worker that lost a partition (paused longer than its session, for example) may still write rows after its
successor has started. Recovery ignores such rows by their `epoch` header (docs/decisions/0007); every other
reader of the topic must do the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from confluent_kafka import Message

from stream.engine.state.epoch import epoch_in
from stream.ops.cluster import message_headers


def without_fenced_writes(records: Iterable[Message]) -> Iterator[Message]:
    """The records in their order, less those with a lower epoch than an earlier record of their partition.

    Records without an epoch are kept: transactional workers write none, because the broker fences them.
    Records without a key are left out: no worker wrote them.
    """
    latest: dict[tuple[str | None, int | None], int] = {}
    for record in records:
        place, epoch = (record.topic(), record.partition()), epoch_in(message_headers(record))
        if epoch is not None:
            if epoch < latest.get(place, 0):
                continue
            latest[place] = epoch
        if record.key() is not None:
            yield record
