"""One customer's profile and alerts, read from event files, from a replay's files, or from the topics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from stream.core.alerts.alert import Alert
from stream.core.events.event import PUBLICATIONS
from stream.core.facts.profile import Profile
from stream.core.facts.versions import ForeignProfileError, check_meaning
from stream.core.judgement.basis import Basis
from stream.ops.changelog import without_fenced_writes
from stream.ops.cluster import cluster_errors, cluster_settings, partitions_of, reader, records
from stream.recording.event_file import numbered_lines
from stream.recording.recording import Progress, Recording, not_shown
from stream.replay.run import replay
from stream.wire import partition_of
from stream.worker.kafka.topics import topic_names
from stream.worker.rows.bases import model_in_force
from stream.worker.rows.policies import policies_of_row
from stream.worker.rows.row import MODEL_KEY, POLICY_KEY, StoredRow
from stream.worker.rows.stored import UNREADABLE, read_profile, read_row


class CustomerSnapshot(Struct):
    """A customer at one instant: the profile (None when there is none), and the alerts in order of time."""

    profile: Profile | None
    alerts: list[Alert]
    as_of_ms: int
    basis: Basis
    """The policy and the model to look at the profile with."""


Parsed = TypeVar("Parsed")
_decode_alert = msgspec.json.Decoder(Alert).decode
ESCAPE = b"\\"
"""A line with a backslash is always decoded: other JSON writers escape ids, as `jos\\u00e9` or `a\\/b`."""


def recording_of(paths: Sequence[Path], customer: str, now_ms: int, shown: Progress = not_shown) -> Recording:
    """The events of one customer and what was published, in a recording that knows the times of all."""
    mark = msgspec.json.encode(customer)

    def wanted(line: bytes) -> bool:
        return mark in line or ESCAPE in line or b'.published"' in line

    return Recording(paths, shown, now_ms, wanted=wanted)


def snapshot_from_events(
    recording: Recording, customer: str, basis: Basis, at_ms: int | None
) -> CustomerSnapshot:
    """Replay the customer's own events up to `at_ms`, by default up to the last event of all in the files.

    By default the snapshot is as of the customer's last event or judgement, as one of files or topics is.
    """
    until_ms = recording.last_ms if at_ms is None else at_ms
    events = [
        event
        for event in recording.events()
        if event.time_ms <= until_ms and (event.subject == customer or isinstance(event, PUBLICATIONS))
    ]
    run, alerts = replay(events, basis, until_ms=until_ms)
    return _as_of(run.profiles.get(customer), alerts, run.basis, at_ms)


def snapshot_from_files(
    profiles: Path | None, alerts: Path | None, customer: str, basis: Basis, at_ms: int | None
) -> CustomerSnapshot:
    """Look the customer up in the profiles and alerts files that `stream replay` wrote."""
    mark = msgspec.json.encode(customer)
    own_profiles = [each for each in _decoded(profiles, read_profile, mark) if each.customer == customer]
    own_alerts = [alert for alert in _decoded(alerts, _decode_alert, mark) if alert.subject == customer]
    return _as_of(own_profiles[-1] if own_profiles else None, own_alerts, basis, at_ms)


def _decoded(path: Path | None, decode: Callable[[bytes], Parsed], mark: bytes) -> Iterator[Parsed]:
    """The lines that contain `mark`, decoded; ValueError when `stream replay` did not write the file."""
    if path is None:
        return
    for number, line in numbered_lines(path):
        if mark in line:
            try:
                yield decode(line)
            except ForeignProfileError as foreign:
                raise ValueError(f"{path}:{number}: {foreign}") from None
            except UNREADABLE as error:
                raise ValueError(f"{path}:{number}: not what `stream replay` wrote: {error}") from None


def snapshot_from_topics(
    customer: str, basis: Basis, at_ms: int | None, *, files: tuple[Path | None, Path | None]
) -> CustomerSnapshot:
    """Look the customer up in the profiles and alerts topics of STREAM_BROKERS.

    `files`: those of policy and model that were named. For one that was not, what was published to the
    customer's partition replaces that of `basis`, by the worker's own rule.
    """
    settings = cluster_settings()
    names, key = topic_names(settings), customer.encode()
    profile: Profile | None = None
    alerts: dict[str, Alert] = {}
    published, policies = StoredRow(), StoredRow()
    with cluster_errors(), reader(settings) as consumer:
        starts = {}
        for topic in (names.profiles, names.alerts):
            count = len(partitions_of(consumer, topic))
            if count:
                starts[topic, partition_of(key, count)] = 0
        for message in without_fenced_writes(records(consumer, starts)):
            value = message.value()
            if message.key() == MODEL_KEY and value:
                published = _readable(read_row, message)
            elif message.key() == POLICY_KEY and value:
                policies = _readable(read_row, message)
            elif message.key() != key:
                continue
            elif message.topic() == names.profiles:
                profile = _readable(read_row, message).profile if value else None
            elif value:
                alert = _readable(_decode_alert, message)
                alerts[alert.id] = alert
    policy, model = basis.policy, basis.model
    if files[0] is None:
        policy = policies_of_row(policies, policy).active or policy
    basis = Basis(policy, model_in_force(published, model) if files[1] is None else model)
    return _as_of(profile, sorted(alerts.values(), key=lambda alert: alert.sequence), basis, at_ms)


def _readable(decode: Callable[[bytes], Parsed], message: Message) -> Parsed:
    """The value of a record; ValueError names the record when this version cannot read it."""
    place = f"{message.topic()}/{message.partition()}/{message.offset()}"
    try:
        return decode(message.value() or b"")
    except ForeignProfileError as foreign:
        raise ValueError(f"{place}: {foreign}") from None
    except UNREADABLE as error:
        raise ValueError(f"{place}: this version cannot read it: {error}") from None


def _as_of(profile: Profile | None, alerts: list[Alert], basis: Basis, at_ms: int | None) -> CustomerSnapshot:
    """The stored profile of a customer, to be looked at as of `at_ms`; None: as of its last event or
    judgement.

    ValueError when `at_ms` is before that, as a stored profile cannot go back in time, or when its facts mean
    something else than under the policy. Without a profile the
    snapshot holds the alerts alone. `basis` is the policy and model to look at it with.
    """
    if profile is None:
        return CustomerSnapshot(None, alerts, at_ms or 0, basis)
    check_meaning(profile.meaning, basis.meaning.digest)
    last_ms = max(profile.judgement.judged_ms, profile.touch_at_ms, profile.first_seen_ms)
    if at_ms is not None and at_ms < last_ms:
        raise ValueError("this profile was judged later than that; --events can go back in time")
    return CustomerSnapshot(profile, alerts, last_ms if at_ms is None else at_ms, basis)
