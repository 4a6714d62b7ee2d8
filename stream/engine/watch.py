"""Something outside that a worker looks at regularly, because nobody reports a change of it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from stream.engine.failure import FailStop


class Watch(ABC):
    """Looks every `every_s` seconds from `start` to `stop`, the first time after `first_after_s` seconds.

    What a look raises ends the process.
    """

    def __init__(self, every_s: float, fail: FailStop, *, first_after_s: float | None = None) -> None:
        self._every_s = every_s
        self._first_after_s = every_s if first_after_s is None else first_after_s
        self._fail = fail
        self._looking: asyncio.Task[None] | None = None

    @abstractmethod
    async def look_again(self) -> None:
        """Look once."""

    def start(self) -> None:
        """Lanes are open. A second call does nothing."""
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._keep_looking())

    async def _keep_looking(self) -> None:
        try:
            await asyncio.sleep(self._first_after_s)
            while True:
                await self.look_again()
                await asyncio.sleep(self._every_s)
        except Exception as failure:
            self._fail(failure)

    def stop(self) -> None:
        """The worker stops."""
        if self._looking is not None:
            self._looking.cancel()
