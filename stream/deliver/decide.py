"""What becomes of a record of the alerts topic at each endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stream.core.events.event import CustomerErased
from stream.deliver.endpoints.endpoint import Endpoints
from stream.deliver.plan.admission import Admission, EarlierDelivery, admit
from stream.deliver.plan.head import AlertHead, NoAlertError, read_head
from stream.deliver.queue.intake import Decide
from stream.deliver.queue.rows import ReadAlert, ReadErasure
from stream.wire import decode

ERASED = b"customer.erased"


def read_alert(partition: int, offset: int, written_ms: int, value: bytes | None) -> ReadAlert:
    """A record of the topic as an alert, or with the reason why it is none."""
    try:
        return ReadAlert(partition, offset, written_ms, value or b"", read_head(value))
    except NoAlertError as error:
        return ReadAlert(partition, offset, written_ms, fault=str(error))


def read_erasure(partition: int, offset: int, message: Any) -> ReadErasure | None:
    """The erasure in a record of the control topic (a message of confluent-kafka); None for any other event.

    What is wrong with a record is the worker's to say: it has a dead letter there.
    """
    value, headers = message.value(), message.headers()
    if ERASED not in (value or b"") and ("ce_type", ERASED) not in (headers or ()):
        return None  # most records: they are not decoded
    event = decode("control", message.key(), value, headers)
    if not isinstance(event, CustomerErased):
        return None
    return ReadErasure(partition, offset, event.subject, event.time_ms)


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
        return admit(
            head,
            endpoints.by_name[endpoint].wanted,
            earlier,
            now_ms,
            disabled=is_disabled(endpoint),
            history=late and not with_history,
        )

    return decide
