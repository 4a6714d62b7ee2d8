"""A delivery with a clock that only a test moves, a real queue, and a receiver that does as it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stream.core.alerts.delivery import DeliveryRecord
from stream.core.units import DAY_MS, FOREVER_MS
from stream.deliver.courier import Courier
from stream.deliver.decide import decisions, read_alert
from stream.deliver.endpoints.endpoint import Endpoint, Endpoints
from stream.deliver.plan.verdict import Answer
from stream.deliver.queue.attempts import end_leases
from stream.deliver.queue.database import Database
from stream.deliver.queue.erasure import take_control
from stream.deliver.queue.intake import take_in
from stream.deliver.queue.listing import Selection, stored_deliveries
from stream.deliver.queue.offsets import positions
from stream.deliver.queue.reports import mark_reported, unreported
from stream.deliver.queue.rows import Claim, ReadConsent, ReadErasure, ReadMute, StoredDelivery
from stream.deliver.queue.sqlite import SqliteDatabase
from tests.support.alert_bodies import NOW_MS
from tests.support.crash_points import CrashingDatabase, CrashPoints

TOPIC = "customers.alerts.v1"
CONTROL = "customers.control.v1"
OK = Answer(200)
DOWN = Answer(0, "connect", "nobody listens there")

Receiver = Callable[["Attempt"], Answer]


class Attempt:
    """What a receiver sees of an attempt."""

    def __init__(self, at_ms: int, endpoint: str, claim: Claim) -> None:
        self.at_ms, self.endpoint, self.claim = at_ms, endpoint, claim
        self.id, self.customer, self.state = claim.alert.alert_id, claim.alert.customer, claim.alert.state


def endpoint(name: str = "crm", **more: Any) -> Endpoint:
    return Endpoint(name=name, url=f"https://{name}.example/", key=b"k" * 24, **more)


class World:
    """One process that delivers, from a topic that is a list."""

    def __init__(self, folder: Path, receiver: Receiver, *endpoints: Endpoint, **more: Any) -> None:
        self.now_ms = NOW_MS
        self.folder = folder
        self.receiver = receiver
        self.attempts: list[Attempt] = []
        self.accepted: list[Attempt] = []
        self.outcomes: Counter[tuple[str, str, str]] = Counter()
        self.put_offs: Counter[tuple[str, str]] = Counter()
        self.disabled_for: dict[str, str] = {}
        listed = {each.name: each for each in endpoints or (endpoint(),)}
        settings = {"late_max_ms": 3 * DAY_MS, "keep_ms": 30 * DAY_MS} | more
        self.endpoints = Endpoints(by_name=listed, **settings)
        self.topic: list[tuple[int, bytes | None]] = []
        self.erasures = 0
        self.points = CrashPoints()
        self.database = self._database()
        self.courier = self._courier()

    def _database(self) -> Database:
        return CrashingDatabase(SqliteDatabase(self.folder / "queue.db", alone=True), self.points)

    def _courier(self) -> Courier:
        return Courier(
            self.database, self.endpoints, self._post, lambda: self.now_ms, self, jitter=lambda: 0.0
        )

    async def _post(self, target: Endpoint, claim: Claim, at_ms: int) -> Answer:
        assert not claim.alert.is_held_out, "in no test anything is sent about a customer who is held out"
        attempt = Attempt(at_ms, target.name, claim)
        self.points.step()
        self.attempts.append(attempt)
        answer = self.receiver(attempt)
        if answer.accepted:
            self.accepted.append(attempt)
        self.points.step()
        return answer

    def attempted(self, claim: Claim, answer: Answer, at_ms: int) -> None:
        pass

    def ended(self, outcomes: Counter[tuple[str, str, str]]) -> None:
        self.outcomes += outcomes

    def put_off(self, endpoint: str, reason: str) -> None:
        self.put_offs[endpoint, reason] += 1

    def disabled(self, name: str, reason: str) -> None:
        self.disabled_for[name] = reason

    def restart(self) -> None:
        """As after kill -9: what was under way is forgotten, only the queue is left."""
        self.database.close()
        self.points = CrashPoints()
        self.database = self._database()
        end_leases(self.database)
        self.courier = self._courier()

    def write(self, *bodies: bytes | None, written_ms: int | None = None) -> None:
        """Append records to the topic."""
        self.topic += [(self.now_ms if written_ms is None else written_ms, body) for body in bodies]

    def read(self, *, with_history: bool = False) -> None:
        """Read all that is new on the topic."""
        first = positions(self.database, TOPIC).get(0, 0)
        records = [read_alert(0, first + n, *each) for n, each in enumerate(self.topic[first:])]
        decide = decisions(self.endpoints, self.courier.is_disabled, self.now_ms, with_history=with_history)
        self.outcomes += take_in(
            self.database,
            TOPIC,
            records,
            endpoints=list(self.endpoints.by_name),
            decide=decide,
            now_ms=self.now_ms,
        )

    def erase(self, customer: str, at_ms: int | None = None) -> None:
        """The control topic says that a customer is erased."""
        self.erasures += 1
        read = [ReadErasure(0, self.erasures - 1, customer, self.now_ms if at_ms is None else at_ms)]
        self.outcomes += take_control(self.database, CONTROL, read, {0: self.erasures}, self.now_ms)

    def mute(self, customer: str, until_ms: int, reason: str = "snoozed", at_ms: int | None = None) -> None:
        """The control topic says that a customer is muted; until 0: unmuted."""
        self.erasures += 1
        stated_ms = self.now_ms if at_ms is None else at_ms
        read = [ReadMute(0, self.erasures - 1, customer, stated_ms, until_ms, reason)]
        self.outcomes += take_control(self.database, CONTROL, read, {0: self.erasures}, self.now_ms)

    def consent(
        self, customer: str, *, refused: bool, purpose: str = "marketing", at_ms: int | None = None
    ) -> None:
        """The control topic says that a customer gives or takes back consent."""
        self.erasures += 1
        stated_ms = self.now_ms if at_ms is None else at_ms
        read = [ReadConsent(0, self.erasures - 1, customer, stated_ms, purpose, refused)]
        self.outcomes += take_control(self.database, CONTROL, read, {0: self.erasures}, self.now_ms)

    def report(self) -> list[DeliveryRecord]:
        """The records that are written now to the deliveries topic."""
        reports = unreported(self.database, self.now_ms)
        mark_reported(self.database, reports)
        return [each.record for each in reports]

    async def send(self, *bodies: bytes | None, **more: Any) -> None:
        """Write, read, and make the attempts that are due now."""
        self.write(*bodies, **more)
        self.read()
        await self.turns()

    async def turns(self) -> None:
        """All that is to be done at this instant."""
        idle = 0
        while idle < 3:  # what is due may be held back until the next sweep
            started = await self.courier.turn()
            await self.courier.finish()
            is_due = await self.courier.next_ms() <= self.now_ms
            idle = 0 if started else idle + 1 if is_due else 3

    async def run_for(self, span_ms: int) -> None:
        """Let time pass, from one thing to do to the next."""
        until_ms = self.now_ms + span_ms
        while True:
            await self.turns()
            next_ms = await self.courier.next_ms()
            if next_ms > until_ms or next_ms == FOREVER_MS:
                break
            self.now_ms = max(next_ms, self.now_ms + 1)
        self.now_ms = until_ms
        await self.turns()

    def deliveries(self, **selection: Any) -> list[StoredDelivery]:
        return list(stored_deliveries(self.database, Selection(**selection)))

    def ends(self, **selection: Any) -> list[str]:
        """The outcome of each delivery in the order of reading; with its reason after a slash."""
        return [
            each.outcome + (f"/{each.reason}" if each.reason else "") for each in self.deliveries(**selection)
        ]
