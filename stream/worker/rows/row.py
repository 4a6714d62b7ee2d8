"""The value of a record of the profiles topic: a customer's profile and the transport state beside it.

`applied` (offsets) and `outbox` (alerts that may not have been sent) are transport state. They are in the
same record as the profile, so that one write changes all of them together; the rules never read them.
"""

from __future__ import annotations

import logging
from math import isfinite
from typing import get_type_hints

import msgspec
from msgspec import Raw, Struct, field

from stream.core.facts.profile import (
    EVERYTHING,
    NOTHING,
    SECTIONS,
    Head,
    Profile,
    ShadowJudgement,
    head_of,
)
from stream.core.facts.versions import migrated
from stream.core.judgement.held import held_kinds
from stream.engine import Lane
from stream.policy_file.published import Mode
from stream.worker.rows.finite import TOTALS

log = logging.getLogger("stream.worker")
MODEL_KEY = b"\x00model"
"""Key of the row that holds a partition's published models. No event can have it: stream/wire rejects
subjects that begin with a NUL character."""
NO_VIEW = "-"
"""In place of a digest: the customer has no view, as they were erased."""
POLICY_KEY = b"\x00policy"
"""Key of the row that holds a partition's published policies."""
_NONE: frozenset[str] = frozenset()
OWN_ROWS = b"\0"
"""Keys that begin with it are rows of the worker itself, such as MODEL_KEY."""


class Spoilt(Struct, frozen=True):
    """What could not be read, or could not have been read again, and why (without values)."""

    row: bytes
    problem: str


class Transport(Struct, omit_defaults=True, gc=False):
    """The fields of a row that come before the profile."""

    applied: dict[str, int] = field(default_factory=dict)
    """Input topic -> the first offset that was not applied to this row yet; lower offsets are repeats."""
    outbox: list[Raw] = field(default_factory=list)
    """Alerts (JSON) of the flush `outbox_flush`; they are sent again if it was not committed."""
    outbox_flush: int = 0
    models: list[Raw] = field(default_factory=list)
    """Under MODEL_KEY only: the published model in force, then the earlier ones that a restart may still need
    because the offset of a newer publication was not committed when this row was written."""
    view: str = ""
    """The digest of the profile view that was sent last (rows/views.py), or NO_VIEW; empty: none is known."""
    view_flush: int = 0
    """The flush that carried it; it is sent again if that was not committed."""
    barred_ms: int = 0
    """When the customer, who came back, was erased; events up to then are turned away (rows/bars.py)."""
    set_aside: list[Spoilt] | Spoilt = field(default_factory=list)
    """What this row took the place of, or does not say (rows/spoilt.py): the dead letters of these are of
    `outbox_flush` as well. Earlier versions wrote one alone."""
    shadow: ShadowJudgement | None = None
    """What a shadow policy makes of the customer (core/shadow.py)."""
    shadow_outbox: list[Raw] = field(default_factory=list)
    """The alerts of the shadow, as those of `outbox`."""


class PolicyEntry(Struct, frozen=True):
    """A published policy: the offset after its publication, and what was published."""

    next_offset: int
    mode: Mode
    at_ms: int
    """From when on, in event time."""
    policy: Raw
    instead_of: str
    """The hash of the STREAM_POLICY of then."""


class StoredRow(Transport, omit_defaults=True, gc=False):
    """A row as it is written to the profiles topic, under a customer's key or under MODEL_KEY."""

    profile: Profile | None = None
    instead_of: str = ""
    """Under MODEL_KEY only: the version of the STREAM_MODEL that the first of `models` replaced."""
    adopted: list[int] = field(default_factory=list)
    """Under MODEL_KEY only: for each of `models[1:]` the offset after its publication; that of `models[0]` is
    in `applied`."""
    policies: list[PolicyEntry] = field(default_factory=list)
    """Under POLICY_KEY only: what is in force, and what a restart may need besides; the oldest first."""


class _Front(Transport, omit_defaults=True, gc=False):
    """A row whose profile is its head alone: encoded, the bytes before the first section, then ROW_END."""

    profile: Head | None = None


ROW_END = b"}}"
"""Closes the profile and the row."""

CHANGED_SECTIONS = tuple(
    tuple(
        (place, name, f',"{name}":'.encode()) for place, name in enumerate(SECTIONS) if changed >> place & 1
    )
    for changed in range(EVERYTHING + 1)
)
"""Indexed by a bit mask of sections: place, name and the JSON before the value of each section in it."""

SECTION_DECODERS = {name: msgspec.json.Decoder(get_type_hints(Profile)[name]).decode for name in SECTIONS}

_encode = msgspec.json.Encoder().encode
_load = msgspec.json.Decoder(StoredRow).decode


class LiveRow:
    """A row in memory. It keeps the encoded bytes of each section of the profile until the section changes.

    Most events change one section of six. Encoding the whole row takes 15 us, only what changed 12 us
    (bench/results/core.md).
    """

    __slots__ = (
        "_sizes",
        "_stored",
        "_written",
        "adopted",
        "applied",
        "barred_ms",
        "changed",
        "held",
        "instead_of",
        "models",
        "outbox",
        "outbox_flush",
        "policies",
        "profile",
        "set_aside",
        "shadow",
        "shadow_outbox",
        "spoilt",
        "view",
        "view_flush",
    )

    def __init__(self, row: StoredRow, stored: bytes = b"") -> None:
        """`stored`: the bytes that were decoded into `row`, of a row that was read."""
        self.profile = row.profile
        self.applied = row.applied
        self.outbox = row.outbox
        self.outbox_flush = row.outbox_flush
        self.models = row.models
        self.view = row.view
        self.view_flush = row.view_flush
        self.barred_ms = row.barred_ms
        self.set_aside = [row.set_aside] if isinstance(row.set_aside, Spoilt) else row.set_aside
        self.instead_of = row.instead_of
        self.adopted = row.adopted
        self.policies = row.policies
        self.shadow = row.shadow
        self.shadow_outbox = row.shadow_outbox
        self.changed = EVERYTHING
        """Bit mask of the sections to encode again; add `Step.changed` after every step."""
        self.held = _NONE if row.profile is None else held_kinds(row.profile.judgement)
        """The kinds of alerts that were held back when the customer was judged last; it is not stored."""
        self.spoilt: Spoilt | None = None
        """What must go to the dead letters and has not been sent: the row whose place this one takes."""
        self._stored = stored
        self._written = b""
        self._sizes = [0] * len(SECTIONS)

    def forget_sent(self, committed_flush: int) -> None:
        """Empty the outbox once the flush that it is of is committed. Of an erased customer no dead letter is
        sent again."""
        if self.profile is not None and self.profile.erased_ms:
            self.set_aside = []
        if self.outbox_flush and self.outbox_flush <= committed_flush:
            self.outbox, self.shadow_outbox, self.outbox_flush, self.set_aside = [], [], 0, []

    def set_right(self, changed: int) -> list[Spoilt]:
        """Put each of these sections of the profile (bits, as in `changed`) back to what was written before,
        if nobody could read it again: it holds a number that is not finite. What is no longer written.

        That is a fault of this program, and must not cost the partition. Call it after every step.
        """
        profile, found = self.profile, list[Spoilt]()
        if profile is not None:
            for place, name, _ in CHANGED_SECTIONS[changed]:
                content = getattr(profile, name)
                if not isfinite(TOTALS[name](content)):
                    found += self._put_back(profile, place, name, _encode(content))
        if self.shadow is not None and not isfinite(TOTALS["judgement"](self.shadow.judgement)):
            found.append(Spoilt(_encode(self.shadow), "shadow: a number in it is not finite"))
            log.error("the shadow of a customer was not written, as nobody could read it")
            self.shadow = None
        return found

    def _put_back(self, profile: Profile, place: int, name: str, section: bytes) -> list[Spoilt]:
        """Nothing, if the section can be read: numbers may be finite though their sum is not."""
        decode = SECTION_DECODERS[name]
        try:
            decode(section)
        except msgspec.ValidationError as wrong:
            log.error("a row was not written as it is, as nobody could read it (%s: %s)", name, wrong)
            setattr(profile, name, decode(self._before(place, name)))
            return [Spoilt(section, f"{name}: {wrong}")]
        return []

    def _before(self, place: int, name: str) -> bytes:
        """A section of the profile as it was written last, or read; `{}`, its beginning, if it never was."""
        written = self._written
        if written:
            start = len(written) - len(ROW_END) - sum(self._sizes[place:])
            return written[start : start + self._sizes[place]].removeprefix(f',"{name}":'.encode())
        profile = _load(self._stored).profile if self._stored else None
        return b"{}" if profile is None else _encode(getattr(migrated(profile), name))

    def encode(self) -> bytes:
        """The same bytes as those of the StoredRow with these values (tests/worker/test_row.py)."""
        profile = self.profile
        if profile is None:
            transport = self._transport()
            return _encode(StoredRow(*transport, None, self.instead_of, self.adopted, self.policies))
        front = _Front(*self._transport(), head_of(profile))
        written, sizes, done = self._written, self._sizes, 0
        kept_from = len(written) - len(ROW_END) - sum(sizes)
        parts = [_encode(front)[: -len(ROW_END)]]
        for place, name, lead in CHANGED_SECTIONS[self.changed]:
            if place > done:
                kept_to = kept_from + sum(sizes[done:place])
                parts.append(written[kept_from:kept_to])
                kept_from = kept_to
            section = lead + _encode(getattr(profile, name))
            kept_from += sizes[place]
            sizes[place] = len(section)
            parts.append(section)
            done = place + 1
        parts.append(written[kept_from:] if done < len(SECTIONS) else ROW_END)
        self.changed = NOTHING
        self._written, self._stored = b"".join(parts), b""
        return self._written

    def _transport(
        self,
    ) -> tuple[
        dict[str, int],
        list[Raw],
        int,
        list[Raw],
        str,
        int,
        int,
        list[Spoilt],
        ShadowJudgement | None,
        list[Raw],
    ]:
        sent = self.applied, self.outbox, self.outbox_flush, self.models, self.view, self.view_flush
        return (*sent, self.barred_ms, self.set_aside, self.shadow, self.shadow_outbox)


def some_customers(lane: Lane[LiveRow], count: int) -> list[bytes]:
    """Keys of up to `count` stored rows, without those of the worker itself."""
    return [key for key in lane.table.some_keys(count) if not key.startswith(OWN_ROWS)]
