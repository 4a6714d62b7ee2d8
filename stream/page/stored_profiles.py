"""Stored profiles as pages read them: the whole, or the part that a row in lists is made of, in a third of
the time.

In brief, orders, refunds, series by month, interests and the memory of events are passed over. What stands
for the profile has no such fields: whoever asks for one gets an AttributeError, never a wrong number, and
reads the whole (stream/page/live/looking.py). So a profile may be fit for lists though the whole cannot be
read: whoever asks for the whole gets None then, and rounds find it (stream/page/live/rounds.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import cramjam
import msgspec
from msgspec import Struct

from stream.core.facts.engagement import Engagement
from stream.core.facts.feedback import Feedback
from stream.core.facts.profile import PROFILE_VERSION, Profile
from stream.core.facts.purchases import Buying
from stream.core.facts.versions import ForeignProfileError
from stream.core.judgement.episode import is_open
from stream.page.entries import unpacked
from stream.worker.rows.stored import UNREADABLE, read_profile


def _part_of(struct: type[Struct], names: str, **instead: type[Struct]) -> type[Struct]:
    """A struct with these fields of another, some of them of another type."""
    fields: list[Any] = []
    for each in msgspec.structs.fields(struct):
        if each.name in names.split():
            kind = instead.get(each.name, each.type)
            if each.required:
                fields.append((each.name, kind))
            elif each.name in instead:
                fields.append((each.name, kind, msgspec.field(default_factory=kind)))
            elif each.default_factory is not msgspec.NODEFAULT:
                fields.append((each.name, kind, msgspec.field(default_factory=each.default_factory)))
            else:
                fields.append((each.name, kind, msgspec.field(default=each.default)))
    computed = {name: value for name, value in vars(struct).items() if isinstance(value, property)}
    return msgspec.defstruct(f"{struct.__name__}InBrief", fields, namespace=computed, gc=False)


_InBrief = _part_of(
    Profile,
    "customer version meaning first_seen_ms touch_at_ms erased_ms "
    "identity judgement feedback buying engagement",
    buying=_part_of(Buying, "currency sums"),
    engagement=_part_of(Engagement, "warmth last_at_ms"),
    feedback=_part_of(
        Feedback,
        "count last_at_ms sentiment_sum mood_sum mood_weight temper_sum temper_weight opened resolved",
    ),
)
_read_in_brief = cast(Callable[[bytes], Profile], msgspec.json.Decoder(_InBrief).decode)


def read_for_lists(text: bytes) -> Profile:
    """A profile from its JSON, in brief where that is enough for its row: it is of this version, and no alert
    is open. Raises what `read_profile` does, for what it looks at."""
    try:
        profile = _read_in_brief(text)
    except UNREADABLE:
        return read_profile(text)  # which also says whether it is of a later version
    if profile.version != PROFILE_VERSION or any(map(is_open, profile.judgement.episodes.values())):
        return read_profile(text)
    return profile


def whole_profile(body: bytes) -> Profile | None:
    """All of a profile of the read store (`packed`); None: it cannot be read in full."""
    try:
        return read_profile(unpacked(bytes(body)))
    except (*UNREADABLE, ForeignProfileError, cramjam.DecompressionError):
        return None
