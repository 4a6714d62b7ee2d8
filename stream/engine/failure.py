"""Fail stop: what cannot be dealt with ends the process before anything wrong is committed."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import NoReturn

log = logging.getLogger("stream.engine")
CUT_OVER = "see the runbook (cut over) before anything is deleted"


class Exit(IntEnum):
    """The exit status says which kind of help is needed."""

    BUG = 70  # an exception in decode, fold or encode
    PRODUCER = 71  # rows or records could not be made durable
    DATA_LOSS = 74  # Kafka no longer has what was not read yet, or a topic was made anew
    FENCED = 75  # another worker owns these partitions now; starting again is right
    DEAD_LETTERS = 76  # so much of the input was refused that not the input must be wrong
    CONFIGURATION = 78


class EngineError(Exception):
    """The reason in words, and how to exit."""

    def __init__(self, code: Exit, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def leave(code: int) -> NoReturn:
    """At once: no cleaning up that could still write or commit."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class FailStop:
    """The one way out. Tests replace `exit`."""

    def __init__(self, exit: Callable[[int], object] = leave) -> None:
        self.exit = exit
        self.reason: BaseException | None = None

    def __call__(self, failure: BaseException) -> None:
        if self.reason is not None:
            return
        self.reason = failure
        code = failure.code if isinstance(failure, EngineError) else Exit.BUG
        trace = None if isinstance(failure, EngineError) else failure
        log.critical("stream stops (exit %d): %s", code, failure or type(failure).__name__, exc_info=trace)
        self.exit(code)
