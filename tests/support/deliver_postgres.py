"""The world of deliver_world.py with its queue in a PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stream.deliver.endpoints.endpoint import Endpoint
from stream.deliver.queue.database import Database
from stream.deliver.queue.postgres import PostgresDatabase
from tests.support.crash_points import CrashingDatabase
from tests.support.deliver_world import Receiver, World


class PostgresWorld(World):
    """One process of several that may share a queue."""

    def __init__(self, url: str, folder: Path, receiver: Receiver, *endpoints: Endpoint, **more: Any) -> None:
        self._url = url
        super().__init__(folder, receiver, *endpoints, **more)

    def _database(self) -> Database:
        return CrashingDatabase(PostgresDatabase(self._url), self.points)

    def beside(self) -> PostgresWorld:
        """Another process on the same queue, topic and receiver."""
        other = PostgresWorld(self._url, self.folder, self.receiver, *self.endpoints.by_name.values())
        other.topic, other.attempts, other.accepted = self.topic, self.attempts, self.accepted
        return other
