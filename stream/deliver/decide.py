"""What becomes of a record of the alerts topic at each endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stream.core.events.event import (
    ConsentChanged,
    CustomerErased,
    CustomerMuted,
    CustomerUnmuted,
    type_name,
)
from stream.core.units import FOREVER_MS
from stream.deliver.endpoints.endpoint import Endpoints
from stream.deliver.plan.admission import Admission, EarlierDelivery, admit
from stream.deliver.plan.contact import is_without_consent
from stream.deliver.plan.head import AlertHead, NoAlertError, read_head
from stream.deliver.queue.intake import Decide
from stream.deliver.queue.rows import ReadAlert, ReadConsent, ReadControl, ReadErasure, ReadMute
from stream.wire import decode

WANTED = tuple(
    type_name(kind).encode() for kind in (CustomerErased, CustomerMuted, CustomerUnmuted, ConsentChanged)
)
"""Types of events of the control topic that delivery goes by."""


def read_alert(partition: int, offset: int, written_ms: int, value: bytes | None) -> ReadAlert:
    """A record of the topic as an alert, or with the reason why it is none."""
    try:
        return ReadAlert(partition, offset, written_ms, value or b"", read_head(value))
    except NoAlertError as error:
        return ReadAlert(partition, offset, written_ms, fault=str(error))


def read_control(partition: int, offset: int, message: Any) -> ReadControl | None:
    """What a record of the control topic (a message of confluent-kafka) says of a customer's alerts; None for
    any other event.

    What is wrong with a record is the worker's to say: it has a dead letter there.
    """
    value, headers = message.value(), message.headers()
    if not any(kind in (value or b"") or ("ce_type", kind) in (headers or ()) for kind in WANTED):
        return None  # most records: they are not decoded
    match decode("control", message.key(), value, headers):
        case CustomerErased() as event:
            return ReadErasure(partition, offset, event.subject, event.time_ms)
        case CustomerMuted(data=mute) as event:
            until_ms = FOREVER_MS if mute.until is None else round(mute.until.timestamp() * 1_000)
            return ReadMute(partition, offset, event.subject, event.time_ms, until_ms, mute.reason)
        case CustomerUnmuted() as event:
            return ReadMute(partition, offset, event.subject, event.time_ms, 0)
        case ConsentChanged(data=stated) as event:
            refused = stated.status != "grant"
            return ReadConsent(partition, offset, event.subject, event.time_ms, stated.purpose, refused)
    return None


def decisions(
    endpoints: Endpoints,
    is_disabled: Callable[[str], bool],
    now_ms: int,
    *,
    with_history: bool = False,
) -> Decide:
    """The decision about records that are read at an instant."""

    def decide(
        record: ReadAlert, head: AlertHead, endpoint: str, earlier: Sequence[EarlierDelivery]
    ) -> Admission:
        late = record.written_ms - head.at_ms > endpoints.late_max_ms
        target = endpoints.by_name[endpoint]
        return admit(
            head,
            target.wanted,
            earlier,
            now_ms,
            disabled=is_disabled(endpoint),
            history=late and not with_history,
            without_consent=target.contact and is_without_consent(head, target.consent),
        )

    return decide
