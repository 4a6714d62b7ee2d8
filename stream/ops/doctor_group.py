"""Checks of the workers as a consumer group: are they there, and do they keep up."""

from __future__ import annotations

from collections.abc import Iterator

from stream.ops.cluster_view import Finding, View
from stream.ops.lag import Pace


def members(view: View) -> Iterator[Finding]:
    """Nobody at work, or more workers than there is work for."""
    group, wanted = view.settings.app_id, view.settings.partitions
    if view.group.members == 0:
        yield Finding(
            "workers", "fault", f"group {group} has no member: nobody reads", "start `stream worker`"
        )
    elif view.group.members > wanted:
        found = f"group {group} has {view.group.members} members for {wanted} partitions: some are idle"
        yield Finding("workers", "note", found, f"run at most {wanted} workers")
    else:
        yield Finding("workers", "ok", f"group {group} has {view.group.members} members")


def lag(view: View) -> Iterator[Finding]:
    """How far behind the end the committed offsets are, and offsets that cannot be right."""
    behind = 0
    for (topic, number), (low, high) in view.ends.items():
        if topic not in view.names.inputs:
            continue
        at = view.group.committed.get((topic, number), low)
        behind += max(high - at, 0)
        if at > high:
            found = f"{topic}/{number}: offset {at:,} was committed, but the topic ends at {high:,}"
            remedy = (
                "the topic was made anew: restore it, or send its history again and cut over to a new "
                "application id and new profiles (runbook)"
            )
            yield Finding("lag", "fault", found, remedy)
        elif at < low:
            found = f"{topic}/{number}: {low - at:,} records were deleted before anybody read them"
            yield Finding("lag", "fault", found, "see retention; send the lost events again")
    yield Finding("lag", "ok", f"{behind:,} events are waiting") if view.pace is None else _judged(view.pace)


def _judged(pace: Pace) -> Finding:
    """Much is waiting: a worker that keeps up or catches up is well, one that does neither is not."""
    found = f"{pace.waiting:,} events are waiting"
    if pace.read and pace.keeps_up:
        told = f"what the workers read in {pace.seconds_behind:.0f} s: they keep up, and commit by the step"
        return Finding("lag", "ok", f"{found}, {told}")
    if pace.shrinks:
        left = max(pace.seconds_left / 60, 0.1)
        rate = f"{(pace.read - pace.came) / pace.seconds:,.0f} a second fewer"
        told = f"catching up: {pace.waiting:,} events left, about {left:,.1f} minutes at the present pace"
        return Finding("lag", "note", f"{told} ({rate})")
    if pace.read > 0:
        found += f"; in {pace.seconds:.0f} s {pace.came:,} came and only {pace.read:,} were read"
        return Finding("lag", "fault", found, "start more workers, up to the partitions")
    remedy = "look at the workers' last log line and at /readyz: it says what a worker waits for"
    return Finding("lag", "fault", f"{found}, and none was read in {pace.seconds:.0f} s", remedy)


CHECKS = (members, lag)
