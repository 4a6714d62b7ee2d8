"""The zones that texts of times name.

A zone that a text names itself is one of a list: abbreviations that mean one offset, names of the IANA
database, and the names of US zones that shop systems write.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfoNotFoundError

from stream.time_zones import zone_info

MINUTES_BY_NAME = {
    **dict.fromkeys(("UTC", "GMT", "UT", "Z", "WET"), 0),
    **{
        "EST": -300,
        "EDT": -240,
        "CST": -360,
        "CDT": -300,
        "MST": -420,
        "MDT": -360,
        "PST": -480,
        "PDT": -420,
    },
    **{"AKST": -540, "AKDT": -480, "HST": -600, "BRT": -180, "WEST": 60, "CET": 60, "CEST": 120, "MEZ": 60},
    **{"MESZ": 120, "EET": 120, "EEST": 180, "MSK": 180, "SAST": 120, "SGT": 480, "HKT": 480, "JST": 540},
    **{"KST": 540, "AWST": 480, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780},
}
"""Abbreviation -> minutes ahead of UTC; those of the US as in e-mail (RFC 5322). IST and BST mean several."""
AMERICAN = "CST"
"""That of the middle of the US, or China's: read only where the mapping's own zone is an American one."""
SEVERAL = re.compile(r"(?<![A-Za-z/])(CST|IST|BST)(?![A-Za-z/])")
US_ZONES = {
    "Eastern Time (US & Canada)": "America/New_York",
    "Central Time (US & Canada)": "America/Chicago",
    "Mountain Time (US & Canada)": "America/Denver",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    **{"Arizona": "America/Phoenix", "Alaska": "America/Juneau", "Hawaii": "Pacific/Honolulu"},
    "Atlantic Time (Canada)": "America/Halifax",
}
_IANA = r"[A-Z][A-Za-z]+(?:/[A-Za-z][A-Za-z0-9_+-]*)+"
_NAMES = "|".join(re.escape(name) for name in sorted([*US_ZONES, *MINUTES_BY_NAME], key=len, reverse=True))
ZONE_WORD = re.compile(rf"(?<![A-Za-z/])(?:{_IANA}|{_NAMES})(?![A-Za-z/])")


@lru_cache(64)
def named_zone(word: str) -> tzinfo | None:
    """The zone that a word in the text of a time names; None where it is none."""
    if word in MINUTES_BY_NAME:
        return timezone(timedelta(minutes=MINUTES_BY_NAME[word]))
    try:
        return zone_info(US_ZONES.get(word, word))
    except ZoneInfoNotFoundError:
        return None


def without_zone(text: str, home: str) -> tuple[str, tzinfo] | None:
    """A text of a time without the zone in it, and the zone; None where it has none, or several.

    `home` is the mapping's zone, which tells what `CST` means.
    """
    words = list(ZONE_WORD.finditer(text))
    if len(words) != 1 or (zone := named_zone(words[0][0])) is None:
        return None
    if words[0][0] == AMERICAN and not home.startswith(("America/", "US/", "Canada/")):
        return None
    begin, end = words[0].span()
    return " ".join((text[:begin] + " " + text[end:]).split()), zone


def zone_doubt(text: str) -> str:
    """What a zone in the text may mean, where it means several; empty where there is no such word."""
    found = SEVERAL.search(text)
    if found is None:
        return ""
    remedy = ": name an American zone in [time] if it is that of the US" if found[1] == AMERICAN else ""
    return f"{found[1]} is the time of several parts of the world{remedy}"


def reader_with_zone(read: Callable[[str], datetime], home: str) -> Callable[[str], datetime]:
    """A reader of times that name their zone by a word, from one of times without a zone."""

    def read_zoned(text: str) -> datetime:
        found = without_zone(text, home)
        if found is None:
            raise ValueError(text)
        at = read(found[0])
        if at.tzinfo is not None:
            raise ValueError(text)
        return at.replace(tzinfo=found[1])

    return read_zoned
