"""Checks of the workers as a consumer group: are they there, and do they keep up."""

from __future__ import annotations

from collections.abc import Iterator

from stream.operate.view import Finding, View

LAG_MAX = 100_000


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
                "the topic was made anew: start a new application id (STREAM_APP_ID), or restore the topic"
            )
            yield Finding("lag", "fault", found, remedy)
        elif at < low:
            found = f"{topic}/{number}: {low - at:,} records were deleted before anybody read them"
            yield Finding("lag", "fault", found, "see retention; send the lost events again")
    if behind > LAG_MAX:
        yield Finding(
            "lag", "fault", f"{behind:,} events are waiting", "start more workers, up to the partitions"
        )
    else:
        yield Finding("lag", "ok", f"{behind:,} events are waiting")


CHECKS = (members, lag)
