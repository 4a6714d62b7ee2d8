"""The consumer as a member of its group: answered heartbeats renew the lease of its partitions, and it asks
for no more at a time than its line carries in a second or two.

A fetch is handed on when all of it is there. On a line of 100 kB/s aiokafka's 1 MB of each partition are
minutes without a commit, and the merge by time waits for a topic while another one takes up the line.
"""

from __future__ import annotations

import time
from typing import Any

import aiokafka

from stream.engine.lease import Lease
from stream.engine.records import read_in_bulk

MAX_FETCH_BYTES = 2 << 20
MAX_PARTITION_BYTES, MIN_PARTITION_BYTES = 1 << 20, 1 << 14
FETCH_S = 1.0


def next_size(size: int, took_s: float) -> int:
    """Bytes to ask of a partition after a fetch of `size` that took so long: at the next about a second."""
    fitting = int(size * FETCH_S / took_s) if took_s > FETCH_S / 2 else size * 2
    return max(MIN_PARTITION_BYTES, min(MAX_PARTITION_BYTES, fitting))


class Member(aiokafka.AIOKafkaConsumer):  # type: ignore[misc]
    """A consumer whose answered heartbeats renew a lease, and whose fetches take a second at the most."""

    def __init__(self, lease: Lease, **settings: Any) -> None:
        super().__init__(**settings)
        read_in_bulk()
        self._lease = lease

    async def start(self) -> None:
        await super().start()
        self._renew_by(self._coordinator)
        self._measure(self._fetcher)

    def _renew_by(self, coordinator: Any) -> None:
        heartbeat = coordinator._do_heartbeat

        async def renewing() -> bool:
            asked_at = time.monotonic()
            answered: bool = await heartbeat()
            if answered:
                self._lease.renew(asked_at)
            return answered

        coordinator._do_heartbeat = renewing

    def _measure(self, fetcher: Any) -> None:
        fetch = fetcher._proc_fetch_request

        async def measured(*arguments: Any) -> bool:
            began = time.monotonic()
            found: bool = await fetch(*arguments)
            took_s = time.monotonic() - began
            fetcher._max_partition_fetch_bytes = next_size(fetcher._max_partition_fetch_bytes, took_s)
            return found

        fetcher._proc_fetch_request = measured
