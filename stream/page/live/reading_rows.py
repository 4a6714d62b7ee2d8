"""Records of the topics become rows of the read store: pure, apart from a line of log for a fault of ours.

A profile that cannot be read costs its customer: the row is taken out, since an older one would be wrong, and
it is counted. Rows of a replaced worker are void (docs/decisions/0007). Each customer is looked at by the
model of their partition, as a worker does.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec import Struct, field

from stream.core.alerts.alert import Alert
from stream.core.facts.versions import ForeignProfileError
from stream.core.judgement.basis import Basis
from stream.core.model.document import ModelError
from stream.core.model.record import Model
from stream.engine.state.epoch import epoch_in
from stream.page.entries import alert_entry
from stream.page.live.control_rows import control_rows
from stream.page.live.looking import UNREADABLE_ROW, NewRow, Seen, look_at, read_rows
from stream.page.live.record import PageRecord
from stream.page.remarks import NotCounted
from stream.page.store.store import Batch, Place, ReadUpTo
from stream.worker.rows.models import model_in_force
from stream.worker.rows.row import MODEL_KEY, OWN_ROWS
from stream.worker.rows.stored import UNREADABLE, read_row

log = logging.getLogger(__name__)
MODEL_NOTE = "model-row-"
"""With the partition: the name of the note that keeps the row of its published model."""

_read_alert = msgspec.json.Decoder(Alert).decode


class Gathered(Struct):
    """What records come to before their customers are looked at."""

    rows: dict[str, NewRow] = field(default_factory=dict)
    """Customer -> the newest row."""
    batch: Batch = field(default_factory=Batch)
    not_counted: Counter[tuple[int, str, str]] = field(default_factory=Counter)


class RowReader:
    """Turns records into batches. `epochs` and `models` are what earlier records said."""

    def __init__(
        self, basis: Basis, positions: Mapping[Place, ReadUpTo], model_rows: Mapping[int, bytes]
    ) -> None:
        """`basis`: policy and model of the settings. `model_rows`: partition -> stored row of its model."""
        self._configured = basis
        self._bases: dict[int, Basis] = {}
        self._epochs = {place: position.epoch for place, position in positions.items()}
        for partition, row in model_rows.items():
            self._adopt(partition, row)
        self.latest_ms = 0
        """The last instant that any row or alert knows of."""
        self.model_changed = False
        """A model was published since this was last set to False: all rows are to be looked at anew."""

    def basis_of(self, partition: int) -> Basis:
        """What customers of a partition are looked at with."""
        return self._bases.get(partition, self._configured)

    @property
    def models(self) -> dict[int, Model]:
        """Partition -> its published model, where it has one."""
        return {partition: basis.model for partition, basis in self._bases.items()}

    @property
    def basis(self) -> Basis:
        """That of the first partition that has a published model, for the words of pages."""
        return self._bases[min(self._bases)] if self._bases else self._configured

    def batch(self, records: Iterable[PageRecord], now_ms: Callable[[], int]) -> Batch:
        """The rows of these records, in their order; `now_ms` is asked once the records are known."""
        news, seen = self.gather(records), Seen()
        known = read_rows(news.rows.values(), self._configured.meaning.digest, seen)
        self.latest_ms = max(self.latest_ms, known.latest_ms)
        look_at(known, now_ms(), self.basis_of, seen)
        return self.put_together(news, seen)

    def gather(self, records: Iterable[PageRecord]) -> Gathered:
        """All that the order of records decides; their customers are still to be looked at."""
        news = Gathered()
        take = {
            "profiles": self._take_profile,
            "alerts": self._take_alert,
            "control": self._take_control,
            "deadletter": self._take_dead_letter,
        }
        for record in records:
            take[record.role](record, news)
            place = record.topic, record.partition
            news.batch.offsets[place] = ReadUpTo(record.offset + 1, self._epochs.get(place, 0))
        return news

    def put_together(self, news: Gathered, seen: Seen) -> Batch:
        """The batch of what was gathered and what its customers look like."""
        for row, reason in seen.not_counted:
            self._count(row, reason, news)
        batch = news.batch
        batch.customers, batch.profiles, batch.opened = seen.customers, seen.profiles, seen.opened
        batch.erased, batch.unseen = seen.erased, seen.unseen
        news.batch.not_counted = [NotCounted(*key, count) for key, count in news.not_counted.items()]
        return news.batch

    def _take_profile(self, record: PageRecord, news: Gathered) -> None:
        place, epoch = (record.topic, record.partition), epoch_in(record.headers)
        if epoch is not None:
            if epoch < self._epochs.get(place, 0):
                return
            self._epochs[place] = epoch
        if record.key is None:
            return
        if record.key.startswith(OWN_ROWS):
            if record.key == MODEL_KEY and record.value:
                self._adopt(record.partition, record.value)
                news.batch.notes[f"{MODEL_NOTE}{record.partition}"] = record.value.decode("utf-8", "replace")
            return
        customer = record.key.decode("utf-8", "replace")
        row = NewRow(customer, record.value or b"", record.topic, record.partition, record.at_ms)
        news.rows[customer] = row

    def _take_alert(self, record: PageRecord, news: Gathered) -> None:
        if not record.value:
            return
        try:
            entry = alert_entry(_read_alert(record.value))
        except (*UNREADABLE, ValueError, OverflowError):
            self._count(record, UNREADABLE_ROW, news)
            return
        news.batch.alerts.append(entry)
        self.latest_ms = max(self.latest_ms, entry.at_ms)

    def _take_control(self, record: PageRecord, news: Gathered) -> None:
        control_rows(record, news.batch)
        for remarks in (news.batch.actions, news.batch.mutes):
            if remarks:
                self.latest_ms = max(self.latest_ms, remarks[-1].at_ms)

    def _take_dead_letter(self, record: PageRecord, news: Gathered) -> None:
        headers = dict(record.headers)
        reason = (headers.get("x-dlq-reason") or b"unknown").decode("utf-8", "replace")[:64]
        topic = (headers.get("__connect.errors.topic") or b"unknown").decode("utf-8", "replace")[:256]
        self._count(record, reason, news, topic)

    def _count(self, record: PageRecord | NewRow, reason: str, news: Gathered, source: str = "") -> None:
        day = self._configured.meaning.calendar.local_day(record.at_ms)
        news.not_counted[day, source or record.topic, reason] += 1

    def _adopt(self, partition: int, row: bytes) -> None:
        try:
            model = model_in_force(read_row(row), self._configured.model)
        except (*UNREADABLE, ForeignProfileError, ModelError) as fault:
            log.warning("partition %d: the published model cannot be read: %s", partition, fault)
            return
        if model.version == self.basis_of(partition).model.version:
            return
        self._bases[partition] = next(
            (basis for basis in self._bases.values() if basis.model.version == model.version), None
        ) or Basis(self._configured.policy, model)
        self.model_changed = True
