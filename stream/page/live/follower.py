"""Keeps the read store up with the topics, in a thread of its own, until it is stopped.

The offsets are in the transaction of the rows, so it may be killed at any moment. Whatever fails (Kafka, the
store) is told on the pages, which go on serving what there is, and is tried again from the stored offsets.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from stream import __version__
from stream.core.judgement.basis import Basis
from stream.kafka_causes import in_words
from stream.page.faults import fault_places
from stream.page.live.reading_rows import MODEL_NOTE, POLICY_NOTE, SHADOW_NOTE, RowReader
from stream.page.live.record import Read
from stream.page.live.rounds import PAUSE_MIN_S, Rounds
from stream.page.live.row_processes import HandedOut, RowProcesses
from stream.page.live.topics import LostError, PageTopics, UnreachableError, topic_ids
from stream.page.live.watch import wall_ms
from stream.page.store.store import Batch, Place, ReadStore, StoreError
from stream.wire import partition_of

log = logging.getLogger(__name__)
POLL_S, BUSY_POLL_S, BUSY_RECORDS = 0.05, 0.25, 50
"""While so many come at once they are taken together for longer: a row costs less in a large transaction."""
MANY_ROWS = 20_000
"""Where so many rows of customers are to be read, other processes help: they take a second to start."""
WRITTEN_TOGETHER = 20
"""Batches of one transaction meanwhile: each transaction writes all the pages of keys that it touches."""
TOGETHER_S = 5.0
AGAIN_S = 2.0
"""Pause before another attempt."""
TOMBSTONES_KEPT_MS = 20 * 3_600_000
"""A reader that was away for longer may have missed tombstones: Kafka keeps them for a day (the profiles
topic's delete.retention.ms). Then the store is made anew."""
ALIVE_EVERY_MS = 60_000
CAUGHT_UP, LATEST = "caught-up-ms", "latest-ms"
"""Notes in the store: when everything was read last by the wall clock, and the last instant of any row."""


class Follow(Struct, frozen=True):
    """What is followed."""

    client: Mapping[str, Any]
    """The connection settings of librdkafka."""
    group: str
    roles: Mapping[str, Read]
    """Topic -> what it is for."""
    profiles: str
    """The name of the profiles topic."""
    basis: Basis
    """Policy and model of the settings."""
    event_clock: bool = False
    """Time is that of the last event (STREAM_CLOCK=event), not that of the wall."""


class Follower:
    """One thread that reads and writes. What pages ask of it are plain attributes."""

    def __init__(self, follow: Follow, store: ReadStore, ids: Callable[[], Mapping[str, str]] = dict) -> None:
        """`ids`: topic -> Kafka's id of it, as far as somebody has looked lately."""
        self._follow, self._store, self._ids_now = follow, store, ids
        self._ids: Mapping[str, str] = {}
        self._alive_ms = 0
        self._ended = threading.Event()
        self._read = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._reader = RowReader(follow.basis, {}, {})
        self._partitions = 1
        self._latest_ms = 0
        self._indexed, self._wait_s = False, POLL_S
        self._positions: dict[Place, int] = {}
        self.fault: Exception | None = None
        """A fault in this program that ended the thread."""
        self.problem = ""
        """Why the store cannot be kept up at present; empty when it is."""
        self.caught_up = False
        """Everything that was on the topics when reading began has been read."""
        self.revision = 0
        """Grows with every change that pages show."""
        self.lag: Mapping[str, int] = {}
        """Topic -> records that were not read yet."""
        self.behind_since_ms = wall_ms()
        """Since when something was left to be read; 0: nothing is."""

    @property
    def basis(self) -> Basis:
        """Policy and model in force."""
        return self._reader.basis

    @property
    def policies(self) -> list[str]:
        """Which policy is in force and which is a shadow, in words."""
        return self._reader.policies

    def now_ms(self) -> int:
        """The instant that pages are as of."""
        return self._latest_ms if self._follow.event_clock else wall_ms()

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being written, and end."""
        self._ended.set()
        self._thread.join(30)

    def wait_read(self, place: Place, offset: int, timeout_s: float) -> bool:
        """Wait until a record is in the store; False when it takes longer."""
        with self._read:
            return self._read.wait_for(lambda: self._positions.get(place, 0) > offset, timeout_s)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._keep_up()
            except LostError as lost:
                self.problem = f"the read store is made anew: {lost}"
                log.warning("%s", self.problem)
                self._try_to_empty()
            except (UnreachableError, StoreError) as problem:
                self.problem = str(problem)
                log.warning("%s", problem)
                self._ended.wait(AGAIN_S)
            except KafkaException as error:
                self.problem = f"Kafka: {in_words(error.args[0])}"
                log.warning("%s", self.problem)
                self._ended.wait(AGAIN_S)
            except Exception as fault:
                log.error("the dashboard cannot go on: %s", fault_places(fault))
                self.fault, self.problem = fault, "a fault in this program; its log says more"
                return

    def _try_to_empty(self) -> None:
        try:
            self._store.empty("lost")
        except StoreError as problem:
            self.problem = str(problem)
            self._ended.wait(AGAIN_S)

    def _keep_up(self) -> None:
        topics = PageTopics(self._follow.client, self._follow.group, self._follow.roles)
        try:
            self._open(topics)
            if topics.left(self._follow.profiles) >= MANY_ROWS:
                self._read_many(topics)
            rounds = self._rounds()
            while not self._ended.is_set():
                self._check_ids()
                busy = self._take(topics)
                if topics.caught_up:
                    self._index()
                    self._note_caught_up(rounds)
                    busy = self._look_again(rounds) or busy
                self._note_lag(topics)
                if busy:
                    self.problem = ""
        finally:
            topics.close()

    def _open(self, topics: PageTopics) -> None:
        partitions = topics.partitions()
        self._partitions = partitions[self._follow.profiles]
        self._ids = topic_ids(AdminClient({**self._follow.client, "log_level": 0}), self._follow.roles)
        source = self._fingerprint(self._ids)
        if self._store.open_for(source, growing=True) and self._was_away_too_long():
            log.warning(
                "the read store is made anew: it was not kept up for so long that erasures may be missing"
            )
            self._store.empty(source)
        known = self._store.positions()
        models, policies = self._noted(MODEL_NOTE), self._noted(POLICY_NOTE)
        self._reader = RowReader(self._follow.basis, known, models, policies)
        raised = self._store.note(SHADOW_NOTE)
        self._reader.shadow_raised = json.loads(raised) if raised else {}
        self._latest_ms = int(self._store.note(LATEST) or 0)
        self._positions = {place: position.next for place, position in known.items()}
        topics.begin(known)
        self.problem, self.caught_up, self._indexed = "", False, False

    def _noted(self, note: str) -> dict[int, bytes]:
        """Partition -> the row that a note of the store keeps, where there is one."""
        rows = {place: self._store.note(f"{note}{place}").encode() for place in range(self._partitions)}
        return {place: row for place, row in rows.items() if row}

    def _fingerprint(self, ids: Mapping[str, str]) -> str:
        basis = self._follow.basis
        named = sorted(ids)
        parts = [__version__, basis.policy.hash, basis.model.version, *named, *map(ids.get, named)]
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()

    def _check_ids(self) -> None:
        now = self._ids_now()
        again = [topic for topic, known in self._ids.items() if now.get(topic, known) != known]
        if again:
            raise LostError(f"{', '.join(again)} was created again")

    def _was_away_too_long(self) -> bool:
        known_ms = int(self._store.note(CAUGHT_UP) or 0)
        return bool(known_ms) and wall_ms() - known_ms > TOMBSTONES_KEPT_MS

    def _rounds(self) -> Rounds:
        def basis_of(customer: str) -> Basis:
            return self._reader.basis_of(partition_of(customer.encode(), self._partitions))

        pause_min_s = 1.0 if self._follow.event_clock else PAUSE_MIN_S
        return Rounds(self._store, basis_of, self.now_ms, pause_min_s=pause_min_s)

    def _read_many(self, topics: PageTopics) -> None:
        """Read to the end; the customers are looked at by other processes meanwhile."""
        with RowProcesses(self._follow.basis) as processes:
            handed = HandedOut(self._reader, processes)
            while not self._ended.is_set() and (handed.waiting or not topics.caught_up):
                written, began_s = list[Batch](), time.monotonic()
                with self._store.together():
                    while len(written) < WRITTEN_TOGETHER and time.monotonic() - began_s < TOGETHER_S:
                        if not handed.is_full and not topics.caught_up:
                            self._hand_out(topics, handed)
                        elif handed.waiting:
                            written.append(self._write(handed.next_batch(self._now_after)))
                        else:
                            break
                for batch in written:
                    self._note_read(batch)

    def _hand_out(self, topics: PageTopics, handed: HandedOut) -> None:
        self._check_ids()
        if records := topics.poll(POLL_S):
            handed.add(records, self._now_after)
            self._note_lag(topics)

    def _index(self) -> None:
        """The first time that everything was read."""
        if not self._indexed:
            if not self._store.is_indexed:
                self._store.index()
            self._indexed = True

    def _take(self, topics: PageTopics) -> bool:
        records = topics.poll(self._wait_s)
        self._wait_s = BUSY_POLL_S if len(records) >= BUSY_RECORDS else POLL_S
        if not records:
            return False
        self._note_read(self._write(self._reader.batch(records, self._now_after)))
        return True

    def _write(self, batch: Batch) -> Batch:
        batch.notes[LATEST] = str(self._latest_ms)
        self._store.write(batch)
        return batch

    def _now_after(self) -> int:
        self._latest_ms = max(self._latest_ms, self._reader.latest_ms)
        return self.now_ms()

    def _note_read(self, batch: Batch) -> None:
        with self._read:
            self._positions |= {place: position.next for place, position in batch.offsets.items()}
            self._read.notify_all()
        self.revision += 1

    def _note_caught_up(self, rounds: Rounds) -> None:
        if not self.caught_up:
            self.caught_up = True
            rounds.begin_at_once()
        if wall_ms() - self._alive_ms > ALIVE_EVERY_MS:
            self._alive_ms = wall_ms()
            self._store.write(Batch(notes={CAUGHT_UP: str(self._alive_ms)}))

    def _look_again(self, rounds: Rounds) -> bool:
        if self._reader.model_changed:
            self._reader.model_changed = False
            rounds.begin_at_once()
        busy = rounds.step()
        if busy and not rounds.running:
            self.revision += 1
        return busy

    def _note_lag(self, topics: PageTopics) -> None:
        self.lag = topics.lag()
        behind = not topics.caught_up or any(self.lag.values())
        self.behind_since_ms = (self.behind_since_ms or wall_ms()) if behind else 0
        if not behind:
            self.problem = ""
