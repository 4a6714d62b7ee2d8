"""The Faust agent that keeps the profiles and sends the alerts: `keep_profiles`, sole writer of the table.

The rolling profile of a customer (recency, frequency, basket size, engagement, sentiment, lifetime value,
tier) is kept by `ProfileProcessor.apply`: each event is folded into it by `stream/core/facts/fold.py`, those
of one customer and instant together, whatever topics they come from (docs/decisions/0017). The
alert agent for churn risk, upgrade opportunity and at-risk loyal customers is the same agent: after each
fold `stream/core/step.py` asks the three rules of `stream/core/judgement/rules.py`, and `_send_alerts` sends
what they decide to the alerts topic.

Profile and alerts share one agent and one flush for two reasons. A row has one writer, so two events of a
customer can never overwrite each other's changes. And an alert and the row that remembers it (its outbox)
become durable together, so a crash neither loses an alert nor raises it twice under another id
(docs/decisions/0002, 0009).

The moments of a lane (one partition number of all inputs) are what arrived and what fell due in between.
There is no await within a moment, so a flush always sees whole rows. In a long batch the event loop may
breathe between two moments; nothing of the lane is flushed then.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from msgspec import Raw

from stream.core.alerts.alert import Alert
from stream.core.events.event import ClockTicked, ModelPublished, PolicyPublished
from stream.core.facts.profile import JUDGEMENT
from stream.core.judgement.basis import Basis
from stream.core.step import Outcome, Step, on_event
from stream.engine import Arrival, EngineApp, Lane, Moment, Timer, Unsent
from stream.wire import Unknown, encode_alert
from stream.worker.breathing import breathing
from stream.worker.kafka.dead_letter import DeadLetterLimit
from stream.worker.kafka.topics import TopicNames
from stream.worker.monitoring.batch_counts import BatchCounts
from stream.worker.publications import Publications
from stream.worker.rejections import Rejections
from stream.worker.rows.bars import ErasureBars
from stream.worker.rows.bases import PartitionBases
from stream.worker.rows.codec import RejectedRecord
from stream.worker.rows.row import LiveRow, Spoilt, StoredRow
from stream.worker.rows.shadows import Shadows
from stream.worker.rows.spoilt import ROW_UNREADABLE, SetAside
from stream.worker.rows.views import ViewWriter

log = logging.getLogger("stream.worker")
ALERT_HEADERS = (("content-type", b"application/cloudevents+json"),)


def attach(app: EngineApp[LiveRow], processor: ProfileProcessor) -> None:
    """Register the agent with the app."""

    @app.processor
    async def keep_profiles(lanes: AsyncIterator[Lane[LiveRow]]) -> None:
        async for lane in lanes:
            started_s = time.monotonic()
            await breathing(lane, processor.apply, processor.abandon)
            processor.end_batch(time.monotonic() - started_s)
            await lane.flush_if_due()


class ProfileProcessor:
    """Folds events into profiles and sends the alerts and dead letters that follow; begin with `apply`."""

    def __init__(
        self, basis: Basis, topics: TopicNames, limit: DeadLetterLimit, counts: BatchCounts, bars: ErasureBars
    ) -> None:
        self.counts, self._topics, self._bars = counts, topics, bars
        self._set_aside = SetAside(topics.profiles, topics.deadletter)
        self._rejections = Rejections(topics.deadletter, limit, counts)
        self.bases = PartitionBases(basis)
        self._shadows = Shadows(self.bases)
        publications = Publications(self._shadows, self._rejections, counts, self._row, self._keep)
        self.views: ViewWriter | None = None
        self.basis_of = self.bases.basis_of
        self._instant: list[Arrival] = []
        """Arrivals of one key and instant that wait for the last of them; empty between two batches."""
        self._special: dict[type, Callable[[Lane[LiveRow], Arrival, Any], Iterator[None] | None]] = {
            RejectedRecord: self._rejections.reject,
            Unknown: self._pass_by,
            ClockTicked: self._pass_by,
            ModelPublished: publications.adopt_model,
            PolicyPublished: publications.adopt_policy,
        }
        """What to do with an arrival that is no event of one customer."""

    def apply(self, lane: Lane[LiveRow], moment: Moment) -> Iterator[None] | None:
        """One moment: a record arrived, a review is due, or an outbox may not have been sent.

        Returns what is left to do of a moment that is much work, in small parts: iterate it to its end.
        """
        if type(moment) is Arrival:
            return self._arrived(lane, moment)
        if type(moment) is Timer:
            row = self._row(lane, moment.key)
            if row is None or row.profile is None or self._bars.due(lane, moment.key, row, moment.at_ms):
                return None
            step = self._shadows.review(lane, row, row.profile, moment.at_ms)
            self._keep(lane, moment.key, row, step, None)
        elif type(moment) is Unsent:
            self._send_again(lane, moment.key)
        return None

    def write_views(self, asked: str) -> None:
        """Write profile views, if STREAM_PROFILES_VIEW asks for them; each lane must know of `views`."""
        self.views = None if asked == "off" else ViewWriter(self._topics.view, self.basis_of)

    def abandon(self) -> None:
        """The lane of this batch was closed before the end of its moments."""
        self._instant = []

    def end_batch(self, seconds: float) -> None:
        """Publish the counts; EngineError(DEAD_LETTERS) when too many recent records were rejected."""
        self.counts.publish(seconds)
        self._rejections.end_batch()

    def _arrived(self, lane: Lane[LiveRow], arrival: Arrival) -> Iterator[None] | None:
        """Fold a customer's event into the row, together with others of its instant; anything else goes to
        its entry in `_special`."""
        self._rejections.total += 1
        event = arrival.event
        special = self._special.get(type(event))
        basis = self.basis_of(lane)  # PartitionBases must see a lane before the lane's first commit
        rest = None
        if special is not None:
            rest = special(lane, arrival, event)
        elif arrival.more or self._instant or lane.partition in self.bases.shadows:
            self._instant.append(arrival)
        else:
            self._fold(lane, arrival, basis)
        if self._instant and not arrival.more:
            arrivals, self._instant = self._instant, []
            self._fold_together(lane, arrivals, basis)
        return rest

    def _fold(self, lane: Lane[LiveRow], arrival: Arrival, basis: Basis) -> None:
        topic, row = arrival.topic, self._row(lane, arrival.key)
        if row is not None and arrival.offset < row.applied.get(topic, 0):  # read again after a crash
            self.counts.event(topic, arrival.event, "deduplicated")
            return
        profile, at_ms = row.profile if row is not None else None, arrival.time_ms
        step = self._bars.turned_away(row, at_ms) or on_event(profile, arrival.event, basis, at_ms)
        self.counts.step(topic, arrival.event, step.outcome, basis, late=step.late)
        self._note_applied(lane, row, step, [arrival])

    def _fold_together(self, lane: Lane[LiveRow], arrivals: list[Arrival], basis: Basis) -> None:
        """Fold arrivals of one customer that the lane orders as one instant: those of the same event time are
        judged once, late ones before the others."""
        row = self._row(lane, arrivals[0].key)
        applied = dict(row.applied) if row is not None else {}
        by_time: defaultdict[int, list[Arrival]] = defaultdict(list)
        for arrival in arrivals:
            if arrival.offset < applied.get(arrival.topic, 0):
                self.counts.event(arrival.topic, arrival.event, "deduplicated")
            else:
                by_time[arrival.event.time_ms].append(arrival)
        for time_ms in sorted(by_time):
            group = by_time[time_ms]
            step = self._bars.turned_away(row, time_ms)
            outcomes: tuple[Outcome, ...] = (step.outcome,) * len(group) if step is not None else ()
            if step is None:
                step, outcomes = self._shadows.instant(lane, row, [each.event for each in group], basis)
            for arrival, outcome in zip(group, outcomes, strict=True):
                late = step.late and outcome == "applied"
                self.counts.step(arrival.topic, arrival.event, outcome, basis, late=late)
            row = self._note_applied(lane, row, step, group)

    def _note_applied(
        self, lane: Lane[LiveRow], row: LiveRow | None, step: Step, arrivals: list[Arrival]
    ) -> LiveRow | None:
        """Keep what a step made of arrivals of one customer; the row, or None if there is still none."""
        if row is None and step.profile is None:
            return None
        row = row or LiveRow(StoredRow())
        is_new = row.profile is None or row.profile.erased_ms
        if is_new:  # a new customer is judged by the published model from the beginning
            for topic_adopted, offset in self.bases.adopted_offsets(lane).items():
                row.applied[topic_adopted] = max(offset, row.applied.get(topic_adopted, 0))
        for arrival in arrivals:
            row.applied[arrival.topic] = max(arrival.offset + 1, row.applied.get(arrival.topic, 0))
        self._keep(lane, arrivals[0].key, row, step, arrivals[-1])
        return row

    def _row(self, lane: Lane[LiveRow], key: bytes) -> LiveRow | None:
        """The row of a key; one that could not be read is set aside first (rows/spoilt.py)."""
        row = lane.get(key)
        if row is None:
            return self._bars.row_of(lane, key)
        if row.spoilt is not None:
            spoilt, row.spoilt = row.spoilt, None
            row.forget_sent(lane.committed_flush)
            self._tell_of(lane, key, row, spoilt)
            self._put(lane, key, row)
        return row

    def _tell_of(self, lane: Lane[LiveRow], key: bytes, row: LiveRow, spoilt: Spoilt) -> None:
        """Send the dead letter of a row, or of a section of one, that cannot be read."""
        self._set_aside.send(lane, key, row, spoilt)
        self.counts.row_set_aside(self._topics.profiles, ROW_UNREADABLE)

    def _pass_by(self, lane: Lane[LiveRow], arrival: Arrival, event: Any) -> None:
        """Count it only: a tick has moved the lane's clock already, an unknown type is ignored."""
        self.counts.event(arrival.topic, event, "ignored" if type(event) is Unknown else "applied")

    def _keep(
        self, lane: Lane[LiveRow], key: bytes, row: LiveRow, step: Step, arrival: Arrival | None
    ) -> None:
        """Put the changed row and its alerts into the next flush."""
        self._bars.came_back(row, step.profile)
        row.profile = step.profile
        row.changed |= step.changed
        if step.changed & JUDGEMENT and step.profile is not None:
            self.counts.judged(row, step.profile.judgement, lane, self.basis_of)
        row.forget_sent(lane.committed_flush)
        if step.alerts:
            self._send_alerts(lane, key, row, step.alerts, arrival)
        if step.shadow is not None:
            row.shadow = step.shadow
            if step.shadow_alerts:
                self._send_alerts(lane, key, row, step.shadow_alerts, arrival, by_shadow=True)
        elif row.shadow is not None:
            self._shadows.drop_if_over(lane, row)
        for spoilt in row.set_right(step.changed):
            self._tell_of(lane, key, row, spoilt)
        self._put(lane, key, row)

    def _send_alerts(
        self,
        lane: Lane[LiveRow],
        key: bytes,
        row: LiveRow,
        alerts: tuple[Alert, ...],
        arrival: Arrival | None,
        *,
        by_shadow: bool = False,
    ) -> None:
        """Queue alerts of one customer for the lane's next flush, and put them into the outbox of the row.

        There until that flush is committed: after a crash they are sent again, under the same ids. `key` is
        the customer id. `arrival` is the record that led to them, None when time did.
        """
        outbox = row.shadow_outbox if by_shadow else row.outbox
        topic = self._topics.shadow if by_shadow else self._topics.alerts
        for alert in alerts:
            body = encode_alert(alert)
            outbox.append(Raw(body))
            row.outbox_flush = lane.flush_number
            self._send_alert(lane, key, body, arrival, topic)
            self.counts.alert(lane, alert, by_shadow=by_shadow)

    def _put(self, lane: Lane[LiveRow], key: bytes, row: LiveRow) -> None:
        """A row without profile keeps only `applied`, and is deleted when those offsets are committed."""
        if row.profile is None:
            lane.delete_after(key, row, row.applied)
        elif not (row.profile.erased_ms and self._bars.put(lane, key, row)):
            lane.put(key, row)

    def _send_alert(
        self, lane: Lane[LiveRow], key: bytes, body: bytes, arrival: Arrival | None, topic: str
    ) -> None:
        """The input record that led to an alert is named in a header: the body must not depend on offsets."""
        headers = list(ALERT_HEADERS)
        if arrival is not None:
            origin = f"{arrival.topic}/{arrival.partition}/{arrival.offset}"
            headers.append(("x-origin", origin.encode()))
        lane.send(topic, key, body, headers, lane.partition, row=key)

    def _send_again(self, lane: Lane[LiveRow], key: bytes) -> None:
        """After a crash: a row's outbox or view may not have been sent. A repeat has the same id."""
        row = lane.get(key)
        if row is None:
            if self.views is not None:
                self.views.gone(lane, key)
            return
        unsent, set_aside = row.outbox_flush > lane.committed_flush, list(row.set_aside)
        self._row(lane, key)  # sends the dead letter of a row that cannot be read
        if unsent:
            for topic, outbox in (
                (self._topics.alerts, row.outbox),
                (self._topics.shadow, row.shadow_outbox),
            ):
                for body in outbox:
                    self._send_alert(lane, key, bytes(body), None, topic)
            for spoilt in set_aside:
                self._set_aside.send(lane, key, row, spoilt)
            row.outbox_flush = lane.flush_number
        row.view = ""
        self._put(lane, key, row)
