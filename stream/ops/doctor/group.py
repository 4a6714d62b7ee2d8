"""Checks of the workers as a consumer group: whether they run, and whether they keep up."""

from __future__ import annotations

from collections.abc import Iterator

from stream.core.units import SECOND_MS
from stream.ops.doctor.cluster_view import ClusterFinding, ClusterView
from stream.ops.doctor.lag import LagTrend

TRANSACTION_S = 60
"""Producers end their transactions within seconds; one that is open for longer has been forgotten."""


def check_members(view: ClusterView) -> Iterator[ClusterFinding]:
    """A fault when nobody reads; a note when some workers have no partition, or nothing was ever written."""
    group, wanted = view.settings.app_id, view.settings.partitions
    if view.group.problem:
        yield _unread(view, "workers")
    elif view.group.members == 0 and not view.group.committed and not _ever_written(view):
        found = f"group {group} has no member yet, and there is no event to read"
        yield ClusterFinding("workers", "note", found, "start `stream worker`")
    elif view.group.members == 0:
        found = f"group {group} has no member: nobody reads"
        yield ClusterFinding("workers", "fault", found, "start `stream worker`")
    elif view.group.members > wanted:
        found = f"group {group} has {view.group.members} members for {wanted} partitions: some are idle"
        yield ClusterFinding("workers", "note", found, f"run at most {wanted} workers")
    else:
        members = "1 member" if view.group.members == 1 else f"{view.group.members} members"
        yield ClusterFinding("workers", "ok", f"group {group} has {members}")


def check_lag(view: ClusterView) -> Iterator[ClusterFinding]:
    """How many events are not committed yet, and committed offsets that the topics do not have."""
    if view.group.problem:
        yield _unread(view, "lag")
        return
    if not any(topic in view.names.inputs for topic, _ in view.ends):
        yield ClusterFinding("lag", "skipped", "no input topic exists")
        return
    behind = 0
    for (topic, number), (low, high) in view.ends.items():
        if topic not in view.names.inputs:
            continue
        at = view.group.committed.get((topic, number), low)
        behind += max(high - at, 0)
        hidden = view.transactions.get((topic, number))
        if at > (end := high if hidden is None else hidden.end):
            found = f"{topic}/{number}: offset {at:,} was committed, but the topic ends at {end:,}"
            remedy = (
                "the topic was deleted and created again: restore it, or send its history again and cut over "
                "to a new application id and new profiles (runbook)"
            )
            yield ClusterFinding("lag", "fault", found, remedy)
        elif at < low:
            found = f"{topic}/{number}: {low - at:,} records were deleted before anybody read them"
            yield ClusterFinding("lag", "fault", found, "see retention; send the lost events again")
    if view.trend is None:
        yield ClusterFinding("lag", "ok", f"{behind:,} events are waiting")
    else:
        yield judge_trend(view.trend)


def _ever_written(view: ClusterView) -> bool:
    """Whether an input ever held a record: its next offset says so, also when the record is deleted."""
    return any(end for (topic, _), (_, end) in view.ends.items() if topic in view.names.inputs)


def _unread(view: ClusterView, check: str) -> ClusterFinding:
    """The finding of a check of the group where the brokers do not show it."""
    found = f"group {view.settings.app_id} could not be read: {view.group.problem}"
    return ClusterFinding(check, "skipped", found, "allow this user to describe the group (ACL)")


def judge_trend(trend: LagTrend) -> ClusterFinding:
    """A large lag is fine when the workers keep up, a note when they catch up, otherwise a fault."""
    found = f"{trend.lag:,} events are waiting"
    if trend.read and trend.keeps_up:
        why = (
            f"as many as the workers read in {trend.seconds_behind:.0f} s: they keep up, and commit in steps"
        )
        return ClusterFinding("lag", "ok", f"{found}, {why}")
    if trend.shrinks:
        left = max(trend.seconds_left / 60, 0.1)
        rate = f"{(trend.read - trend.arrived) / trend.seconds:,.0f} fewer each second"
        found = (
            f"catching up: {trend.lag:,} events left, about {left:,.1f} minutes at the current rate ({rate})"
        )
        return ClusterFinding("lag", "note", found)
    if trend.read > 0:
        found += f"; in {trend.seconds:.0f} s {trend.arrived:,} arrived and only {trend.read:,} were read"
        return ClusterFinding("lag", "fault", found, "start more workers, at most one per partition")
    remedy = "read the workers' last log line and their /readyz: it names what a worker waits for"
    return ClusterFinding("lag", "fault", f"{found}, and none was read in {trend.seconds:.0f} s", remedy)


def check_transactions(view: ClusterView) -> Iterator[ClusterFinding]:
    """Workers read committed records only: an open transaction hides everything behind its beginning."""
    if not any(topic in view.names.inputs for topic, _ in view.ends):
        yield ClusterFinding("transactions", "skipped", "no input topic exists")
        return
    sound = True
    for (topic, number), found in view.transactions.items():
        open_s = None if found.since_ms is None else (view.now_ms - found.since_ms) / SECOND_MS
        if open_s is not None and open_s < TRANSACTION_S:
            continue
        sound = False
        named = f" (transactional id {found.transactional_id})" if found.transactional_id else ""
        since = "" if open_s is None else f" for {open_s:,.0f} s"
        text = (
            f"{topic}/{number}: a transaction of producer {found.producer_id}{named} is open{since}; what "
            f"follows offset {found.offset:,} is not read until it ends"
        )
        remedy = (
            "stop or repair that producer; if it is gone: kafka-transactions.sh abort "
            f"--topic {topic} --partition {number} --start-offset {found.offset} (runbook, OpenTransaction)"
        )
        yield ClusterFinding("transactions", "note" if open_s is None else "fault", text, remedy)
    if sound:
        yield ClusterFinding("transactions", "ok", "no transaction hides events for long")


CHECKS = (check_members, check_lag, check_transactions)
