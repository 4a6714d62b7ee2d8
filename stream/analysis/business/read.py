"""The ledger of a recording, read in parts up to the end of a day."""

from __future__ import annotations

from collections.abc import Sequence

from stream.analysis.business.ledger import Ledger, read_ledger
from stream.analysis.fit_recording import last_instant_ms
from stream.core.policy.policy import Policy
from stream.recording.jobs import Jobs
from stream.recording.part import Part
from stream.recording.split import SplitEvents


def read_in_parts(jobs: Jobs, day_ms: int, days_ms: Sequence[int], policy: Policy) -> Ledger:
    """The ledger up to the end of a day, with snapshots at the ends of `days_ms` (midnights)."""
    return Ledger.joined(jobs.run("counting", count, day_ms, days_ms, policy))


def count(part: Part, day_ms: int, days_ms: Sequence[int], policy: Policy) -> Ledger:
    """The ledger of one part."""
    return read_ledger(
        SplitEvents(part.events(), last_instant_ms(day_ms, policy.calendar)).before(), days_ms, policy
    )
