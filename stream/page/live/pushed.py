"""A running shop whose records the same process hands over, without Kafka in between: that of the demo.

Time is that of the last event. What people remark stays in the store, and ends with it.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Mapping, Sequence

from stream.core.judgement.basis import Basis
from stream.page.live.actions import Remark, encoded
from stream.page.live.reading_rows import RowReader
from stream.page.live.record import PageRecord, Read
from stream.page.live.rounds import Rounds
from stream.page.screens.view import View
from stream.page.store.store import ReadStore
from stream.wire import STRUCTURED_HEADERS

ROLES: Mapping[str, Read] = {"profiles": "profiles", "alerts": "alerts", "remarks": "control"}


class PushedShop:
    """What the server needs of a running shop; `push` and `look_again` are for one thread at a time."""

    def __init__(self, store: ReadStore, basis: Basis, name: str) -> None:
        """`name`: where the records come from, in words. The store is emptied."""
        store.open_for("pushed", growing=True)
        store.empty("pushed")
        store.index()
        self._store, self._name, self._basis = store, name, basis
        self._reader = RowReader(basis, {}, {})
        self._numbers = itertools.count()
        self._writing = threading.Lock()
        self._changes = 0
        self._now_ms = 0
        self.playing = True
        """More is to come."""

    def push(self, topic: str, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Keys and values of new records; `topic` is one of ROLES."""
        found = [
            PageRecord(ROLES[topic], topic, 0, next(self._numbers), key, value, tuple(STRUCTURED_HEADERS))
            for key, value in records
        ]
        with self._writing:
            self._store.write(self._reader.batch(found, self._latest_ms))
            self._changes += 1

    def look_again(self) -> None:
        """All customers as of now: also those of whom nothing came lately."""
        rounds = Rounds(self._store, lambda _: self._basis, self._latest_ms)
        rounds.begin_at_once()
        with self._writing:
            while rounds.step():
                pass
            self._changes += 1

    def changed(self) -> None:
        """Something else that pages show is another one now, such as a published report."""
        self._changes += 1

    def _latest_ms(self) -> int:
        self._now_ms = max(self._now_ms, self._reader.latest_ms)
        return self._now_ms

    @property
    def revision(self) -> str:
        """Another one whenever a page would show something else."""
        return f"{id(self):x}-{self._changes}"

    @property
    def lag(self) -> Mapping[str, int]:
        """Nothing waits: what is handed over is written."""
        return {}

    @property
    def lag_s(self) -> float:
        """Nothing waits."""
        return 0.0

    def view(self) -> View:
        """As of the last event."""
        return View(self._basis, self._now_ms, self._name, has_alerts=True, masks=self._store.masks)

    def fresh(self) -> list[tuple[str, str]]:
        """Whether the year is still played."""
        return [("the year", "is being played" if self.playing else "has been played to its end")]

    def troubles(self) -> list[str]:
        """Nothing: a demo that fails ends."""
        return []

    def faults(self) -> list[str]:
        """Nothing."""
        return []

    def unready(self) -> list[str]:
        """Nothing."""
        return []

    def say(self, remark: Remark) -> None:
        """Keep a remark in the store. ActionError."""
        value = encoded(remark, self._now_ms, str(uuid.uuid4()))
        self.push("remarks", [(remark.customer.encode(), value)])
