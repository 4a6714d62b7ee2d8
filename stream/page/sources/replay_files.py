"""The files that `stream replay` wrote, profiles and alerts, as a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from stream.core.alerts.alert import Alert
from stream.core.facts.profile import Profile
from stream.core.facts.versions import ForeignProfileError, check_meaning
from stream.core.judgement.basis import Basis
from stream.page.entries import alert_ms
from stream.page.sources.source import PageSource, SourceError, file_fingerprint, last_instant_ms
from stream.recording.event_file import numbered_lines
from stream.recording.recording import Progress, not_shown
from stream.worker.rows.stored import UNREADABLE, read_profile

Parsed = TypeVar("Parsed")
_read_alert = msgspec.json.Decoder(Alert).decode


def replay_files(
    profiles: Path, alerts: Path | None, basis: Basis, shown: Progress = not_shown
) -> PageSource:
    """The source of these files. Its reading raises SourceError for a line that `stream replay` did not
    write."""

    def read(line: bytes) -> Profile:
        profile = read_profile(line)
        check_meaning(profile.meaning, basis.meaning.digest)
        return profile

    def read_profiles() -> Iterator[Profile]:
        return (each for each in _decoded(profiles, read, shown) if not each.erased_ms)

    def read_alerts() -> Iterator[Alert]:
        return _decoded(alerts, _read_alert, shown) if alerts is not None else iter(())

    def as_of_ms() -> int:
        return max(
            max(map(last_instant_ms, read_profiles()), default=0),
            max(map(alert_ms, read_alerts()), default=0),
        )

    name = f"{profiles} and {alerts}" if alerts is not None else str(profiles)
    fingerprint = file_fingerprint((profiles, alerts), basis)
    return PageSource(name, fingerprint, basis, as_of_ms, read_profiles, read_alerts, alerts is not None)


def _decoded(path: Path, decode: Callable[[bytes], Parsed], shown: Progress) -> Iterator[Parsed]:
    with shown(f"reading {path.name}", None) as advance:
        for number, line in numbered_lines(path):
            try:
                found = decode(line)
            except UNREADABLE as error:
                raise SourceError(f"{path}:{number}: not what `stream replay` wrote: {error}") from None
            except ForeignProfileError as foreign:
                raise SourceError(f"{path}:{number}: {foreign}") from None
            advance()
            yield found
