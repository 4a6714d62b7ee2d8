"""What the control topic says of alerts: the `action.*` events and erasures, as rows of the read store."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from stream.core.events import event as ev
from stream.page.live.record import PageRecord
from stream.page.remarks import NEVER_AGAIN_MS, ActionEntry, ErasureEntry, MuteEntry, RemarkKind
from stream.page.store.store import Batch
from stream.wire import decode

MARKS = (b"action.", b"customer.erased")
"""One of them is in every record that is looked at here; most records of the topic are of other types."""
REMARKS: Mapping[type[ev.Event], RemarkKind] = {
    ev.ActionAcknowledged: "acknowledged",
    ev.ActionTaken: "taken",
    ev.ActionUndone: "undone",
}


class _Who(Struct):
    actor: str = ""


class _WithActor(Struct):
    data: _Who = field(default_factory=_Who)


_who = msgspec.json.Decoder(_WithActor).decode


def control_rows(record: PageRecord, batch: Batch) -> None:
    """Add what a record of the control topic says; nothing where it is about something else, or rejected
    (the workers put such a record aside)."""
    headers = b"".join(value or b"" for _, value in record.headers)
    if not any(mark in (record.value or b"") or mark in headers for mark in MARKS):
        return
    event = decode("control", record.key, record.value, record.headers)
    if not isinstance(event, ev.Event):
        return
    if isinstance(event, ev.CustomerErased):
        batch.erasures.append(ErasureEntry(event.subject, event.time_ms))
    elif isinstance(event, ev.CustomerMuted | ev.CustomerUnmuted):
        batch.mutes.append(mute_entry(event))
    elif isinstance(event, ev.ActionAcknowledged | ev.ActionTaken | ev.ActionResulted | ev.ActionUndone):
        batch.actions.append(action_entry(event, record.value or b""))


def mute_entry(event: ev.CustomerMuted | ev.CustomerUnmuted) -> MuteEntry:
    """The row of a mute, or of its end."""
    actor = event.data.actor or ""
    if isinstance(event, ev.CustomerUnmuted):
        return MuteEntry(event.subject, 0, event.time_ms, "", actor)
    until = event.data.until
    until_ms = round(until.timestamp() * 1_000) if until is not None else NEVER_AGAIN_MS
    return MuteEntry(event.subject, until_ms, event.time_ms, event.data.reason, actor)


def action_entry(
    event: ev.ActionAcknowledged | ev.ActionTaken | ev.ActionResulted | ev.ActionUndone, value: bytes
) -> ActionEntry:
    """The row of a word about an alert. Who named an outcome is in its JSON alone: the schema of
    `action.outcome` is from before the dashboard, and allows more fields."""
    kind: RemarkKind = event.data.outcome if isinstance(event, ev.ActionResulted) else REMARKS[type(event)]
    undoes = event.data.event_id if isinstance(event, ev.ActionUndone) else ""
    actor = _actor_of(value) if isinstance(event, ev.ActionResulted) else event.data.actor or ""
    return ActionEntry(event.id, event.subject, event.data.alert_id, kind, event.time_ms, actor, undoes)


def _actor_of(value: bytes) -> str:
    try:
        return _who(value).data.actor[:256]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
