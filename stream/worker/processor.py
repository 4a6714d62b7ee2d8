"""What the worker does at each moment: fold the event, keep the profile, send what was decided.

A lane is one partition number of all inputs; its moments are what arrived, in order of event time, and what
fell due in between. `keep_profiles` is the only writer of the table. Its loop has no await: the row that
remembers an alert is in the flush to come, and the offset is committed when both are acknowledged
(docs/decisions/0002, 0009). What is judged, and how: stream/core/step.py. What comes after: stream/engine.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from msgspec import Raw

from stream.core.alerts.alert import Alert
from stream.core.events.event import ClockTicked, ModelPublished
from stream.core.judgement.basis import Book
from stream.core.model.record import ModelError, decode_model
from stream.core.step import Step, on_book, on_due, on_event
from stream.engine import Arrival, Due, EngineApp, EngineError, Exit, Lane, Moment, Unsent
from stream.wire import Unknown, encode_alert, encode_event
from stream.worker.kafka.dead_letter import DeadLetterLimit, Source, dead_letter
from stream.worker.kafka.topics import TopicNames
from stream.worker.monitoring.tally import Tally
from stream.worker.rows.models import Models
from stream.worker.rows.row import LiveRow, Refused, Row

ALERT_HEADERS = (("content-type", b"application/cloudevents+json"),)


def attach(app: EngineApp[LiveRow], keeper: ProfileKeeper) -> None:
    """Give the app its agent."""

    @app.keeper
    async def keep_profiles(lanes: AsyncIterator[Lane[LiveRow]]) -> None:
        async for lane in lanes:
            started_s = time.monotonic()
            for moment in lane.moments():
                keeper.live(lane, moment)
            keeper.pause(time.monotonic() - started_s)
            await lane.flush_when_due()


class ProfileKeeper:
    """Folds events into profiles and sends what follows from them: read from `live` down."""

    def __init__(self, book: Book, topics: TopicNames, limit: DeadLetterLimit, tally: Tally) -> None:
        self.tally = tally
        self._topics = topics
        self._limit = limit
        self._models = Models(book)
        self._book_of = self._models.book_of
        self._total = self._refused = 0
        self._ways: dict[type, Callable[[Lane[LiveRow], Arrival, Any], None]] = {
            Refused: self._refuse,
            Unknown: self._pass,
            ClockTicked: self._pass,
            ModelPublished: self._adopt,
        }

    def live(self, lane: Lane[LiveRow], moment: Moment) -> None:
        """One moment of one partition: something arrived, or something is due."""
        if type(moment) is Arrival:
            self._arrived(lane, moment)
        elif type(moment) is Due:
            row = lane.get(moment.key)
            if row is not None and row.profile is not None:
                step = on_due(row.profile, moment.at_ms, self._book_of(lane))
                self._keep(lane, moment.key, row, step, None)
        elif type(moment) is Unsent:
            self._send_again(lane, moment.key)

    def pause(self, seconds: float) -> None:
        """All moments at hand were lived: count them, and stop when too much was refused."""
        line = self._limit.count(self._total, self._refused)
        self._total = self._refused = 0
        self.tally.publish(seconds)
        if line is not None:
            raise EngineError(Exit.DEAD_LETTERS, line)

    def _arrived(self, lane: Lane[LiveRow], arrival: Arrival) -> None:
        """Fold an event; all that is no customer's event has its own way."""
        self._total += 1
        event = arrival.event
        way = self._ways.get(type(event))
        book = self._book_of(lane)  # the first look at a lane must come before its first commit
        if way is not None:
            way(lane, arrival, event)
            return
        key, topic = arrival.key, arrival.topic
        row = lane.get(key)
        if row is not None and arrival.offset < row.applied.get(topic, 0):  # it comes again, after a crash
            self.tally.event(topic, event, "deduplicated")
            return
        step = on_event(row.profile if row is not None else None, event, book, arrival.time_ms)
        self.tally.step(topic, event, step)
        if row is None:
            if step.profile is None:
                return
            row = LiveRow(Row())
        if row.profile is None:  # a new customer: judged by the model published last from the beginning
            for topic_adopted, offset in self._models.adopted(lane).items():
                row.applied[topic_adopted] = max(offset, row.applied.get(topic_adopted, 0))
        row.applied[topic] = arrival.offset + 1
        self._keep(lane, key, row, step, arrival)

    def _pass(self, lane: Lane[LiveRow], arrival: Arrival, event: Any) -> None:
        """A tick moved the clock already; a type nobody here knows is counted."""
        self.tally.event(arrival.topic, event, "ignored" if type(event) is Unknown else "applied")

    def _keep(
        self, lane: Lane[LiveRow], key: bytes, row: LiveRow, step: Step, arrival: Arrival | None
    ) -> None:
        """The row as it is now, and its alerts, into the flush to come."""
        row.profile = step.profile
        row.changed |= step.changed
        if row.outbox_flush and row.outbox_flush <= lane.committed_flush:
            row.outbox, row.outbox_flush = [], 0
        if step.alerts:
            self._announce(lane, key, row, step.alerts, arrival)
        self._put(lane, key, row)

    def _announce(
        self,
        lane: Lane[LiveRow],
        key: bytes,
        row: LiveRow,
        alerts: tuple[Alert, ...],
        arrival: Arrival | None,
    ) -> None:
        """Alerts go out, and into the outbox of the row that remembers them."""
        for alert in alerts:
            body = encode_alert(alert)
            row.outbox.append(Raw(body))
            row.outbox_flush = lane.flush_number
            self._say(lane, key, body, arrival)
            self.tally.alert(lane, alert)

    def _put(self, lane: Lane[LiveRow], key: bytes, row: LiveRow) -> None:
        """Without a profile only what was applied is kept of the customer, until it cannot come again."""
        if row.profile is None:
            lane.leave(key, row, row.applied)
        else:
            lane.put(key, row)

    def _say(self, lane: Lane[LiveRow], key: bytes, body: bytes, arrival: Arrival | None) -> None:
        """The alert as it goes out. Where it came from is a header: the body is the same everywhere."""
        headers = list(ALERT_HEADERS)
        if arrival is not None:
            origin = f"{arrival.topic}/{arrival.partition}/{arrival.offset}"
            headers.append(("x-origin", origin.encode()))
        lane.send(self._topics.alerts, key, body, headers, lane.partition, row=key)

    def _send_again(self, lane: Lane[LiveRow], key: bytes) -> None:
        """After a crash: these may not have gone out. Their ids make a second time harmless."""
        row = lane.get(key)
        if row is None:
            return
        for body in row.outbox:
            self._say(lane, key, bytes(body), None)
        row.outbox_flush = lane.flush_number
        self._put(lane, key, row)

    def _refuse(self, lane: Lane[LiveRow], arrival: Arrival, refused: Refused) -> None:
        record, rejected = refused.record, refused.rejected
        source = Source(
            arrival.topic, arrival.partition, arrival.offset, record.key, record.value, record.headers
        )
        self._set_aside(lane, source, str(rejected.reason), rejected.detail)

    def _set_aside(self, lane: Lane[LiveRow], source: Source, reason: str, detail: str) -> None:
        letter = dead_letter(source, reason, detail)
        headers = [(name, value or b"") for name, value in letter.headers]
        lane.send(self._topics.deadletter, letter.key, letter.value, headers, lane.partition)
        self._refused += 1
        self.tally.refused(source.topic, reason)

    def _adopt(self, lane: Lane[LiveRow], arrival: Arrival, event: ModelPublished) -> None:
        """A model was published: everyone of this partition is judged by it, from the event's time on."""
        try:
            model = decode_model(event.data.model)
        except ModelError as error:
            record = Source(
                arrival.topic, arrival.partition, arrival.offset, arrival.key, encode_event(event)
            )
            self._set_aside(lane, record, "schema", str(error))
            return
        book = self._models.adopt(lane, arrival, event, model)
        for key in lane.table.all_keys():
            row = lane.get(key)
            if row is None or row.profile is None or row.applied.get(arrival.topic, 0) > arrival.offset:
                continue  # after a crash: judged by it already
            row.applied[arrival.topic] = arrival.offset + 1
            self._keep(lane, key, row, on_book(row.profile, event.time_ms, book), arrival)
        self.tally.event(arrival.topic, event, "applied")
