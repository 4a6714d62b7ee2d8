"""Transactions of producers that stay open: nothing behind them is read, so somebody must know.

A worker reads committed records only. While a producer has a transaction open, all records of the partition
behind its beginning are hidden, those of other producers as well; the merge and the clock take the partition
for read to its end. Transactions of some seconds are normal. A producer that hangs or died is ended by the
broker after its `transaction.timeout.ms`, a broken one never (KIP-890).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from aiokafka.errors import KafkaError

from stream.engine.client_internals import OpenTransaction
from stream.engine.failure import FailStop
from stream.engine.input.delivery import Delivery
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.units import MS_PER_S
from stream.engine.watch import Watch

log = logging.getLogger("stream.engine")
LOOK_EVERY_S = 5.0
LOOKS_BEFORE_REPORT = 4
ANSWER_TIMEOUT_S = 10.0


class StableEnds(Protocol):
    """What knows the ends of the partitions: output/group.py, by way of the consumer."""

    async def hidden(self, tps: Iterable[PartitionId]) -> dict[PartitionId, tuple[int, int]]: ...
    async def open_transaction(self, tp: PartitionId) -> OpenTransaction | None: ...


class Hiding(NamedTuple):
    """Since when records of a partition are hidden, and by whom, once that was reported."""

    offset: int  # where the open transaction begins
    since_s: float
    reported: OpenTransaction | None = None


class TransactionWatch(Watch):
    """Looks regularly while lanes are open; `hidden_s` is for metrics, `lines` for people."""

    def __init__(
        self, options: EngineOptions, reader: StableEnds, delivery: Delivery[Any], fail: FailStop
    ) -> None:
        super().__init__(min(LOOK_EVERY_S, options.open_transaction_s / LOOKS_BEFORE_REPORT), fail)
        self._report_after_s = options.open_transaction_s
        self._delivery = delivery
        self._reader = reader
        self._hiding: dict[PartitionId, Hiding] = {}

    def hidden_s(self, now_s: float | None = None) -> Mapping[PartitionId, float]:
        """Partition -> how long records of it have been hidden by one transaction, in seconds."""
        now_s = time.monotonic() if now_s is None else now_s
        return {tp: now_s - hiding.since_s for tp, hiding in self._hiding.items()}

    def lines(self) -> list[str]:
        """One line for each transaction that was reported and is open still."""
        return [
            _line(tp, each.reported, self._open_s(each)) for tp, each in self._hiding.items() if each.reported
        ]

    async def look(self, now_s: float) -> None:
        """See what is hidden now, and report what has been for too long. `now_s`: monotonic."""
        reader = self._reader
        tps = [source.tp for lane in self._delivery.lanes.values() for source in lane.sources]
        found = await reader.hidden(tps)
        self._end(tps, found)
        for tp, (offset, _) in found.items():
            hiding = self._hiding.setdefault(tp, Hiding(offset, now_s))
            if hiding.reported or now_s - hiding.since_s < self._report_after_s:
                continue
            try:
                transaction = await asyncio.wait_for(reader.open_transaction(tp), ANSWER_TIMEOUT_S)
            except (KafkaError, TimeoutError):
                continue  # nothing is known of this one: the next look asks again
            if transaction is None or transaction.offset != offset:
                del self._hiding[tp]  # what the fetch had reported was old
                continue
            self._hiding[tp] = hiding._replace(reported=transaction)
            log.warning(_line(tp, transaction, self._open_s(self._hiding[tp])))

    def _end(self, tps: Iterable[PartitionId], found: Mapping[PartitionId, tuple[int, int]]) -> None:
        """Forget the transactions that hide nothing any more."""
        ours = set(tps)
        for tp, hiding in list(self._hiding.items()):
            if tp in found and found[tp][0] == hiding.offset:
                continue
            del self._hiding[tp]
            if hiding.reported and tp in ours:
                producer = hiding.reported.producer_id
                log.info("%s: the transaction of producer %d has ended; reading goes on", tp, producer)

    def _open_s(self, hiding: Hiding) -> float:
        if hiding.reported and hiding.reported.since_ms is not None:
            return time.time() - hiding.reported.since_ms / MS_PER_S
        return time.monotonic() - hiding.since_s

    async def look_again(self) -> None:
        """Without an answer the next look will tell."""
        with suppress(KafkaError, TimeoutError):
            await self.look(time.monotonic())


def _line(tp: PartitionId, transaction: OpenTransaction, open_s: float) -> str:
    named = f" (transactional id {transaction.transactional_id})" if transaction.transactional_id else ""
    return (
        f"{tp}: a transaction has been open for {open_s:.0f} s: producer {transaction.producer_id}{named} "
        f"began it at offset {transaction.offset}, and nothing from there on is read until it ends; see "
        "OpenTransaction in the runbook"
    )
