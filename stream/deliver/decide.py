"""What becomes of a record of the alerts topic at each endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stream.deliver.endpoints.endpoint import Endpoints
from stream.deliver.plan.admission import Admission, EarlierDelivery, admit
from stream.deliver.plan.head import AlertHead, NoAlertError, read_head
from stream.deliver.queue.intake import Decide
from stream.deliver.queue.rows import ReadAlert


def read_alert(partition: int, offset: int, written_ms: int, value: bytes | None) -> ReadAlert:
    """A record of the topic as an alert, or with the reason why it is none."""
    try:
        return ReadAlert(partition, offset, written_ms, value or b"", read_head(value))
    except NoAlertError as error:
        return ReadAlert(partition, offset, written_ms, fault=str(error))


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
