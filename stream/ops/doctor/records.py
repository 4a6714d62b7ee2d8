"""Checks of the newest records: their keys, contents and times, the profiles and the dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import cast

from confluent_kafka import Message

from stream.core.events.event import Event
from stream.core.facts.versions import NewerVersionError
from stream.core.units import DAY_MS
from stream.ops.cluster import message_headers, unread_batch
from stream.ops.doctor.cluster_view import ClusterFinding, ClusterView
from stream.wire import Decoded, Rejected, TopicKind, Unknown, decode, is_broadcast, partition_of
from stream.worker.kafka.topics import INPUTS, Role
from stream.worker.rows.codec import why_unread
from stream.worker.rows.stored import UNREADABLE, read_row

CLOCK_MS = 300_000
"""Five minutes: as far as two clocks may differ. The worker rejects events that are further in its future."""
BAD_SHARE_MAX = 0.01
"""Dead letters of the last day per stored event. One in a hundred is more than a few broken records."""


INTERNAL = b"\0"
"""First byte of the keys of the workers' own rows: their marks as writers, and the published model."""


def check_keys(view: ClusterView) -> Iterator[ClusterFinding]:
    """A customer whose events are in two partitions has two half profiles and wrong alerts."""
    sound, seen = True, 0
    for role in (*INPUTS, "profiles"):
        name = getattr(view.names, role)
        state = view.topics.get(name)
        keyed = [
            m
            for m in view.samples[role]
            if m.key() and not m.key().startswith(INTERNAL) and not _broadcast(role, m)
            if not _sent_again(view, name, m)
        ]
        if state is None or not keyed:
            continue
        seen += len(keyed)
        wrong = sum(partition_of(m.key(), state.partitions) != m.partition() for m in keyed)
        if wrong:
            sound = False
            found = f"{name}: {wrong:,} of the newest {len(keyed):,} keys are not where murmur2 puts them"
            remedy = (
                "set the producer's partitioner to murmur2_random (librdkafka's clients) or keep the default "
                "(Java clients); then `stream dlq redrive --reason wrong_partition`"
            )
            yield ClusterFinding("keys", "fault", found, remedy)
    if not seen:
        yield ClusterFinding("keys", "skipped", "no record with a customer's key on inputs or profiles")
    elif sound:
        yield ClusterFinding("keys", "ok", f"{seen:,} sampled keys are where murmur2 puts them")


def check_contents(view: ClusterView) -> Iterator[ClusterFinding]:
    """Decodes the newest records as a worker of this version would; not those that a redrive sent again."""
    sound, seen = True, 0
    for role in INPUTS:
        name = getattr(view.names, role)
        reasons: Counter[str] = Counter()
        unknown: Counter[str] = Counter()
        for message in view.samples[role]:
            if _sent_again(view, name, message):
                continue
            decoded = _decoded(role, message)
            if isinstance(decoded, Rejected):
                reasons[decoded.reason] += 1
            elif isinstance(decoded, Unknown):
                unknown[decoded.type] += 1
        seen += len(view.samples[role])
        if reasons:
            sound = False
            most = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(5))
            found = f"{name}: of the newest {len(view.samples[role]):,} records cannot be read: {most}"
            remedy = "compare the producer with schemas/; `stream dlq list` shows what is wrong with each"
            yield ClusterFinding("contents", "fault", found, remedy)
        if unknown:
            types = ", ".join(name for name, _ in unknown.most_common(5))
            yield ClusterFinding(
                "contents", "note", f"{name}: event types that this version ignores: {types}"
            )
    if not seen:
        yield ClusterFinding("contents", "skipped", "no record on the inputs")
    elif sound:
        yield ClusterFinding("contents", "ok", f"{seen:,} sampled events can be read")


def check_clocks(view: ClusterView) -> Iterator[ClusterFinding]:
    """The clocks of producers, brokers and this machine may differ by five minutes at most."""
    ahead: Counter[str] = Counter()
    for role in INPUTS:
        for message in view.samples[role]:
            if _event_ms(role, message) > view.now_ms + CLOCK_MS:
                ahead[getattr(view.names, role)] += 1
    for name, count in ahead.items():
        found = f"{name}: {count:,} of the newest events are more than 5 minutes in this machine's future"
        yield ClusterFinding("clocks", "fault", found, "set the producer's clock, or this machine's, by NTP")
    written = [m.timestamp()[1] for role in ("alerts", "deadletter") for m in view.samples[role]]
    lead_ms = max(written, default=0) - view.now_ms
    if lead_ms > CLOCK_MS:
        found = f"the brokers' clock is {lead_ms / 60_000:.0f} minutes ahead of this machine's"
        yield ClusterFinding("clocks", "fault", found, "set both by NTP")
    if not written and not any(view.samples[role] for role in INPUTS):
        yield ClusterFinding("clocks", "skipped", "no record on inputs, alerts or dead letters")
    elif not ahead and lead_ms <= CLOCK_MS:
        yield ClusterFinding("clocks", "ok", "no record is from the future")


def check_sources(view: ClusterView) -> Iterator[ClusterFinding]:
    """A note for each input without recent events: while purchases stall, workers judge no churn."""
    for role in INPUTS[:3]:
        name = getattr(view.names, role)
        last_ms = max((_event_ms(role, message) for message in view.samples[role]), default=0)
        quiet_ms = view.now_ms - last_ms
        if name not in view.topics:
            yield ClusterFinding("sources", "skipped", f"{name} does not exist")
        elif not last_ms:
            yield ClusterFinding("sources", "note", f"{name} has no event yet")
        elif quiet_ms > view.settings.stall_after_s * 1_000:
            found = f"{name}: the newest event is {quiet_ms / DAY_MS:.1f} days old"
            remedy = "is its producer running? (normal while history is replayed)"
            yield ClusterFinding("sources", "note", found, remedy)
        else:
            age_s = max(quiet_ms, 0) // 1_000
            yield ClusterFinding("sources", "ok", f"{name}: the newest event is {age_s} s old")


def check_profiles(view: ClusterView) -> Iterator[ClusterFinding]:
    """The profiles topic is the workers' memory: nobody else may write to it."""
    rows = [m for m in view.samples["profiles"] if not (m.key() or b"").startswith(INTERNAL)]
    if not rows:
        yield ClusterFinding("profiles", "skipped", "no row of a customer on the profiles topic")
        return
    keyless = sum(not message.key() for message in rows)
    deleted = sum(message.value() is None for message in rows)
    foreign, newer = _what_is_no_row(rows)
    if newer:
        found = f"{view.names.profiles}: {newer[0]}"
        remedy = "workers of this version stop at such a row; runbook, `Rows of another version`"
        yield ClusterFinding("profiles", "fault", found, remedy)
    if foreign:
        found = f"{view.names.profiles}: {len(foreign):,} of the newest {len(rows):,} records are no profiles"
        places = ", ".join(foreign[:5])
        remedy = (
            f"their customers start anew (partition/offset: {places}): find who else writes to this topic"
        )
        yield ClusterFinding("profiles", "fault", found, remedy)
    if keyless:
        found = f"{view.names.profiles}: {keyless:,} of the newest {len(rows):,} records have no key"
        remedy = "find who else writes to this topic; only workers may"
        yield ClusterFinding("profiles", "fault", found, remedy)
    elif deleted * 2 > len(rows):
        found = f"{view.names.profiles}: {deleted:,} of the newest {len(rows):,} records delete a profile"
        remedy = "was this a mass erasure? If not, stop the writer and restore"
        yield ClusterFinding("profiles", "fault", found, remedy)
    elif not foreign and not newer:
        yield ClusterFinding("profiles", "ok", f"{len(rows):,} sampled rows, {deleted:,} of them erasures")


def check_dead_letters(view: ClusterView) -> Iterator[ClusterFinding]:
    """Dead letters of the last day that were not sent again, compared with the events on the inputs."""
    found = view.letters
    reasons = Counter(found.open)
    letters = reasons.total()
    events = sum(high - low for (name, _), (low, high) in view.ends.items() if name in view.names.inputs)
    more = f"; {found.redriven:,} others were sent again" if found.redriven else ""
    more += f" ({found.unread:,} older records were not looked at)" if found.unread else ""
    if view.names.deadletter not in view.topics:
        yield ClusterFinding("dead letters", "skipped", f"{view.names.deadletter} does not exist")
    elif not events and not letters and not found.redriven:
        yield ClusterFinding("dead letters", "skipped", "no event that could have been rejected")
    elif letters and letters > BAD_SHARE_MAX * events:
        most = ", ".join(f"{n} {reason}" for reason, n in reasons.most_common(5))
        text = f"{letters:,} dead letters within a day for {events:,} events: {most}{more}"
        remedy = "`stream dlq list` shows what is wrong; after the fix `stream dlq redrive --all`"
        yield ClusterFinding("dead letters", "fault", text, remedy)
    else:
        text = f"{letters:,} within a day for {events:,} events{more}"
        yield ClusterFinding("dead letters", "ok", text)
    if found.foreign:
        count, first = len(found.foreign), found.foreign[0]
        text = f"{view.names.deadletter}: {count:,} of the newest records are not ours: {first}"
        remedy = "find who else writes to this topic; deny it by ACL"
        yield ClusterFinding("dead letters", "fault", text, remedy)


def _sent_again(view: ClusterView, topic: str, message: Message) -> bool:
    """Whether the record was rejected, and a redrive sent it again."""
    return f"{topic}/{message.partition()}/{message.offset()}" in view.letters.done


def _what_is_no_row(rows: Sequence[Message]) -> tuple[list[str], list[str]]:
    """Places (partition/offset) of records that are no rows; and why rows of later versions are refused."""
    foreign, newer = [], []
    for message in rows:
        value = message.value()
        try:
            if value is not None:
                read_row(value)
        except NewerVersionError as refused:
            newer.append(str(refused))
        except UNREADABLE:
            foreign.append(f"{message.partition()}/{message.offset()}")
    return foreign, newer


def _decoded(role: Role, message: Message) -> Decoded:
    unread = unread_batch(message)
    if unread is not None:
        return why_unread(unread)
    return decode(cast(TopicKind, role), message.key(), message.value(), message_headers(message))


def _event_ms(role: Role, message: Message) -> int:
    """Event time in milliseconds since 1970; 0 for a record that is no event."""
    event = _decoded(role, message)
    return event.time_ms if isinstance(event, Event) else 0


def _broadcast(role: Role, message: Message) -> bool:
    """Whether the event goes to every partition, whatever its key."""
    event = _decoded(role, message) if role == "control" else None
    return isinstance(event, Event) and is_broadcast(event)


CHECKS = (check_keys, check_contents, check_clocks, check_sources, check_profiles, check_dead_letters)
