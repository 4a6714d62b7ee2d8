"""How much a fetch asks for: what the connection transfers in about a second.

A fetch is passed on when all of it has arrived. On a line of 100 kB/s aiokafka's 1 MB of each partition would
be minutes without a commit, in which the merge waits for one topic while another one uses the line. (64 kB of
each partition, always, cost the toy application more than a quarter of its rate on a fast line.)
"""

from __future__ import annotations

MAX_FETCH_BYTES = 2 << 20
MAX_PARTITION_BYTES, MIN_PARTITION_BYTES = 1 << 20, 1 << 14
FETCH_S = 1.0


def next_size(size: int, took_s: float) -> int:
    """Bytes to ask of a partition after a fetch of `size` bytes took `took_s`; the size at most doubles."""
    fitting = int(size * FETCH_S / took_s) if took_s > FETCH_S / 2 else size * 2
    return max(MIN_PARTITION_BYTES, min(MAX_PARTITION_BYTES, fitting))
