"""What a person remarks on an alert becomes an `action.*` event on the control topic, acknowledged by Kafka.

The producer is idempotent, waits for all replicas, and chooses partitions as Java's clients do (murmur2).
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from msgspec import Struct

from stream.core.events import event as ev
from stream.core.events.payload import Action, ActionOutcome
from stream.core.events.remarks import Acknowledgement, Mute, UndoneAction, Unmute
from stream.core.units import DAY_MS
from stream.kafka_causes import in_words
from stream.page.store.store import Place
from stream.wire import STRUCTURED_HEADERS, encode_event

SOURCE = "/customer-stream/dashboard"
ACKNOWLEDGED_WITHIN_S = 10.0
OUTCOMES = ("saved", "churned", "ignored")
SNOOZE_DAYS = {"snooze-7": 7, "snooze-30": 30, "snooze-90": 90}
NEVER_REASONS = {"never-staff": "staff", "never-test": "test", "never-wholesale": "wholesale"}
SAYS = ("acknowledged", "taken", *OUTCOMES, *SNOOZE_DAYS, *NEVER_REASONS, "unmuted", "undone")
"""Everything that can be remarked on a page, as forms name it."""


class ActionError(Exception):
    """What was remarked could not be written; the text says why, and the heading what that means."""

    heading = "Nothing was changed"


class UnansweredError(ActionError):
    """Kafka has not said whether it took the remark: it may be on the topic all the same."""

    heading = "Perhaps nothing was changed"


class Remark(Struct, frozen=True):
    """What somebody remarks on an alert or a customer."""

    says: str
    """One of SAYS."""
    customer: str
    alert_id: str
    actor: str
    undoes: str = ""
    """With `undone`: the id of the event, and what it was, of SAYS."""
    undone_says: str = ""


def event_of(remark: Remark, at_ms: int, event_id: str) -> ev.Event:
    """The event. ActionError: no such word, or it does not fit the contract."""
    at = datetime.fromtimestamp(at_ms / 1_000, UTC)
    alert_id, actor, says = remark.alert_id, remark.actor or None, remark.says
    kind: type[ev.Event]
    data: Any
    if says == "acknowledged":
        kind, data = ev.ActionAcknowledged, Acknowledgement(alert_id=alert_id, actor=actor)
    elif says == "taken":
        kind, data = ev.ActionTaken, Action(alert_id=alert_id, actor=actor)
    elif says in OUTCOMES:
        kind, data = ev.ActionResulted, ActionOutcome(alert_id=alert_id, outcome=says)  # type: ignore[arg-type]
    elif says in SNOOZE_DAYS:
        until = datetime.fromtimestamp((at_ms + SNOOZE_DAYS[says] * DAY_MS) / 1_000, UTC)
        kind = ev.CustomerMuted
        data = Mute(reason="snoozed", until=until, alert_id=alert_id or None, actor=actor)
    elif says in NEVER_REASONS:
        kind = ev.CustomerMuted
        data = Mute(reason=NEVER_REASONS[says], alert_id=alert_id or None, actor=actor)  # type: ignore[arg-type]
    elif says == "unmuted":
        kind, data = ev.CustomerUnmuted, Unmute(alert_id=alert_id or None, actor=actor)
    elif says == "undone":
        kind = ev.ActionUndone
        undoes: Any = remark.undone_says
        data = UndoneAction(alert_id=alert_id, event_id=remark.undoes, undoes=undoes, actor=actor)
    else:
        raise ActionError(f"there is no action {says!r}")
    return kind(id=event_id, source=SOURCE, subject=remark.customer, time=at, data=data)


def encoded(remark: Remark, at_ms: int, event_id: str) -> bytes:
    """The event as JSON, checked against the contract. ActionError."""
    event = event_of(remark, at_ms, event_id)
    value = encode_event(event)
    if isinstance(event, ev.ActionResulted):  # its released schema names no actor, and allows more fields
        wider = msgspec.json.decode(value)
        wider["data"]["actor"] = remark.actor
        value = msgspec.json.encode(wider)
    try:
        msgspec.json.decode(value, type=type(event))
    except msgspec.ValidationError as wrong:
        raise ActionError(f"this remark is not possible: {wrong}") from wrong
    return value


class ActionWriter:
    """Writes to the control topic; any thread may use it."""

    def __init__(self, client: Mapping[str, Any], topic: str, now_ms: Callable[[], int]) -> None:
        """`now_ms`: the clock by which alerts are judged."""
        self._topic, self._now_ms = topic, now_ms
        self._last_ms = 0
        self._lock = threading.Lock()
        self._producer = Producer(
            {
                **client,
                "acks": "all",
                "enable.idempotence": True,
                "max.in.flight.requests.per.connection": 1,  # docs/decisions/0011
                "partitioner": "murmur2_random",
                "message.timeout.ms": round(ACKNOWLEDGED_WITHIN_S * 1_000),
                "linger.ms": 0,
                "log_level": 0,
                "error_cb": lambda _: None,
            }
        )

    def _next_ms(self) -> int:
        """Now, and later than every remark before: of two at one instant nobody could tell which counts. (By
        the clock of events time stands still while none come.)"""
        with self._lock:
            self._last_ms = max(self._now_ms(), self._last_ms) + 1
            return self._last_ms

    def write(self, remark: Remark) -> tuple[Place, int]:
        """Returns where the event is on the topic, once Kafka has acknowledged it. ActionError; blocks."""
        value = encoded(remark, self._next_ms(), str(uuid.uuid4()))
        answered = threading.Event()
        answer: list[KafkaError | Message] = []

        def heard(error: KafkaError | None, message: Message) -> None:
            answer.append(error or message)
            answered.set()

        try:
            self._producer.produce(
                self._topic, value, remark.customer.encode(), on_delivery=heard, headers=STRUCTURED_HEADERS
            )
        except (BufferError, KafkaException) as error:
            raise ActionError(f"Kafka does not take it: {error}") from error
        while not answered.is_set():
            self._producer.poll(0.05)
        received = answer[0]
        if isinstance(received, KafkaError) and received.code() == KafkaError._MSG_TIMED_OUT:
            text = "Kafka did not answer. Look at the page again before you repeat it: it may have been taken"
            raise UnansweredError(text)
        if isinstance(received, KafkaError):
            raise ActionError(f"Kafka did not take it: {in_words(received)}")
        return (self._topic, received.partition()), received.offset()
