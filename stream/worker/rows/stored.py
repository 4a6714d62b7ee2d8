"""Stored rows and profiles in this program's version, whoever wrote them: the one way to decode them.

The worker, `stream fit --from-profiles`, `stream explain` and the demo read through here, so that none of
them sees a profile of another version (stream/core/facts/versions.py).
"""

from __future__ import annotations

from contextlib import suppress

import msgspec
from msgspec import Raw, Struct

from stream.core.facts.profile import Profile
from stream.core.facts.versions import check_version, migrated
from stream.worker.rows.row import StoredRow, Transport

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding a row raises when it is not what a worker of this version, or of an earlier one, writes."""


class _Version(Struct):
    version: int = 1


class _RowVersion(Struct):
    profile: _Version | None = None


class _ProfileText(Transport, omit_defaults=True, gc=False):
    """A row of a customer whose profile is not decoded."""

    profile: Raw = Raw(b"null")


_profile_text = msgspec.json.Decoder(_ProfileText).decode
_row = msgspec.json.Decoder(StoredRow).decode
_profile = msgspec.json.Decoder(Profile).decode
_version_of_row = msgspec.json.Decoder(_RowVersion).decode
_version_of_profile = msgspec.json.Decoder(_Version).decode


def read_row(row: bytes) -> StoredRow:
    """A row of the profiles topic. UNREADABLE: it is none; NewerVersionError: it is of a later version."""
    try:
        stored = _row(row)
    except UNREADABLE:
        _check_version_of(row)
        raise
    if stored.profile is not None:
        migrated(stored.profile)
    return stored


def profile_text(row: bytes) -> bytes | None:
    """The profile of a row as JSON, as it stands there. None: the row has none. UNREADABLE: it is no row."""
    try:
        text = bytes(_profile_text(row).profile)
    except UNREADABLE:
        _check_version_of(row)
        raise
    return None if text == b"null" else text


def read_profile(line: bytes) -> Profile:
    """A line of the profiles file of `stream replay`. UNREADABLE and NewerVersionError: as for `read_row`."""
    try:
        profile = _profile(line)
    except UNREADABLE:
        with suppress(*UNREADABLE):
            check_version(_version_of_profile(line).version)
        raise
    return migrated(profile)


def _check_version_of(row: bytes) -> None:
    """NewerVersionError when a row that cannot be read says itself that it is of a later version."""
    with suppress(*UNREADABLE):
        stated = _version_of_row(row).profile
        if stated is not None:
            check_version(stated.version)
