"""Files of a store on disk are rewritten without the rows that were deleted, in a thread of its own.

RocksDB only notes that a key was deleted; the old row stays in its files until they happen to be rewritten,
which for a key that never changes again may be never.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

log = logging.getLogger("stream.engine")
PAUSE_S = 2.0
"""Deletions within it are dealt with together."""
AT_ONCE = 64
"""Of more keys the whole range between the first and the last is rewritten, once."""


class Cleaning:
    """Calls `compact(first, last)` for keys that were deleted a moment ago."""

    def __init__(self, compact: Callable[[bytes, bytes], None]) -> None:
        self._compact = compact
        self._deleted: set[bytes] = set()
        self._change = threading.Condition()
        self._ended = False
        self._thread: threading.Thread | None = None

    def note(self, keys: Iterable[bytes]) -> None:
        """These keys were deleted."""
        found = set(keys)
        if not found:
            return
        with self._change:
            self._deleted |= found
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._run, name="cleaning", daemon=True)
                self._thread.start()

    def end(self) -> None:
        """Finish what is under way; the rest is done before this returns."""
        with self._change:
            self._ended = True
            self._change.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._ended, PAUSE_S)
                keys, self._deleted = sorted(self._deleted), set()
                if not keys:
                    self._thread = None
                    return
            ranges = [(key, key) for key in keys] if len(keys) <= AT_ONCE else [(keys[0], keys[-1])]
            try:
                for first, last in ranges:
                    self._compact(first, last)
            except Exception as wrong:  # rocksdict has no error class of its own
                log.warning("rows that were deleted stay in the files of a store for a while: %s", wrong)
