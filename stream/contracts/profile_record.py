"""The public part of a record of the profiles topic. Its other fields are internal to the workers."""

from __future__ import annotations

from msgspec import Struct

from stream.core.facts.profile import Profile


class ProfileRecord(Struct):
    """All that is known of one customer. A null value deletes it; ignore records without `profile`."""

    profile: Profile | None = None
