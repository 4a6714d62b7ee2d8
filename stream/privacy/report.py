"""The report of an erasure: each store with what is left in it, and when that is gone."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from stream.worker.rows.bars import NOT_BARRED

When = Literal["now", "later", "by_owner"]
"""When a store forgets: it is rewritten at once; at a stated time by itself; or by who owns the topic."""
State = Literal["clean", "absent", "holds", "waits", "failed"]
"""Nothing is left; there is no such store; it holds something, as it may; something has to be done first; it
could not be looked at or rewritten."""


class OffsetRange(Struct, frozen=True):
    """Where records of the customer are in one partition; between them are those of others."""

    partition: int
    first: int
    last: int


class StoreReport(Struct, frozen=True, omit_defaults=True):
    """One store after (or, in a dry run, before) the erasure."""

    store: str
    forgets: When
    state: State
    left: int = 0
    """Records or rows of the customer that it still holds."""
    until: str = ""
    """When the last of them is gone, ISO 8601 in UTC; empty: now, or nobody knows."""
    note: str = ""
    """What is or was done, or has to be done."""
    offsets: tuple[OffsetRange, ...] = ()


class ErasureReport(Struct, frozen=True):
    """All stores. The customer is not named: the report may be kept."""

    operation: str
    """The id of the `customer.erased` event; empty in a dry run before the first one."""
    erased_at: str
    """Time of that event, ISO 8601 in UTC."""
    dry_run: bool
    barred: bool
    """Older events are turned away for ever (STREAM_ERASURE_KEY is set)."""
    stores: tuple[StoreReport, ...]

    @property
    def exit_code(self) -> int:
        """0: done, or all that can be; 1: something failed, or has to be done first."""
        return int(any(each.state in ("failed", "waits") for each in self.stores))


TITLES: dict[When, str] = {
    "now": "Rewritten now",
    "later": "Forgets by itself",
    "by_owner": "Only the owner of these topics can shorten them",
}


def report_lines(report: ErasureReport) -> list[str]:
    """The report in words."""
    done = report.operation or "none yet"
    lines = [f"operation {done}{f', erased at {report.erased_at}' if report.erased_at else ''}"]
    if report.dry_run:
        lines.append("dry run: nothing is sent and nothing is rewritten")
    if not report.barred:
        lines.append(NOT_BARRED)
    for when, title in TITLES.items():
        of_class = [each for each in report.stores if each.forgets == when]
        if of_class:
            lines += ["", title]
            lines += [f"  {_line(each)}" for each in of_class]
    return lines


def _line(each: StoreReport) -> str:
    left = f", {each.left:,} left" if each.left else ""
    until = f" until {each.until}" if each.until else ""
    places = ", ".join(f"{at.partition}: {at.first:,} to {at.last:,}" for at in each.offsets)
    offsets = f" (partition: offsets {places})" if places else ""
    note = f"; {each.note}" if each.note else ""
    return f"{each.store}: {each.state}{left}{until}{offsets}{note}"
