"""A model of the Kafka that outlives a worker: any part of a flush may be written when the worker dies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.view.build import profile_view
from stream.engine import Outgoing
from stream.engine.output.flush import ALL
from stream.engine.partition_id import PartitionId
from stream.engine.state.epoch import FENCE_KEY
from stream.engine.task.commit_point import CommitPoint
from stream.wire import encode_profile_view
from stream.worker.rows.row import StoredRow
from tests.support.narrow import not_none
from tests.support.pipe import NAMES, TOPICS, Pipe, Wall, by_topic

TPS = [PartitionId(topic, 0) for topic in TOPICS]


class LastingKafka:
    """What outlives a worker: compacted rows and views, committed points, alerts that went out."""

    def __init__(
        self,
        story: Sequence[Event],
        views: Literal["on", "off"] = "on",
        erasure_key: str = "",
        wall: Wall | None = None,
    ) -> None:
        self.story, self.erasure_key, self.wall = story, erasure_key, wall
        self.asked = views
        self.views: dict[bytes, bytes] = {}
        self.written_views = 0
        self.rows: dict[bytes, bytes] = {}
        self.points = dict.fromkeys(TPS, CommitPoint(0, live=wall is not None))
        self.alerts: set[bytes] = set()
        self.void: set[bytes] = set()
        """Keys whose last record a replaced worker wrote."""
        self._early: list[Outgoing] = []  # sent before their rows; not acknowledged yet
        self.shadow_alerts: set[bytes] = set()

    def write(self, rows: list[tuple[bytes, bytes | None]]) -> None:
        for key, row in rows:
            self.void.discard(key)
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row

    def send(self, records: list[Outgoing]) -> None:
        for each in records:
            key = not_none(each.key)
            if each.topic == NAMES.shadow:
                self.shadow_alerts.add(not_none(each.value))
            elif each.topic != NAMES.view:
                self.alerts.add(not_none(each.value))
            elif each.value is None:
                self.views.pop(key, None)
            else:
                self.views[key] = each.value
            self.written_views += each.topic == NAMES.view

    def worker(self) -> Pipe:
        pipe = Pipe(guarded=False, views=self.asked, erasure_key=self.erasure_key, wall=self.wall)
        epochs = [(FENCE_KEY, None, 2)] if self.void else []
        valid = [(*row, 2 if self.void else None) for row in self.rows.items()]
        void = [(key, b"{}", 1) for key in sorted(self.void)]
        pipe.lane.table.apply_changelog([*epochs, *valid, *void])
        pipe.lane.table.index()
        pipe.lane.start_at(self.points)
        return pipe

    def read(self, pipe: Pipe, count: int) -> None:
        """What is not read yet of the first `count` events."""
        for topic, events in by_topic(self.story[:count]).items():
            pipe.arrive(topic, events[pipe.sources[topic].expected :])
        pipe.live()

    def replaced_worker_writes(self, key: bytes) -> None:
        """A worker that was replaced writes a row, which is void, and the view beside it, which is not."""
        self.void.add(key)
        self.views[key] = b"of a replaced worker"

    def send_early(self, pipe: Pipe) -> None:
        """Alerts leave before their rows; they are durable with the next flush that is."""

        def send(records: list[Outgoing]) -> list[Outgoing]:
            self._early += records
            return []

        pipe.lane.offer_outgoing(send)

    def flush(self, pipe: Pipe, survives: Any = None, row_limit: int = ALL) -> None:
        """A flush becomes durable, or just what `survives`, and then the worker is gone."""
        lane = pipe.lane
        batch = lane.take_batch(row_limit)
        sent, self._early = self._early + batch.outgoing, []
        if survives is not None:
            self.write([each for each in batch.rows if survives()])
            self.send([each for each in sent if survives()])
            return
        self.write(batch.rows)
        self.send(sent)
        self.points = batch.points
        lane.note_durable(batch)

    def settle(self, pipe: Pipe) -> None:
        while pipe.lane.dirty:
            self.flush(pipe)

    def found(self) -> tuple[dict[bytes, bytes], set[bytes]]:
        """Profiles and alerts. How many flushes there were is no part of it."""
        return {key: msgspec.json.encode(profile) for key, profile in self.profiles().items()}, self.alerts

    def profiles(self) -> dict[bytes, Profile | None]:
        return {key: msgspec.json.decode(row, type=StoredRow).profile for key, row in self.rows.items()}

    def wanted_views(self, judged_by: Basis) -> dict[bytes, bytes]:
        """What the view topic must hold: the view of every profile, and no other."""
        views = {key: profile_view(profile, judged_by) for key, profile in self.profiles().items() if profile}
        return {key: encode_profile_view(view) for key, view in views.items() if view is not None}


def lived(story: Sequence[Event], **more: Any) -> LastingKafka:
    """After all events in order of time, each flush whole, and no crash."""
    kafka = LastingKafka(sorted(story, key=lambda event: event.time), **more)
    worker = kafka.worker()
    kafka.read(worker, len(story))
    kafka.settle(worker)
    return kafka
