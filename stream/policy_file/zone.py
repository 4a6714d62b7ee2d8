"""Whether the zone of a policy file is one that the package `tzdata` has rules for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from stream.core.policy.policy import ZONE_PATTERN
from stream.policy_file.check import KeyFault, shown
from stream.time_zones import tzdata_version, zone_names


def zone_faults(content: dict[str, Any]) -> Iterator[KeyFault]:
    """The fault of `business.zone` in the content of a file, if it is a text of the right spelling."""
    business = content.get("business")
    zone = business.get("zone") if isinstance(business, dict) else None
    if not isinstance(zone, str) or not re.fullmatch(ZONE_PATTERN, zone) or zone in zone_names():
        return
    by_small_letters = {name.lower(): name for name in sorted(zone_names())}
    near = get_close_matches(zone.lower(), by_small_letters, n=1, cutoff=0.6)
    allowed = f"a name of the IANA database (tzdata {tzdata_version()}), spelt just so"
    guess = f"; did you mean {by_small_letters[near[0]]}?" if near else ", such as Europe/Berlin or UTC"
    yield ("business", "zone"), f"{shown(zone)} is not a time zone; allowed: {allowed}{guess}"
