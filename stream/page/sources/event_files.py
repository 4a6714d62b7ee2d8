"""Recorded events as a source: they are replayed in memory, by the worker's own step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stream.core.judgement.basis import Basis
from stream.page.sources.source import PageSource, file_fingerprint
from stream.recording.recording import Recording
from stream.replay.run import replay


def event_files(paths: Sequence[Path], recording: Recording, basis: Basis) -> PageSource:
    """The source of a recording of these files, as of its last event.

    The replay takes place here. A model that is published among the events replaces that of `basis`.
    """
    run, alerts = replay(recording.events("replaying"), basis, until_ms=recording.last_ms)
    profiles = [profile for profile in run.profiles.values() if not profile.erased_ms]
    last_ms = recording.last_ms
    return PageSource(
        ", ".join(map(str, paths)),
        file_fingerprint(paths, run.basis, recording.now_ms),
        run.basis,
        lambda: last_ms,
        lambda: profiles,
        lambda: alerts,
        True,
    )
