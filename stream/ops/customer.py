"""What is known of one customer, from wherever it is kept: events, a replay's files, or the topics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from stream.core.alerts.alert import Alert
from stream.core.events.event import Event, ModelPublished
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Book
from stream.ops.changelog import valid
from stream.ops.cluster import cluster_errors, cluster_settings, partitions_of, reader, records
from stream.recording.event_file import lines_of
from stream.recording.recording import TOPIC_RANK, usable
from stream.replay.run import replay
from stream.wire import YEAR_MAX, YEAR_MIN, decode_line, partition_of
from stream.worker.kafka.topics import topic_names
from stream.worker.rows.row import StoredRow


class Known(Struct):
    """One customer: profile (None when there is none), alerts in time order, and as of when."""

    profile: Profile | None
    alerts: list[Alert]
    as_of_ms: int
    book: Book


class _Head(Struct):
    time: datetime


Kept = TypeVar("Kept")
_PROFILE = msgspec.json.Decoder(Profile).decode
_ALERT = msgspec.json.Decoder(Alert).decode
_ROW = msgspec.json.Decoder(StoredRow).decode
_HEAD = msgspec.json.Decoder(_Head).decode
ESCAPE = b"\\"
"""Other writers of JSON escape more than ours: an id may stand there as `jos\\u00e9` or `a\\/b`."""


def from_events(paths: Sequence[Path], customer: str, book: Book, at_ms: int | None) -> Known:
    """Replay the customer's own events up to an instant, by default the last one in the files."""
    mark = msgspec.json.encode(customer)
    events: list[Event] = []
    last_ms = 0.0
    for _, line in chain.from_iterable(map(lines_of, paths)):
        last_ms = max(last_ms, _time_ms(line))
        if mark in line or ESCAPE in line or b'"model.published"' in line:
            event = usable(decode_line(line))
            if isinstance(event, Event) and (event.subject == customer or isinstance(event, ModelPublished)):
                events.append(event)
    as_of_ms = round(last_ms) if at_ms is None else at_ms
    events = [event for event in events if event.time_ms <= as_of_ms]
    events.sort(key=lambda event: (event.time_ms, TOPIC_RANK[str(type(event).__struct_config__.tag)]))
    run, alerts = replay(events, book, until_ms=as_of_ms)
    return Known(run.profiles.get(customer), alerts, as_of_ms, run.book)


def from_files(
    profiles: Path | None, alerts: Path | None, customer: str, book: Book, at_ms: int | None
) -> Known:
    """Look the customer up in what `stream replay` wrote."""
    mark = msgspec.json.encode(customer)
    found = [each for each in _decoded(profiles, _PROFILE, mark) if each.customer == customer]
    said = [alert for alert in _decoded(alerts, _ALERT, mark) if alert.subject == customer]
    return _as_of(found[-1] if found else None, said, book, at_ms)


def _decoded(path: Path | None, decode: Callable[[bytes], Kept], mark: bytes) -> Iterator[Kept]:
    """The lines of a file that may be the customer's; ValueError tells a file of another kind."""
    if path is None:
        return
    for number, line in lines_of(path):
        if mark in line:
            try:
                yield decode(line)
            except msgspec.MsgspecError as error:
                raise ValueError(f"{path}:{number}: not what `stream replay` wrote: {error}") from None


def from_topics(customer: str, book: Book, at_ms: int | None) -> Known:
    """Look the customer up in the profiles and alerts topics, as they are now."""
    settings = cluster_settings()
    names, key = topic_names(settings), customer.encode()
    profile: Profile | None = None
    alerts: dict[str, Alert] = {}
    with cluster_errors(), reader(settings) as consumer:
        starts = {}
        for topic in (names.profiles, names.alerts):
            count = len(partitions_of(consumer, topic))
            if count:
                starts[topic, partition_of(key, count)] = 0
        for message in valid(records(consumer, starts)):
            if message.key() != key:
                continue
            value = message.value()
            if message.topic() == names.profiles:
                profile = _ROW(value).profile if value else None
            elif value:
                alert = _ALERT(value)
                alerts[alert.id] = alert
    return _as_of(profile, sorted(alerts.values(), key=lambda alert: alert.sequence), book, at_ms)


def _as_of(profile: Profile | None, alerts: list[Alert], book: Book, at_ms: int | None) -> Known:
    """A finished profile cannot be looked at before its last judgement; ValueError says so."""
    if profile is None:
        return Known(None, alerts, at_ms or 0, book)
    last_ms = max(profile.judgement.judged_ms, profile.touch_at_ms, profile.first_seen_ms)
    if at_ms is not None and at_ms < last_ms:
        raise ValueError("this profile was judged later than that; --events can go back in time")
    return Known(profile, alerts, last_ms if at_ms is None else at_ms, book)


def _time_ms(line: bytes) -> float:
    try:
        at = _HEAD(line).time
        return at.timestamp() * 1_000 if YEAR_MIN <= at.year <= YEAR_MAX else 0.0
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return 0.0
