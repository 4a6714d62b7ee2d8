"""What every command says about recorded events: as of when, what was set aside, what is odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from stream.commands.parameters import Instant
from stream.commands.shown import echo
from stream.core.alerts.alert import rfc3339
from stream.printable import printable
from stream.recording.far_events import GAP_MIN_DAYS, PAUSES_MIN
from stream.recording.recording import Recording
from stream.wire import Reason
from stream.wording.wrap import for_terminal

SHOWN_MAX = 5
"""So many lines of each kind are named; the rest is counted."""

now_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--now",
    "now_ms",
    type=Instant(),
    default="now",
    help="Set aside events after this time (UTC), as a worker does. [default: the clock at the start]",
)
"""Adds --now, in milliseconds since 1970: the only place where these commands read the clock."""


JOBS = click.IntRange(1, 1_024)
jobs_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--jobs",
    type=JOBS,
    metavar="N",
    help="Processes to use; the output does not change. [default: one for each core]",
)
"""Adds --jobs: a number, or None for the default."""


class UnfitDataError(click.ClickException):
    """The options ask for what the events do not hold; the line says what would fit. Exit code 2."""

    exit_code = 2


def print_notes(notes: Iterable[str]) -> None:
    """Each note as one line of standard error."""
    for note in notes:
        echo(for_terminal(f"note: {note}", err=True), err=True)


@contextmanager
def reported(recording: Recording, *, as_json: bool) -> Iterator[Recording]:
    """The recording; at the end, also after an error, what is to be said about it is printed."""
    try:
        yield recording
    finally:
        print_set_aside(recording, as_json=as_json)


def print_set_aside(recording: Recording, *, as_json: bool) -> None:
    """Print the as-of time, what was not read as an event, and events far from the rest, to standard error.

    Call it when the events have been read: before that, lines may still turn out to be none.
    """
    if not as_json:  # there it is a field: as_of_fields
        echo(f"events up to {rfc3339(recording.now_ms)} (--now)", err=True)
    aside, future = recording.unreadable, recording.in_future
    others = [line for line in aside if line.reason != Reason.TIME_IN_FUTURE]
    for line in (*future[:SHOWN_MAX], *others[:SHOWN_MAX]):
        echo(printable(f"{line.path}:{line.line}: {line.reason}: {line.detail}"), err=True)
    if aside:
        reasons = Counter(line.reason for line in aside)
        counts = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
        were = "line was" if len(aside) == 1 else "lines were"
        echo(f"{len(aside):,} {were} set aside: {counts}", err=True)
    if count := recording.unknown:
        were, types = ("event was", "its type is") if count == 1 else ("events were", "their types are")
        echo(f"{count:,} {were} not used: {types} not known to this version", err=True)
    print_notes(far_notes(recording))


def far_notes(recording: Recording) -> list[str]:
    """One note that names the events far from the rest; none where there are none."""
    far = recording.far_events()
    if not far:
        return []
    named = ", ".join(f"{one.path}:{one.line} ({rfc3339(one.at_ms)[:10]})" for one in far[:SHOWN_MAX])
    more = f" and {len(far) - SHOWN_MAX} more" if len(far) > SHOWN_MAX else ""
    events = "1 event is" if len(far) == 1 else f"{len(far)} events are"
    return [
        f"{events} far from the rest (more than {GAP_MIN_DAYS} days, and {PAUSES_MIN} times its longest "
        f"pause): {named}{more}; they count: are their times right?"
    ]


def future_notes(recording: Recording) -> list[str]:
    """A note for outputs: how many events after the as-of time were left out; none where there were none."""
    count = len(recording.in_future)
    events = "1 event" if count == 1 else f"{count:,} events"
    return [f"{events} after {rfc3339(recording.now_ms)} left out."] if count else []


def as_of_fields(recording: Recording) -> dict[str, object]:
    """The fields of a command's JSON object about its recorded events."""
    return {
        "now": rfc3339(recording.now_ms),
        "in_future": len(recording.in_future),
        "refused_lines": len(recording.unreadable),
    }
