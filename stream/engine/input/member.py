"""The consumer as a member of its group: answered heartbeats renew the lease of its partitions."""

from __future__ import annotations

import time
from typing import Any

import aiokafka

from stream.engine.input.fetch_size import fit_to_line
from stream.engine.input.lease import Lease
from stream.engine.input.records import read_in_bulk


class Member(aiokafka.AIOKafkaConsumer):  # type: ignore[misc]
    """A consumer whose answered heartbeats renew a lease."""

    def __init__(self, lease: Lease, **settings: Any) -> None:
        super().__init__(**settings)
        read_in_bulk()
        self._lease = lease

    async def start(self) -> None:
        await super().start()
        self._renew_by(self._coordinator)
        fit_to_line(self._fetcher)

    def _renew_by(self, coordinator: Any) -> None:
        heartbeat = coordinator._do_heartbeat

        async def renewing() -> bool:
            asked_at = time.monotonic()
            answered: bool = await heartbeat()
            if answered:
                self._lease.renew(asked_at)
            return answered

        coordinator._do_heartbeat = renewing
