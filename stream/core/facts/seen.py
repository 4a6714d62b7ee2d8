"""The recent events of one customer, so that a second delivery of an event changes nothing.

Of each event its day (3 bytes) and a fingerprint of its id (6 bytes) are kept, one after the other in the
order of arrival: one `bytes` object for each profile instead of hundreds of numbers. Ids belong to transport,
not to the facts: they are never compared and decide nothing but whether an event is new.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from stream.core.units import DAY_MS

SEEN_DAYS = 8
"""Days of event time for which an id is kept, counted back from the newest event."""
SEEN_MAX = 2_048
"""Ids kept of one customer; in a burst of more, the first that arrived is dropped first."""
DAY_BYTES, FINGERPRINT_BYTES = 3, 6
SEEN_BYTES = DAY_BYTES + FINGERPRINT_BYTES


def fingerprint(source: str, event_id: str) -> bytes:
    """48 bits of a hash of an event's identity. Two of 500 recent ids collide with probability 4e-10."""
    begun = _begun(source).copy()  # 0.55 us instead of 1.0 for a new hash
    begun.update(event_id.encode())
    return begun.digest()


def with_event(seen: bytes, at_ms: int, mark: bytes) -> bytes | None:
    """The ids `seen` with one event added, in the byte layout that this module's first lines state.

    `mark` is the event's 6-byte `fingerprint`, `at_ms` its event time (ms since 1970). Ids older than
    SEEN_DAYS before it are dropped, and the first that arrived when there are SEEN_MAX. None: `mark` is known
    already.
    """
    place = seen.find(mark)
    while place >= 0:
        if place % SEEN_BYTES == DAY_BYTES:
            return None
        place = seen.find(mark, place + 1)
    today, oldest = _days(at_ms // DAY_MS)
    return (_recent(seen, oldest) if seen else seen) + today + mark


@lru_cache(maxsize=256)
def _begun(source: str) -> blake2b:
    """The hash after the source: few sources send all events."""
    return blake2b(f"{source}\x00".encode(), digest_size=FINGERPRINT_BYTES)


@lru_cache(maxsize=1_024)
def _days(day: int) -> tuple[bytes, bytes]:
    """A day, and the oldest that is kept when an event of this day arrives."""
    return max(0, day).to_bytes(DAY_BYTES, "big"), max(0, day - SEEN_DAYS).to_bytes(DAY_BYTES, "big")


def _recent(seen: bytes, oldest: bytes) -> bytes:
    """What is kept when one more event arrives: from the front, old ids are dropped, or one too many."""
    kept_from, end = 0, len(seen)
    while kept_from < end and seen[kept_from : kept_from + DAY_BYTES] < oldest:
        kept_from += SEEN_BYTES
    if end - kept_from >= SEEN_MAX * SEEN_BYTES:
        kept_from = end - (SEEN_MAX - 1) * SEEN_BYTES
    return seen[kept_from:] if kept_from else seen
