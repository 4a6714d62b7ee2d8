"""What a row says to other programs, on the topic of profile views: written when that has changed.

A view leaves in the same batch as the row that it is of (docs/decisions/0037). The row keeps the digest of
what was sent last, and the flush that carried it. If a crash came between row and view, that flush was not
committed, and the engine names the row at the next start (`Unsent`): its view is written again. A row
without a digest, of a worker that wrote no views, is named as well, so every customer has a view once a
worker with `STREAM_PROFILES_VIEW=on` has started.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from hashlib import blake2b

from stream.core.judgement.basis import Basis
from stream.core.view.build import holds_as_of_ms, profile_view
from stream.engine import Lane, Outgoing
from stream.wire import encode_profile_view, profile_view_headers
from stream.worker.rows.row import NO_VIEW, OWN_ROWS, LiveRow

log = logging.getLogger("stream.worker")
DIGEST_BYTES = 8


class ViewWriter:
    """Gives the engine the view of each row that is about to be written, if it says something new."""

    def __init__(self, topic: str, basis_of: Callable[[Lane[LiveRow]], Basis]) -> None:
        self._topic = topic
        self._basis_of = basis_of
        self.written = 0
        """Views and tombstones that were handed to the producer."""

    def __call__(self, lane: Lane[LiveRow], key: bytes, row: LiveRow) -> Outgoing | None:
        """See `Lane.write_beside`. The row's `view` and `view_flush` are set for what is returned."""
        if key.startswith(OWN_ROWS):
            return None
        try:
            value = self._value(row, self._basis_of(lane))
        except (ValueError, OverflowError) as wrong:  # the row itself is set right by LiveRow.set_right
            log.error("the view of a customer was not written: %s", wrong)
            return None
        digest = NO_VIEW if value is None else blake2b(value, digest_size=DIGEST_BYTES).hexdigest()
        if digest == row.view:
            if row.view_flush and row.view_flush <= lane.committed_flush:
                row.view_flush = 0
            return None
        row.view, row.view_flush = digest, lane.flush_number
        self.written += 1
        return self._record(lane, key, row, digest, value)

    def gone(self, lane: Lane[LiveRow], key: bytes) -> None:
        """A row was deleted, but perhaps a replaced worker wrote its view after that: delete it once more."""
        lane.send(self._topic, key, None, None, lane.partition, row=key)

    def _value(self, row: LiveRow, basis: Basis) -> bytes | None:
        view = profile_view(row.profile, basis) if row.profile is not None else None
        return None if view is None else encode_profile_view(view)

    def _record(
        self, lane: Lane[LiveRow], key: bytes, row: LiveRow, digest: str, value: bytes | None
    ) -> Outgoing:
        headers = None
        if row.profile is not None and value is not None:
            headers = profile_view_headers(row.profile.customer, digest, holds_as_of_ms(row.profile))
        return Outgoing(self._topic, key, value, headers, lane.partition)
