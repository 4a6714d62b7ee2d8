"""Risk, worth and order as of now for all customers, also those of whom nothing comes: looked at in rounds.

A round goes through all rows in slices of a few, so that pages and news are never held up. It reads all of
each profile, and so finds what a quick first filling could not know: a part of one that cannot be read. Of
each row only what has changed is written. The next begins after a pause: twenty times as long as the last
round took, at least a minute and at most an hour.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from stream.core.judgement.basis import Basis
from stream.page.entries import UNREADABLE_ROW, UnseenEntry
from stream.page.live.looking import Seen, add_rows
from stream.page.store.store import Batch, ReadStore
from stream.page.stored_profiles import whole_profile

SLICE_ROWS = 400
"""Looked at and written together, in about 40 ms."""
PAUSE_MIN_S, PAUSE_MAX_S, PAUSE_FACTOR = 60.0, 3_300.0, 20.0
KEPT_ALERTS_MS = 400 * 86_400_000
"""As long as the topics keep them by default."""
ORPHANS_AT_ONCE = 500


class Rounds:
    """One `step` at a time, by the thread that writes the store."""

    def __init__(
        self,
        store: ReadStore,
        basis_of: Callable[[str], Basis],
        now_ms: Callable[[], int],
        clock_s: Callable[[], float] = time.monotonic,
        pause_min_s: float = PAUSE_MIN_S,
    ) -> None:
        """`basis_of`: policy and model that a customer is looked at with."""
        self._store, self._basis_of, self._now_ms, self._clock_s = store, basis_of, now_ms, clock_s
        self._pause_min_s = pause_min_s
        self._after: str | int | None = None
        """The place of the last customer of the round; None between two rounds."""
        self._as_of_ms = 0
        self._began_s = self._due_s = 0.0
        self._orphans: set[str] = set()

    @property
    def running(self) -> bool:
        """Whether a round has begun and not ended."""
        return self._after is not None

    def begin_at_once(self) -> None:
        """All rows are to be looked at anew: a model was published, or the store was just filled."""
        self._after, self._due_s = None, 0.0

    def step(self) -> bool:
        """Look at the next few customers; False when there is nothing to do now."""
        if self._after is None:
            if self._clock_s() < self._due_s:
                return False
            if self._now_ms() == self._as_of_ms and self._due_s:
                return False
            self._after, self._as_of_ms, self._began_s = (
                self._store.before_all,
                self._now_ms(),
                self._clock_s(),
            )
        if not self._slice(self._after):
            self._end()
        return True

    def _slice(self, after: str | int) -> bool:
        """In one transaction: what was erased meanwhile by another process is not written again."""
        place = self._store.in_order_of
        sql = f"SELECT {place}, customer, body FROM profiles WHERE {place} > ? ORDER BY {place} LIMIT ?"
        seen = Seen()
        with self._store.together() as own:
            found = own.rows(sql, [after, SLICE_ROWS])
            for self._after, customer, body in found:
                profile = whole_profile(body)
                if profile is None:
                    seen.unseen.append(UnseenEntry(customer, UNREADABLE_ROW))
                else:
                    add_rows(seen, profile, self._as_of_ms, self._basis_of(customer))
            self._store.write(Batch(customers=seen.customers, opened=seen.opened, unseen=seen.unseen))
        return bool(found)

    def _end(self) -> None:
        took_s = self._clock_s() - self._began_s
        self._due_s = self._clock_s() + min(max(PAUSE_FACTOR * took_s, self._pause_min_s), PAUSE_MAX_S)
        self._after = None
        self._forget()
        self._store.finish(self._as_of_ms, ())

    def _forget(self) -> None:
        """Alerts and words about nobody: of customers who are gone. One may come before its first row, so
        only those are taken away that had none at the end of the round before either."""
        orphans: set[str] = set()
        with self._store.reading() as reading:
            for table in ("alerts", "actions", "mutes"):
                sql = (
                    f"SELECT DISTINCT t.customer FROM {table} t WHERE NOT EXISTS "
                    "(SELECT 1 FROM customers c WHERE c.customer = t.customer) AND NOT EXISTS "
                    "(SELECT 1 FROM unseen u WHERE u.customer = t.customer) LIMIT ?"
                )
                orphans |= {row[0] for row in reading.rows(sql, [ORPHANS_AT_ONCE])}
        self._store.forget(sorted(orphans & self._orphans), self._as_of_ms - KEPT_ALERTS_MS)
        self._orphans = orphans
