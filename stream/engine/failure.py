"""Fail stop: an error that cannot be dealt with ends the process before anything wrong is committed."""

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
    """The exit status of the process. It says who must do something, if anybody."""

    BUG = 70  # an exception in the application or the engine: nobody but a developer can help
    PRODUCER = 71  # rows or records could not be made durable, or Kafka does not answer: start again
    DATA_LOSS = 74  # Kafka no longer has what was not read yet, or a topic was created again: see the runbook
    FENCED = 75  # another worker owns these partitions now: start again
    DEAD_LETTERS = 76  # so many records were rejected that the worker's settings or code must be wrong
    CONFIGURATION = 78  # settings or topics do not fit together


class EngineError(Exception):
    """An error with a reason in words and an exit status. It is logged without a traceback."""

    def __init__(self, code: Exit, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def exit_now(code: int) -> NoReturn:
    """End the process at once: nothing that cleans up could still write or commit."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class FailStop:
    """Logs the first failure and ends the process. Tests replace `exit`.

    `leave` is called in between. It says goodbye to the group, so that other workers need not wait for the
    end of a session. It may take two seconds; the caller waits for it, so nothing more is applied meanwhile.
    """

    def __init__(self, exit: Callable[[int], object] = exit_now) -> None:
        self.exit = exit
        self.leave: Callable[[], object] = lambda: None
        self.reason: BaseException | None = None

    def __call__(self, failure: BaseException) -> None:
        if self.reason is not None:
            return
        self.reason = failure
        code = failure.code if isinstance(failure, EngineError) else Exit.BUG
        trace = None if isinstance(failure, EngineError) else failure
        log.critical("stream stops (exit %d): %s", code, failure or type(failure).__name__, exc_info=trace)
        if self.exit is exit_now:
            logging.disable()  # the reason stays the last line, whatever Kafka's clients still complain about
        self.leave()
        self.exit(code)
