"""A source of the read store: what a store is filled from, and the fingerprint that tells it from others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from stream import __version__
from stream.core.alerts.alert import Alert
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis


class SourceError(Exception):
    """What a source holds cannot be used; the text names file and line, and says why."""


class PageSource(Struct, frozen=True):
    """Profiles and alerts that do not change any more."""

    name: str
    """What is read, in words for people."""
    fingerprint: str
    """Differs as soon as anything differs that the rows depend on."""
    basis: Basis
    """The policy and the model to look at the profiles with."""
    as_of_ms: Callable[[], int]
    """The last instant that the source knows of; it may have to read for that."""
    profiles: Callable[[], Iterable[Profile]]
    """Each customer once, the erased ones left out."""
    alerts: Callable[[], Iterable[Alert]]
    has_alerts: bool
    """False where only profiles are known: alerts of the past are not."""


def last_instant_ms(profile: Profile) -> int:
    """The customer's last event or judgement, whichever is later."""
    return max(profile.judgement.judged_ms, profile.touch_at_ms, profile.first_seen_ms)


def file_fingerprint(paths: Sequence[Path | None], basis: Basis, *more: object) -> str:
    """Of the files as they are now (name, size, time of change), the policy, the model and this program."""
    parts: list[object] = [__version__, basis.policy.hash, basis.model.version, *more]
    for path in paths:
        if path is not None:
            found = path.stat()
            parts += [path.resolve(), found.st_size, found.st_mtime_ns]
        else:
            parts.append("none")
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
