"""Stored rows of customers become rows of the read store: pure, apart from a line of log for a fault of ours.

This is nearly all the work of filling a store, and needs no order: other processes can do it
(stream/page/live/row_processes.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

from msgspec import Struct, field

from stream.core.facts.profile import Profile
from stream.core.facts.versions import ForeignProfileError, NewerVersionError, check_meaning
from stream.core.judgement.basis import Basis
from stream.core.judgement.standing import standing
from stream.page.entries import (
    NEWER_ROW,
    OTHER_MEANING,
    OUR_FAULT,
    UNREADABLE_ROW,
    CustomerEntry,
    OpenEntry,
    ProfileEntry,
    UnseenEntry,
    customer_entry,
    open_entries,
    packed,
)
from stream.page.faults import fault_places
from stream.page.sources.source import last_instant_ms
from stream.page.stored_profiles import read_for_lists
from stream.worker.rows.stored import UNREADABLE, profile_text, read_profile

log = logging.getLogger(__name__)


class NewRow(NamedTuple):
    """The newest record of a customer on the profiles topic."""

    customer: str
    value: bytes
    """Empty: there is no such customer any more."""
    partition: int


class Seen(Struct):
    """What rows come to."""

    customers: list[CustomerEntry] = field(default_factory=list)
    profiles: list[ProfileEntry] = field(default_factory=list)
    opened: list[OpenEntry] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    """Customers who have no row, or one that cannot be read: an older one would be wrong."""
    unseen: list[UnseenEntry] = field(default_factory=list)
    """Customers who cannot be looked at, and why."""


class Known(Struct):
    """Profiles that were read."""

    profiles: list[tuple[Profile, int, bytes]] = field(default_factory=list)
    """Each with its partition, and as JSON."""
    latest_ms: int = 0
    """The last instant that any of them knows of."""


def read_rows(
    rows: Iterable[NewRow],
    meaning: str,
    seen: Seen,
    read: Callable[[bytes], Profile] = read_for_lists,
) -> Known:
    """The profiles of these rows; what has none is added to `seen`. `meaning`: `Meaning.digest`. `read`: how
    much of each is read."""
    known = Known()
    for row in rows:
        found = _read(row, meaning, seen, read) if row.value else None
        if found is None or found[0].erased_ms:
            seen.erased.append(row.customer)
            continue
        profile, body = found
        known.profiles.append((profile, row.partition, body))
        known.latest_ms = max(known.latest_ms, last_instant_ms(profile))
    return known


def look_at(known: Known, now_ms: int, basis_of: Callable[[int], Basis], seen: Seen) -> None:
    """Add the rows of these profiles as of now. `basis_of`: of a partition."""
    for profile, partition, text in known.profiles:
        add_rows(seen, profile, now_ms, basis_of(partition), text)
        seen.profiles.append(ProfileEntry(profile.customer, packed(text)))


def _read(
    row: NewRow, meaning: str, seen: Seen, read: Callable[[bytes], Profile]
) -> tuple[Profile, bytes] | None:
    """The profile, and as JSON."""
    try:
        text = profile_text(row.value)
        if text is None:
            return None
        profile = read(text)
        check_meaning(profile.meaning, meaning)
    except UNREADABLE:
        why = UNREADABLE_ROW
    except NewerVersionError:
        why = NEWER_ROW
    except ForeignProfileError:
        why = OTHER_MEANING
    else:
        return profile, text
    seen.unseen.append(UnseenEntry(row.customer, why))
    return None


def add_rows(seen: Seen, profile: Profile, now_ms: int, basis: Basis, text: bytes = b"") -> None:
    """Add the rows of a customer as of now, or of their last judgement where that is later. `text`: the whole
    profile as JSON, for one that is in brief (`read_for_lists`), where more of it is asked for.

    What an open alert says in words is left to whoever looks at it: there are many, and they change all the
    time. A profile that our own rules cannot look at is logged, and its customer taken out: one row never
    stops the others. The profile is kept, so pages say how many there are (not_counted.py), and each round
    tries again.
    """
    as_of_ms = max(now_ms, last_instant_ms(profile))
    try:
        try:
            customer, opened = _rows(profile, as_of_ms, basis)
        except AttributeError:
            if not text:
                raise
            customer, opened = _rows(read_profile(text), as_of_ms, basis)
    except UNREADABLE:
        seen.unseen.append(UnseenEntry(profile.customer, UNREADABLE_ROW))
        return
    except Exception as fault:
        log.error("a profile cannot be looked at; its customer is left out: %s", fault_places(fault))
        seen.unseen.append(UnseenEntry(profile.customer, OUR_FAULT))
        return
    seen.customers.append(customer)
    seen.opened += opened


def _rows(profile: Profile, as_of_ms: int, basis: Basis) -> tuple[CustomerEntry, list[OpenEntry]]:
    now = standing(profile, as_of_ms, basis)
    customer = customer_entry(profile, as_of_ms, basis, now)
    return customer, list(open_entries(profile, as_of_ms, basis, now, brief=True))
