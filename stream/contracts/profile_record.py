"""What readers of the profiles topic may rely on: the profile. The rest of a record is the workers' own."""

from __future__ import annotations

from msgspec import Struct

from stream.core.facts.profile import Profile


class ProfileRecord(Struct):
    """All that is known of one customer. A null value deletes it; ignore records without `profile`."""

    profile: Profile | None = None
