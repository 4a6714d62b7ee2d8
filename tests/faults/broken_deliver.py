"""`stream deliver run`, broken on purpose: `python -m tests.faults.broken_deliver HOW deliver run ...`.

The faults are here and not in the program. Each must be found by deliver_verifier.py.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stream.commands.main import main
from stream.deliver import courier, deliverer
from stream.deliver.queue.offsets import move_position
from stream.deliver.send import client


def commit_before_queue() -> None:
    """The offset is durable first, the alerts some time later."""
    take_in = vars(deliverer)["take_in"]

    def broken(database: Any, topic: str, records: Any, **more: Any) -> Any:
        before = {each.partition: each.offset for each in reversed(records)}
        with database.transaction():
            for each in records:
                move_position(database, topic, each.partition, each.offset + 1)
        died = Path(os.environ["STREAM_DELIVER_QUEUE"] + ".died")
        if not died.exists():  # one crash at the wrong moment, also where the random ones miss it
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(1.0)
        with database.transaction():
            for partition, offset in before.items():
                move_position(database, topic, partition, offset)
        return take_in(database, topic, records, **more)

    vars(deliverer)["take_in"] = broken


def no_order() -> None:
    """The alerts of a customer are attempted side by side."""
    for name in ("claim", "next_due_ms"):
        right = getattr(courier, name)

        def broken(*arguments: Any, right: Any = right, **more: Any) -> Any:
            if "ordered" in more:
                return right(*arguments, **{**more, "ordered": False})
            return right(*arguments[:-1], False)

        setattr(courier, name, broken)


def unbounded_answer() -> None:
    """An answer is read to its end, however long it is."""
    client.ANSWER_BYTES_MAX = 1 << 40


FAULTS: dict[str, Callable[[], None]] = {
    each.__name__: each for each in (commit_before_queue, no_order, unbounded_answer)
}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    main()
