"""Checks of the newest records: keys, contents, clocks, profiles and dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import cast

import msgspec
from confluent_kafka import Message

from stream.core.events.event import Event
from stream.ops.cluster import headers_of
from stream.ops.cluster_view import Finding, View
from stream.wire import Decoded, Reason, Rejected, TopicKind, Unknown, decode, is_broadcast, partition_of
from stream.worker.kafka.topics import INPUTS, Role
from stream.worker.rows.row import StoredRow

CLOCK_MS = 300_000
DAY_MS = 86_400_000
BAD_SHARE_MAX = 0.01


def keys(view: View) -> Iterator[Finding]:
    """A customer in two partitions has two half profiles and wrong alerts."""
    sound, seen = True, 0
    for role in (*INPUTS, "profiles"):
        name = getattr(view.names, role)
        state = view.topics.get(name)
        keyed = [
            m
            for m in view.samples[role]
            if m.key() and not m.key().startswith(b"\0") and not _broadcast(role, m)
        ]
        if state is None or not keyed:
            continue
        seen += len(keyed)
        wrong = sum(partition_of(m.key(), state.partitions) != m.partition() for m in keyed)
        if wrong:
            sound = False
            found = f"{name}: {wrong:,} of the newest {len(keyed):,} keys are not where murmur2 puts them"
            remedy = (
                "set the producer's partitioner to murmur2_random (librdkafka's clients) or leave Java's "
                "default; then `stream dlq redrive --reason wrong_partition`"
            )
            yield Finding("keys", "fault", found, remedy)
    if sound:
        yield Finding("keys", "ok", f"{seen:,} sampled keys lie where murmur2 puts them")


def contents(view: View) -> Iterator[Finding]:
    """What this version of the program would make of the newest records."""
    sound, seen = True, 0
    for role in INPUTS:
        name = getattr(view.names, role)
        reasons: Counter[str] = Counter()
        unknown: Counter[str] = Counter()
        for message in view.samples[role]:
            decoded = _decoded(role, message)
            if isinstance(decoded, Rejected):
                reasons[decoded.reason] += 1
            elif isinstance(decoded, Unknown):
                unknown[decoded.type] += 1
        seen += len(view.samples[role])
        if reasons:
            sound = False
            told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(5))
            found = f"{name}: of the newest {len(view.samples[role]):,} records cannot be read: {told}"
            remedy = "compare the producer with schemas/; `stream dlq list` shows where each is wrong"
            yield Finding("contents", "fault", found, remedy)
        if unknown:
            told = ", ".join(name for name, _ in unknown.most_common(5))
            yield Finding("contents", "note", f"{name}: types this version passes by: {told}")
    if sound:
        yield Finding("contents", "ok", f"{seen:,} sampled events can be read")


def clocks(view: View) -> Iterator[Finding]:
    """Producers, brokers and this machine must agree on now to five minutes."""
    ahead: Counter[str] = Counter()
    for role in INPUTS:
        for message in view.samples[role]:
            if _event_ms(role, message) > view.now_ms + CLOCK_MS:
                ahead[getattr(view.names, role)] += 1
    for name, count in ahead.items():
        found = f"{name}: {count:,} of the newest events are more than 5 minutes in this machine's future"
        yield Finding("clocks", "fault", found, "set the producer's clock, or this machine's, by NTP")
    written = [m.timestamp()[1] for role in ("alerts", "deadletter") for m in view.samples[role]]
    lead_ms = max(written, default=0) - view.now_ms
    if lead_ms > CLOCK_MS:
        found = f"the brokers' clock is {lead_ms / 60_000:.0f} minutes ahead of this machine's"
        yield Finding("clocks", "fault", found, "set both by NTP")
    if not ahead and lead_ms <= CLOCK_MS:
        yield Finding("clocks", "ok", "no record comes from the future")


def sources(view: View) -> Iterator[Finding]:
    """A source that fell silent: its customers' silence is then not held against them."""
    for role in INPUTS[:3]:
        name = getattr(view.names, role)
        last_ms = max((_event_ms(role, message) for message in view.samples[role]), default=0)
        quiet_ms = view.now_ms - last_ms
        if name not in view.topics:
            continue
        if not last_ms:
            yield Finding("sources", "note", f"{name} has no event yet")
        elif quiet_ms > view.settings.stall_after_s * 1_000:
            found = f"{name}: the newest event is {quiet_ms / DAY_MS:.1f} days old"
            yield Finding("sources", "note", found, "is its producer running? (a replay of history is fine)")
        else:
            yield Finding("sources", "ok", f"{name}: the newest event is {max(quiet_ms, 0) // 1_000} s old")


def profiles(view: View) -> Iterator[Finding]:
    """The profiles topic is the workers' memory: nobody else may write it."""
    rows = view.samples["profiles"]
    keyless = sum(not message.key() for message in rows)
    gone = sum(message.value() is None for message in rows)
    strange = [f"{m.partition()}/{m.offset()}" for m in rows if m.value() is not None and not _is_row(m)]
    if strange:
        found = f"{view.names.profiles}: {len(strange):,} of the newest {len(rows):,} records are no profiles"
        remedy = f"workers stop at them (partition/offset: {', '.join(strange[:5])}): who else writes there?"
        yield Finding("profiles", "fault", found, remedy)
    if keyless:
        found = f"{view.names.profiles}: {keyless:,} of the newest {len(rows):,} records have no key"
        yield Finding("profiles", "fault", found, "find who writes it beside the workers; only they may")
    elif rows and gone * 2 > len(rows):
        found = f"{view.names.profiles}: {gone:,} of the newest {len(rows):,} records delete a profile"
        yield Finding(
            "profiles", "fault", found, "was this a mass erasure? If not, stop the writer and restore"
        )
    elif not strange:
        yield Finding("profiles", "ok", f"{len(rows):,} sampled rows, {gone:,} of them erasures")


def dead_letters(view: View) -> Iterator[Finding]:
    """Rejected in the last day, against what came in."""
    letters = [
        message
        for message in view.samples["deadletter"]
        if message.timestamp()[1] > view.now_ms - DAY_MS and _reason(message)
    ]
    read = sum(high - low for (name, _), (low, high) in view.ends.items() if name in view.names.inputs)
    if letters and len(letters) > BAD_SHARE_MAX * read:
        told = ", ".join(f"{n} {reason}" for reason, n in Counter(map(_reason, letters)).most_common(5))
        found = f"{len(letters):,} dead letters within a day for {read:,} events: {told}"
        remedy = "`stream dlq list` says what is wrong; after the fix `stream dlq redrive --all`"
        yield Finding("dead letters", "fault", found, remedy)
    else:
        yield Finding("dead letters", "ok", f"{len(letters):,} within a day for {read:,} events")


def _reason(message: Message) -> str:
    """Why a letter is there, in our words or `other`; empty for what is no letter."""
    headers = dict(headers_of(message))
    told = headers.get("x-dlq-reason") or headers.get("__connect.errors.exception.class.name")
    if not told:
        return ""
    reason = told.decode("utf-8", "replace")
    return reason if reason in set(Reason) else "other"


def _is_row(message: Message) -> bool:
    try:
        msgspec.json.decode(message.value() or b"", type=StoredRow)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _decoded(role: Role, message: Message) -> Decoded:
    return decode(cast(TopicKind, role), message.key(), message.value(), headers_of(message))


def _event_ms(role: Role, message: Message) -> int:
    event = _decoded(role, message)
    return event.time_ms if isinstance(event, Event) else 0


def _broadcast(role: Role, message: Message) -> bool:
    event = _decoded(role, message) if role == "control" else None
    return isinstance(event, Event) and is_broadcast(event)


CHECKS = (keys, contents, clocks, sources, profiles, dead_letters)
