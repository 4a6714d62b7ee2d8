"""Remarks on open alerts: the latest that was not taken back, and of whom nobody wants to hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from stream.page.remarks import NEVER_AGAIN_MS, ActionEntry, MuteEntry
from stream.page.screens.view import View
from stream.page.store.store import Reading

WORDS: Mapping[str, str] = {
    "acknowledged": "seen",
    "taken": "done",
    "saved": "saved",
    "churned": "lost",
    "ignored": "ignored",
}
MUTED_WORDS: Mapping[str, str] = {
    "snoozed": "snoozed",
    "staff": "one of our staff",
    "test": "a test customer",
    "wholesale": "a wholesale customer",
    "other": "muted",
}


class Word(NamedTuple):
    """A choice of the form: what is sent, and what people read."""

    says: str
    words: str


FIRST = (Word("acknowledged", "Seen"), Word("taken", "Done"))
MORE = (
    Word("saved", "Saved: they stay"),
    Word("churned", "Lost: they left"),
    Word("ignored", "Ignored: nothing to do"),
    Word("snooze-7", "Not for 7 days"),
    Word("snooze-30", "Not for 30 days"),
    Word("snooze-90", "Not for 90 days"),
    Word("never-staff", "Never again: staff"),
    Word("never-test", "Never again: test customer"),
    Word("never-wholesale", "Never again: wholesale"),
)
FORM = {"first": FIRST, "more": MORE}


class LatestRemark(Struct, frozen=True):
    """The latest word about an alert."""

    words: str
    says: str
    by: str
    when: str
    event_id: str


class MuteWord(Struct, frozen=True):
    """Nobody wants to hear of the customer, and why."""

    why: str
    until: str
    by: str


def remarks_of(reading: Reading, shown: Sequence[tuple[str, str]], view: View) -> dict[str, LatestRemark]:
    """Alert id -> the latest word about it that was not taken back; `shown` are customers and alert ids."""
    if not shown:
        return {}
    marks = ", ".join("?" * len(shown))
    columns = ", ".join(ActionEntry.__struct_fields__)
    sql = f"SELECT {columns} FROM actions WHERE customer IN ({marks}) ORDER BY at_ms, id"
    entries = [ActionEntry(*row) for row in reading.rows(sql, [customer for customer, _ in shown])]
    undone = {entry.undoes for entry in entries if entry.remark == "undone"}
    wanted = {alert_id for _, alert_id in shown}
    latest: dict[str, LatestRemark] = {}
    for entry in entries:
        if entry.remark in WORDS and entry.id not in undone and entry.alert_id in wanted:
            latest[entry.alert_id] = LatestRemark(
                WORDS[entry.remark], entry.remark, entry.actor, view.ago(entry.at_ms), entry.id
            )
    return latest


def mute_of(reading: Reading, customer: str, view: View) -> MuteWord | None:
    """Why nobody wants to hear of a customer now; None: they do."""
    columns = ", ".join(MuteEntry.__struct_fields__)
    sql = f"SELECT {columns} FROM mutes WHERE customer = ? AND until_ms > ?"
    for row in reading.rows(sql, [customer, view.as_of_ms]):
        entry = MuteEntry(*row)
        until = "" if entry.until_ms >= NEVER_AGAIN_MS else view.date(entry.until_ms)
        return MuteWord(MUTED_WORDS.get(entry.reason, entry.reason), until, entry.actor)
    return None


def muted_count(reading: Reading, kind: str, as_of_ms: int) -> int:
    """Open alerts of a kind that the list leaves out, because nobody wants to hear of the customer."""
    sql = (
        "SELECT COUNT(*) FROM open_alerts o JOIN mutes m ON m.customer = o.customer "
        "WHERE o.kind = ? AND m.until_ms > ?"
    )
    return int(reading.one(sql, [kind, as_of_ms])[0])
