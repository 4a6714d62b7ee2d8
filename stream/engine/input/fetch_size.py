"""How much a fetch asks for: what the line carries in about a second.

A fetch is handed on when all of it is there. On a line of 100 kB/s aiokafka's 1 MB of each partition are
minutes without a commit, and the merge by time waits for a topic while another one takes up the line. (64 kB
of each, always, cost the toy fold more than a quarter of its rate on a fast line.)
"""

from __future__ import annotations

import time
from typing import Any

MAX_FETCH_BYTES = 2 << 20
MAX_PARTITION_BYTES, MIN_PARTITION_BYTES = 1 << 20, 1 << 14
FETCH_S = 1.0


def next_size(size: int, took_s: float) -> int:
    """Bytes to ask of a partition after a fetch of `size` that took so long: at the next about a second."""
    fitting = int(size * FETCH_S / took_s) if took_s > FETCH_S / 2 else size * 2
    return max(MIN_PARTITION_BYTES, min(MAX_PARTITION_BYTES, fitting))


def fit_to_line(fetcher: Any) -> None:
    """From now on aiokafka's fetcher measures each fetch, and asks for the next by what it took."""
    fetch = fetcher._proc_fetch_request

    async def measured(*arguments: Any) -> bool:
        began = time.monotonic()
        found: bool = await fetch(*arguments)
        took_s = time.monotonic() - began
        fetcher._max_partition_fetch_bytes = next_size(fetcher._max_partition_fetch_bytes, took_s)
        return found

    fetcher._proc_fetch_request = measured
