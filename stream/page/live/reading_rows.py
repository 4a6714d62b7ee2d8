"""Records of the topics become rows of the read store: pure, apart from a line of log for a fault of ours.

A profile that cannot be read costs its customer: the row is taken out, since an older one would be wrong, and
the customer is counted as left out. Rows of a replaced worker are void (docs/decisions/0007). Each customer
is looked at by the model of their partition, as a worker does.
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
from stream.core.policy.policy import Policy
from stream.engine.state.epoch import epoch_in
from stream.page.entries import alert_entry
from stream.page.live.control_rows import control_rows
from stream.page.live.looking import NewRow, Seen, look_at, read_rows
from stream.page.live.record import PageRecord
from stream.page.remarks import NotCounted
from stream.page.store.store import Batch, Place, ReadUpTo
from stream.wording.policy import in_force_line, shadow_line
from stream.worker.rows.bases import model_in_force
from stream.worker.rows.policies import policies_of_row, published_in
from stream.worker.rows.row import MODEL_KEY, OWN_ROWS, POLICY_KEY, StoredRow
from stream.worker.rows.stored import UNREADABLE, read_profile, read_row

log = logging.getLogger(__name__)
MODEL_NOTE, POLICY_NOTE = "model-row-", "policy-row-"
"""With the partition: the names of the notes that keep the rows of its published model and policies."""
SHADOW_NOTE = "shadow-raised"
"""Name of the note that keeps how many alerts shadow policies would have raised."""
UNREADABLE_ALERT = "unreadable_alert"
NOTES = {MODEL_KEY: MODEL_NOTE, POLICY_KEY: POLICY_NOTE}

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
        self,
        basis: Basis,
        positions: Mapping[Place, ReadUpTo],
        model_rows: Mapping[int, bytes],
        policy_rows: Mapping[int, bytes] | None = None,
    ) -> None:
        """`basis`: policy and model of the settings. `model_rows`, `policy_rows`: partition -> stored row of
        its model, or policies."""
        self._configured = basis
        self._bases: dict[int, Basis] = {}
        self._rows: dict[tuple[bytes, int], StoredRow] = {}
        for partition, row in (policy_rows or {}).items():
            self._adopt(POLICY_KEY, partition, row)
        self._epochs = {place: position.epoch for place, position in positions.items()}
        for partition, row in model_rows.items():
            self._adopt(MODEL_KEY, partition, row)
        self.shadow_raised: dict[str, dict[str, int]] = {}
        """Hash of a shadow policy -> kind of alert -> how many it would have raised."""
        self.latest_ms = 0
        """The last instant that any row or alert knows of."""
        self.model_changed = False
        """A model or policy was published since this was last set to False: all rows are to be looked at
        anew."""

    def basis_of(self, partition: int) -> Basis:
        """What customers of a partition are looked at with."""
        return self._bases.get(partition, self._configured)

    @property
    def published(self) -> dict[int, tuple[Policy, Model]]:
        """Partition -> the policy and the model in force, where one is published."""
        return {partition: (basis.policy, basis.model) for partition, basis in self._bases.items()}

    @property
    def policies(self) -> list[str]:
        """Which policy is in force and which is a shadow, in words, by the first partition where one is
        published."""
        first = min((number for key, number in self._rows if key == POLICY_KEY), default=None)
        stored = self._rows[POLICY_KEY, first].policies if first is not None else []
        found = published_in(stored, self._configured.policy)
        active, shadow = found.policies.active or self._configured.policy, found.policies.shadow
        lines = [in_force_line(active, found.active.at_ms if found.active is not None else None)]
        if shadow is not None and found.shadow is not None:
            raised = self.shadow_raised.get(shadow.hash, {})
            lines.append(shadow_line(shadow, found.shadow.at_ms, raised))
        return lines

    @property
    def basis(self) -> Basis:
        """That of the first partition where something is published, for the words of pages."""
        return self._bases[min(self._bases)] if self._bases else self._configured

    def batch(self, records: Iterable[PageRecord], now_ms: Callable[[], int]) -> Batch:
        """The rows of these records, in their order; `now_ms` is asked once the records are known."""
        news, seen = self.gather(records), Seen()
        known = read_rows(news.rows.values(), self._configured.meaning.digest, seen, read_profile)
        self.latest_ms = max(self.latest_ms, known.latest_ms)
        look_at(known, now_ms(), self.basis_of, seen)
        return self.put_together(news, seen)

    def gather(self, records: Iterable[PageRecord]) -> Gathered:
        """All that the order of records decides; their customers are still to be looked at."""
        news = Gathered()
        take = {
            "profiles": self._take_profile,
            "alerts": self._take_alert,
            "shadow": self._take_shadow,
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
            if record.key in NOTES and record.value:
                self._adopt(record.key, record.partition, record.value)
                note = f"{NOTES[record.key]}{record.partition}"
                news.batch.notes[note] = record.value.decode("utf-8", "replace")
            return
        customer = record.key.decode("utf-8", "replace")
        news.rows[customer] = NewRow(customer, record.value or b"", record.partition)

    def _take_alert(self, record: PageRecord, news: Gathered) -> None:
        if not record.value:
            return
        try:
            entry = alert_entry(_read_alert(record.value))
        except (*UNREADABLE, ValueError, OverflowError):
            self._count(record, UNREADABLE_ALERT, news)
            return
        news.batch.alerts.append(entry)
        self.latest_ms = max(self.latest_ms, entry.at_ms)

    def _take_shadow(self, record: PageRecord, news: Gathered) -> None:
        try:
            alert = _read_alert(record.value or b"")
        except UNREADABLE:
            self._count(record, UNREADABLE_ALERT, news)
            return
        if alert.data.state == "raised":
            raised = self.shadow_raised.setdefault(alert.data.policy.hash, {})
            raised[alert.data.kind] = raised.get(alert.data.kind, 0) + 1
            news.batch.notes[SHADOW_NOTE] = msgspec.json.encode(self.shadow_raised).decode()

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

    def _count(self, record: PageRecord, reason: str, news: Gathered, source: str = "") -> None:
        day = self._configured.meaning.calendar.local_day(record.at_ms)
        news.not_counted[day, source or record.topic, reason] += 1

    def _adopt(self, key: bytes, partition: int, row: bytes) -> None:
        try:
            self._rows[key, partition] = read_row(row)
            model_row, policy_row = (
                self._rows.get((each, partition), StoredRow()) for each in (MODEL_KEY, POLICY_KEY)
            )
            model = model_in_force(model_row, self._configured.model)
            policy = policies_of_row(policy_row, self._configured.policy).active or self._configured.policy
            basis = self._basis(policy, model)
        except (*UNREADABLE, ForeignProfileError, ModelError) as fault:
            log.warning("partition %d: what is published cannot be read: %s", partition, fault)
            return
        if basis is not self.basis_of(partition):
            self._bases[partition] = basis
            self.model_changed = True

    def _basis(self, policy: Policy, model: Model) -> Basis:
        for known in (self._configured, *self._bases.values()):
            if known.model.version == model.version and known.policy.hash == policy.hash:
                return known
        return Basis(policy, model)
