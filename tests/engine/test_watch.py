"""A watch looks again until it is stopped, and what a look raises ends the process."""

import asyncio

from stream.engine.failure import FailStop
from stream.engine.watch import Watch


class Looks(Watch):
    """Counts its looks; the third one fails."""

    def __init__(self, fail: FailStop) -> None:
        super().__init__(0.001, fail)
        self.count = 0

    async def look_again(self) -> None:
        self.count += 1
        if self.count == 3:
            raise ValueError("gone")


async def test_a_look_that_fails_ends_the_process_and_is_the_last() -> None:
    ended = asyncio.Event()
    watch = Looks(FailStop(exit=lambda _: ended.set()))

    watch.start()
    watch.start()
    await ended.wait()
    await asyncio.sleep(0.01)

    assert watch.count == 3


async def test_a_watch_that_is_stopped_looks_no_more() -> None:
    watch = Looks(FailStop(exit=lambda _: None))
    watch.start()
    watch.stop()
    await asyncio.sleep(0.01)

    assert watch.count == 0
