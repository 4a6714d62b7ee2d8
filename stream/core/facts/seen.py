"""The recent events of one customer, so that a second delivery of an event changes nothing.

Of each event are kept: its day (3 bytes) and a fingerprint of its id (6 bytes) in `Head.seen`, and the part
of the day (1 byte) and a mark of its kind, which is type and source (2 bytes), in `Head.seen_kinds`; one
event after the other in the order of arrival. Ids that are dropped leave a trace in `Head.forgotten`: for
each kind the latest instant of a dropped id (4 bytes, then 2 for the kind, the latest first). So an event
whose id is not kept is certainly new where it is later than all that was forgotten of its kind; otherwise
the id cannot tell (memory/repeats.py asks what else can).

All of this belongs to transport, not to the facts: it is never compared. A row of version 1 has `seen` alone,
in the same form.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Protocol

from stream.core.units import DAY_MS

SEEN_DAYS = 8
"""Days of event time for which an id is kept, counted back from the newest event."""
SEEN_MIN = 16
"""The ids that arrived last are kept whatever their age."""
SEEN_MAX = 2_048
"""Ids kept of one customer at most; in a burst of more, those that arrived first are dropped first."""
SPARE = 16
"""Ids are dropped by so many at once, so that it costs little; until then they are kept beyond SEEN_MIN and
SEEN_MAX. So nothing is ever forgotten of a customer with no more than SEEN_MIN + SPARE events."""
DAY_BYTES, FINGERPRINT_BYTES = 3, 6
SEEN_BYTES = DAY_BYTES + FINGERPRINT_BYTES
KIND_BYTES = 3
"""The part of the day, then the mark of the kind."""
MARK_BYTES = 2
INSTANT_BYTES = DAY_BYTES + 1
FORGOTTEN_BYTES = INSTANT_BYTES + MARK_BYTES
FORGOTTEN_MAX = 64
"""Kinds of which it is known what was forgotten; of the others together it is known for any kind."""
ANY_KIND = bytes(MARK_BYTES)
PART_MS = DAY_MS // 256
"""A part of a day, 337.5 s. The number of parts since 1970 takes INSTANT_BYTES: 3 for the day, 1 for the
part of it."""
LAST_PART = b"\xff"
CROWDED = SEEN_BYTES * (SEEN_MIN + SPARE)
"""From so many bytes of ids on, each time that ROUND more have come, some may be dropped."""
ROUND = SEEN_BYTES * SPARE


class Memory(Protocol):
    """What of a profile this module reads and changes."""

    seen: bytes
    seen_kinds: bytes
    forgotten: bytes
    events: int


def take_in(memory: Memory, kind: type, source: str, event_id: str, at_ms: int) -> bool | None:
    """Remember an event by its id, in place, unless it is known or may be: False or None.

    `kind` is the event's struct, `at_ms` its time (ms since 1970). Every event passes here: what is slow is
    left to the functions below.
    """
    seen, kinds = memory.seen, memory.seen_kinds
    if len(kinds) * 3 != len(seen):  # a row of version 1
        with_kinds(memory)
        kinds = memory.seen_kinds
    named, begun = _begun(kind, source)
    hashed = begun.copy()  # half the cost of a new hash
    hashed.update(event_id.encode())
    mark = hashed.digest()
    if mark in seen and _is_at_its_place(seen, mark):
        return False
    instant = (at_ms // PART_MS if at_ms > 0 else 0).to_bytes(4, "big")
    if memory.forgotten >= instant and _may_be_forgotten(memory.forgotten, instant, named):
        return None
    if len(seen) >= CROWDED and len(seen) % ROUND == 0:
        _make_room(memory, instant)
        seen, kinds = memory.seen, memory.seen_kinds
    memory.seen = seen + (instant[:DAY_BYTES] + mark)
    memory.seen_kinds = kinds + (instant[DAY_BYTES:] + named)
    return True


def take_in_anyway(memory: Memory, kind: type, source: str, event_id: str, at_ms: int) -> None:
    """Remember an event that is new although its id might have been forgotten."""
    forgotten, memory.forgotten = memory.forgotten, b""
    take_in(memory, kind, source, event_id, at_ms)
    latest = _latest_of(memory.forgotten)
    for named, instant in _latest_of(forgotten).items():
        latest[named] = max(instant, latest.get(named, b""))
    memory.forgotten = _forgotten(latest)


def kind_mark(kind: str, source: str) -> bytes:
    """16 bits of a hash of an event's type and source. Two kinds with one mark share what was forgotten."""
    mark = blake2b(f"{kind}\x00{source}".encode(), digest_size=MARK_BYTES).digest()
    return mark if mark != ANY_KIND else b"\x00\x01"


def _is_at_its_place(seen: bytes, mark: bytes) -> bool:
    """Whether a fingerprint that occurs in `seen` is that of an event, not parts of two."""
    place = seen.find(mark)
    while place >= 0:
        if place % SEEN_BYTES == DAY_BYTES:
            return True
        place = seen.find(mark, place + 1)
    return False


def _may_be_forgotten(forgotten: bytes, instant: bytes, kind: bytes) -> bool:
    """Whether an event of this kind and instant may have been seen and dropped since."""
    for place in range(0, len(forgotten), FORGOTTEN_BYTES):
        if forgotten[place : place + INSTANT_BYTES] < instant:
            return False
        if forgotten[place + INSTANT_BYTES : place + FORGOTTEN_BYTES] in {kind, ANY_KIND}:
            return True
    return False


def _make_room(memory: Memory, now: bytes) -> None:
    """Drop ids that are too old when an event of this instant comes, or too many, SPARE at least at once."""
    seen, last = memory.seen, SEEN_BYTES * (SPARE - 1)
    oldest = _day(int.from_bytes(now[:DAY_BYTES], "big") - SEEN_DAYS)
    if seen[last : last + DAY_BYTES] < oldest or len(seen) >= SEEN_BYTES * (SEEN_MAX + SPARE):
        _forget(memory, oldest, now)


def with_kinds(memory: Memory) -> None:
    """What a row of version 1 knows, in place: its ids are of any kind, and what it has dropped was older.

    Where it has counted no more events than it has ids, nothing was ever dropped.
    """
    count = len(memory.seen) // SEEN_BYTES
    memory.seen_kinds = (LAST_PART + ANY_KIND) * count
    if memory.events <= count or not count:
        return
    newest = max(memory.seen[place : place + DAY_BYTES] for place in range(0, len(memory.seen), SEEN_BYTES))
    if count < SEEN_MAX:
        newest = _day(int.from_bytes(newest, "big") - SEEN_DAYS - 1)
    memory.forgotten = newest + LAST_PART + ANY_KIND


def _forget(memory: Memory, oldest: bytes, now: bytes) -> None:
    """Drop ids from the front: those of a day before `oldest`, as long as SEEN_MIN are left, and SPARE at
    least of too many.

    Ids of the same part of the day as `now` leave no trace: in a burst of more than SEEN_MAX events all that
    come next would be `unsure`, although they come in order of time.
    """
    seen, kinds = memory.seen, memory.seen_kinds
    count, dropped = len(seen) // SEEN_BYTES, 0
    while count - dropped > SEEN_MIN and seen[dropped * SEEN_BYTES :][:DAY_BYTES] < oldest:
        dropped += 1
    dropped = max(dropped, count - SEEN_MAX)
    latest = _latest_of(memory.forgotten)
    for number in range(dropped):
        place, beside = number * SEEN_BYTES, number * KIND_BYTES
        instant = seen[place : place + DAY_BYTES] + kinds[beside : beside + 1]
        kind = kinds[beside + 1 : beside + KIND_BYTES]
        if instant > latest.get(kind, b"") and instant != now:
            latest[kind] = instant
    memory.seen, memory.seen_kinds = seen[dropped * SEEN_BYTES :], kinds[dropped * KIND_BYTES :]
    memory.forgotten = _forgotten(latest)


def _latest_of(forgotten: bytes) -> dict[bytes, bytes]:
    """Kind -> its latest forgotten instant."""
    return {
        forgotten[place + INSTANT_BYTES : place + FORGOTTEN_BYTES]: forgotten[place : place + INSTANT_BYTES]
        for place in range(0, len(forgotten), FORGOTTEN_BYTES)
    }


def _forgotten(latest: dict[bytes, bytes]) -> bytes:
    """The latest forgotten instant of each kind, the latest first; of too many kinds the earliest become any
    kind."""
    if len(latest) > FORGOTTEN_MAX:
        surplus = sorted(latest, key=lambda kind: (latest[kind], kind))[: len(latest) - FORGOTTEN_MAX + 1]
        instants = [latest.pop(kind) for kind in surplus]
        latest[ANY_KIND] = max(*instants, latest.get(ANY_KIND, b""))
    return b"".join(sorted((instant + kind for kind, instant in latest.items()), reverse=True))


@lru_cache(maxsize=1_024)
def _begun(kind: type, source: str) -> tuple[bytes, blake2b]:
    """The mark of a kind, and the hash of an identity after the source: few sources send all events."""
    name = str(kind.__struct_config__.tag)  # type: ignore[attr-defined]
    return kind_mark(name, source), blake2b(f"{source}\x00".encode(), digest_size=FINGERPRINT_BYTES)


def _day(day: int) -> bytes:
    return max(0, day).to_bytes(DAY_BYTES, "big")
