"""A stored profile as this program keeps it: of another version, or of another meaning.

Profiles are kept for years, in a topic and in files, and are read by later programs and (while workers are
replaced one by one, or when an operator goes back) by earlier ones. Version 1 (the program's 0.1.0) states
no version; an earlier program ignores what it does not know, and leaves it out of what it writes: such a
profile is of version 1 again. So every profile of version 1 is migrated whenever it is read, and what it
cannot know is marked as unknown.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from stream.core.facts.feedback import Feedback, Note, note_sentiment
from stream.core.facts.meaning import Meaning
from stream.core.facts.memory.corrections import Refunded
from stream.core.facts.memory.order_match import SOURCE_BYTES
from stream.core.facts.profile import PROFILE_VERSION, Profile
from stream.core.facts.purchases import recompute
from stream.core.facts.sums import Sums
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, calendar_month

SOURCE_CHARACTERS = 2 * SOURCE_BYTES


class ForeignProfileError(ValueError):
    """A stored profile that this program must neither use nor replace; the text says what to do, without the
    customer."""


class NewerVersionError(ForeignProfileError):
    """A later program wrote it: what it means is not known here."""


class OtherMeaningError(ForeignProfileError):
    """Its facts were folded by a policy under which days or money are others."""


def check_version(version: int) -> None:
    """NewerVersionError: this program does not know profiles of this version yet."""
    if version > PROFILE_VERSION:
        raise NewerVersionError(
            f"a profile is of version {version}, and this program knows versions up to {PROFILE_VERSION}: "
            "start the version of the program that wrote it"
        )


def check_meaning(stored: str, wanted: str) -> None:
    """OtherMeaningError: the digests of what facts mean (`Meaning.digest`), in a profile and by the policy,
    differ."""
    if stored != wanted:
        raise OtherMeaningError(
            "profiles were kept by a policy with another `zone` ([business]), `currency` or `rates` "
            "([finance]), and facts are not converted: use that policy, or cut over to new profiles "
            "(docs/runbook.md, `Cut over to a new policy or model`)"
        )


def migrated(profile: Profile) -> Profile:
    """The same profile in this program's version, changed in place. NewerVersionError: it is of a later
    one."""
    check_version(profile.version)
    if profile.version == 1:
        _to_version_2(profile)
    return profile


def _to_version_2(profile: Profile) -> None:
    """Fill in what follows from what version 1 kept, and mark the rest as unknown. Its days are UTC's."""
    profile.version = 2
    if profile.erased_ms:
        return
    buying, meaning = profile.buying, _utc()
    if buying.older is not None and buying.older.orders:
        _date_sums(buying.older)
    buying.refunds = _once_each(buying.refunds)
    if buying.orders or buying.refunds or buying.older is not None:
        recompute(buying, meaning)
    for note in _of_whole_months(profile.feedback):
        note_sentiment(profile.feedback, _month(note.at_ms), note.sentiment)
    if profile.interests.units:
        paid_in = {order.currency for order in buying.orders} | {buying.currency}
        profile.interests.currencies = sorted(paid_in - {""})[:2]
    profile.interests.units_priced = profile.interests.units if profile.interests.spend_minor else 0
    profile.counted_from_ms = 1 + max(
        profile.first_seen_ms,
        profile.touch_at_ms,
        profile.judgement.judged_ms,
        profile.feedback.last_at_ms,
        profile.engagement.last_at_ms,
        buying.event_at_ms,
    )


def _once_each(refunds: dict[str, Refunded]) -> dict[str, Refunded]:
    """Refunds of a profile that version 1 wrote after version 2: it leaves out the sources of those that it
    knows, and counts one of them a second time when it is sent again, as it looks for the id alone."""
    known: dict[str, Refunded] = {}
    for key, back in refunds.items():
        refund_id, _, source = key.rpartition("\n")
        if refund_id and len(source) == SOURCE_CHARACTERS:
            known[key] = replace(back, source=source)
    sourced = {(key.rpartition("\n")[0], back.order_id, back.refund_minor) for key, back in known.items()}
    again = {key for key, back in refunds.items() if (key, back.order_id, back.refund_minor) in sourced}
    return {key: known.get(key, back) for key, back in refunds.items() if key not in again}


def _date_sums(sums: Sums) -> None:
    """The days of sums that version 1 added; of which months and how long its gaps were is not known.

    Its orders without products, and products without a category, cannot be told from the others any more.
    """
    sums.first_day, sums.last_day = sums.first_at_ms // DAY_MS, sums.last_at_ms // DAY_MS
    sums.last_midnight_ms = sums.last_day * DAY_MS
    sums.unknown_gaps = sums.days - 1
    sums.units_known = sums.orders if sums.units else 0
    sums.mix_known = sums.orders if sums.mix else 0


def _of_whole_months(feedback: Feedback) -> list[Note]:
    """The notes of months of which all notes are kept: the latest few notes are."""
    notes = feedback.notes
    if len(notes) == feedback.count:
        return notes
    return [note for note in notes if _month(note.at_ms) > _month(notes[0].at_ms)]


def _month(at_ms: int) -> int:
    return calendar_month(at_ms // DAY_MS)


@lru_cache(maxsize=1)
def _utc() -> Meaning:
    """What the facts of version 1 mean, and those of a policy that names no zone and no currency."""
    return Meaning(Policy())
