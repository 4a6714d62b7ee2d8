"""What librdkafka would print on standard error, as lines of the log: structured, and few of a kind."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("stream.engine")

SAME_AGAIN_AFTER_S = 60.0
"""Of one kind (FAIL, AUTH, ...) one line in this time; the next one says how many were left out."""


class ClientLog:
    """The `logger` of confluent-kafka's clients, which call `log` from whatever thread polls them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds from any start; only differences count."""
        self._clock = clock
        self._lock = threading.Lock()
        self._last_s: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def log(self, level: int, message: str, *values: object) -> None:
        """One line of librdkafka: a level of `logging`, a format, and kind, client and text."""
        kind = str(values[0]) if values else ""
        with self._lock:
            now_s, last_s = self._clock(), self._last_s.get(kind)
            if last_s is not None and now_s - last_s < SAME_AGAIN_AFTER_S:
                self._left_out[kind] = self._left_out.get(kind, 0) + 1
                return
            self._last_s[kind] = now_s
            more = self._left_out.pop(kind, 0)
        text = message % values if values else message
        log.log(level, "Kafka client: %s%s", text, f" ({more} more like it before)" if more else "")


CLIENT_LOG = ClientLog()
"""That of all clients of this process, so that many senders to one dead broker say it once."""
