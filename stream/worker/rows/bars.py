"""Bars: what is kept of an erased customer so that no older event makes them again, without their id.

With STREAM_ERASURE_KEY the stub of an erased customer (when, and how many alerts and episodes there were) is
kept for ever in a row of its own, under a pseudonym of the id: a keyed hash (docs/decisions/0041). First it
is in the row of the customer, as it is without a key for a week. When what that row has applied is
committed, a timer of the row writes the bar; and when that is committed, the row is deleted. So wherever the
worker dies, a bar without a row is of an erasure that does not come again. A customer without a row is looked
for among the bars, and for the core the stub is there. Who comes back has a row again, which says until when
older events are turned away.
"""

from __future__ import annotations

from stream.core.facts.profile import (
    ERASURE_GRACE_MS,
    EVERYTHING,
    NOTHING,
    Profile,
    ShadowJudgement,
    new_profile,
)
from stream.core.step import Step, numbered, numbers_of
from stream.core.units import DAY_MS
from stream.engine import Lane
from stream.pseudonyms import ERASED, Pseudonyms
from stream.worker.rows.row import OWN_ROWS, LiveRow, StoredRow

SOON_MS = 5_000
"""Event time after an erasure until the bar is written, if all is committed by then; else twice that, and so
on."""
BAR_KEY = OWN_ROWS + b"erased\0"
"""What the key of a bar begins with; the pseudonym follows."""
NOT_BARRED = (
    f"STREAM_ERASURE_KEY is not set: from {ERASURE_GRACE_MS // DAY_MS} days of event time after an erasure "
    "on, older events that are sent again make the customer again"
)
"""What is to be known where there are no bars."""
REMEDY = "give the same secret to worker, dashboard, deliver and commands (docs/privacy.md)"


class ErasureBars:
    """The bars of the partitions of one worker. `keys`: STREAM_ERASURE_KEY; without one there are none."""

    def __init__(self, keys: str) -> None:
        self._pseudonyms = Pseudonyms(keys, ERASED)

    def row_of(self, lane: Lane[LiveRow], key: bytes) -> LiveRow | None:
        """The row that an erased customer would have, in place of one that is not there; None: not erased.

        It is the lane's only after `put`. `key` is the customer id.
        """
        bar = self._bar(lane, key)
        if bar is None or bar.profile is None:
            return None
        stub = _stub(bar.profile, key.decode(), bar.profile.erased_ms)
        return LiveRow(StoredRow(dict(bar.applied), shadow=_numbers(bar.shadow), profile=stub))

    def turned_away(self, row: LiveRow | None, at_ms: int | None) -> Step | None:
        """What an event leads to that is from before the erasure of a customer who came back; None: it is
        not."""
        if row is None or at_ms is None or at_ms > row.barred_ms:
            return None
        return Step(row.profile, (), "erased", changed=NOTHING)

    def came_back(self, row: LiveRow, after: Profile | None) -> None:
        """Note in a row, before it gets another profile, that its customer was erased until now."""
        before = row.profile
        if self._pseudonyms and before is not None and before.erased_ms and after and not after.erased_ms:
            row.barred_ms = before.erased_ms

    def put(self, lane: Lane[LiveRow], key: bytes, row: LiveRow) -> bool:
        """Keep a stub. False: without a key it stays as it is."""
        stub = row.profile
        if not self._pseudonyms or stub is None or key.startswith(OWN_ROWS):
            return False
        bar = self._bar(lane, key)
        barred_ms = bar.profile.erased_ms if bar is not None and bar.profile is not None else 0
        if lane.get(key) is not None or stub.erased_ms > barred_ms:
            stub.next_review_ms, row.barred_ms = stub.erased_ms + SOON_MS, 0
            lane.put(key, row)
        return True

    def due(self, lane: Lane[LiveRow], key: bytes, row: LiveRow, at_ms: int) -> bool:
        """The timer of a stub: write the bar, and delete the row when that is committed. False: the row is no
        stub, or there is no key."""
        stub = row.profile
        if not self._pseudonyms or stub is None or not stub.erased_ms:
            return False
        if any(lane.committed_offset(topic) < offset for topic, offset in row.applied.items()):
            stub.next_review_ms = at_ms + max(SOON_MS, at_ms - stub.erased_ms)
            lane.put(key, row)
            return True
        self._keep(lane, key, stub, row)
        stub.next_review_ms = at_ms + ERASURE_GRACE_MS  # again, should the worker die before that commit
        lane.delete_after(key, row, row.applied)
        return True

    def _keep(self, lane: Lane[LiveRow], key: bytes, stub: Profile, row: LiveRow) -> None:
        """Write the bar, unless it says the same already."""
        bar = self._bar(lane, key)
        kept = _stub(stub, "", stub.erased_ms)
        if bar is not None and bar.profile is not None:
            if bar.profile.erased_ms >= kept.erased_ms:
                return
            bar.profile, bar.applied, bar.changed = kept, dict(row.applied), EVERYTHING
        else:
            bar = LiveRow(StoredRow(dict(row.applied), profile=kept))
        bar.shadow = _numbers(row.shadow)
        lane.put(BAR_KEY + self._pseudonyms.of(key).encode(), bar)

    def _bar(self, lane: Lane[LiveRow], key: bytes) -> LiveRow | None:
        for pseudonym in self._pseudonyms.all_of(key):
            bar = lane.get(BAR_KEY + pseudonym.encode())
            if bar is not None:
                return bar
        return None


def _stub(before: Profile, customer: str, erased_ms: int) -> Profile:
    """A profile without facts, as that of an erased customer is, under an id, or under none."""
    stub = numbered(new_profile(customer, before.meaning), before)
    stub.erased_ms = erased_ms
    return stub


def _numbers(shadow: ShadowJudgement | None) -> ShadowJudgement | None:
    """How many alerts and episodes there were by a shadow policy, which counts on as the customer does."""
    return None if shadow is None else ShadowJudgement(shadow.begun, numbers_of(shadow.judgement))
