"""Whose turn it is: deliveries that are due are attempted, as far as each endpoint may be asked now.

`turn` does all that is to be done at an instant; between two turns only attempts are under way. The clock and
the network are arguments, so that a test walks through days in a moment.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from stream.core.units import FOREVER_MS, SECOND_MS
from stream.deliver.endpoints.endpoint import Endpoint, Endpoints
from stream.deliver.gates import Gates
from stream.deliver.plan.breaker import UNLIMITED, Breaker
from stream.deliver.plan.tokens import TokenBucket
from stream.deliver.plan.verdict import Answer, fails_too_long, verdict
from stream.deliver.queue.attempts import (
    claim,
    disable,
    end_overdue,
    endpoint_states,
    next_due_ms,
    settle,
)
from stream.deliver.queue.database import Database
from stream.deliver.queue.erasure import finish_erasures
from stream.deliver.queue.rows import AttemptResult, Claim, EndpointState, Outcomes

LEASE_MS = 120 * SECOND_MS
"""After so long another process may take an attempt over: well beyond the longest time-out of one."""
SWEEP_MS = SECOND_MS
"""How often what has expired is ended, and changes by other processes are looked at."""

Post = Callable[[Endpoint, Claim, int], Awaitable[Answer]]
"""Make one attempt at an instant (ms)."""


class Observer(Protocol):
    """Is told what happens: metrics, log lines."""

    def attempted(self, claim: Claim, answer: Answer, at_ms: int) -> None: ...
    def ended(self, outcomes: Outcomes) -> None: ...
    def put_off(self, endpoint: str, reason: str) -> None: ...
    def disabled(self, endpoint: str, reason: str) -> None: ...


async def in_line(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do the work of the database at once; a process does it in a thread."""
    return work(*arguments)


class _Limited:
    """One endpoint with what limits its attempts in this process."""

    def __init__(self, endpoint: Endpoint, at_ms: int) -> None:
        self.endpoint = endpoint
        self.breaker = Breaker()
        self.bucket = TokenBucket(endpoint.rate, at_ms) if endpoint.rate else None
        self.under_way = 0

    def room(self, at_ms: int) -> int:
        """How many attempts may start now."""
        tokens = self.bucket.tokens(at_ms) if self.bucket else UNLIMITED
        return min(self.endpoint.concurrency - self.under_way, self.breaker.room(at_ms), tokens)

    def waits_until_ms(self, at_ms: int) -> int:
        """When one may start at the earliest, if none is under way."""
        bucket_ms = self.bucket.next_ms() if self.bucket else 0
        return max(self.breaker.waits_until_ms(at_ms), bucket_ms)


class Courier:
    """Makes the attempts of all endpoints of one process."""

    def __init__(
        self,
        database: Database,
        endpoints: Endpoints,
        post: Post,
        clock_ms: Callable[[], int],
        observer: Observer,
        *,
        do: Callable[..., Awaitable[Any]] = in_line,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.states: dict[str, EndpointState] = {}
        self.changed = asyncio.Event()
        """Set when a turn has something to do: an attempt ended."""
        self._database, self._post, self._clock_ms = database, post, clock_ms
        self._gates = Gates(database, endpoints)
        self._observer, self._do, self._jitter = observer, do, jitter
        self._limited = {name: _Limited(each, clock_ms()) for name, each in endpoints.by_name.items()}
        self._tasks: set[asyncio.Task[None]] = set()
        self._done: list[tuple[AttemptResult, str]] = []
        self._swept_ms = -SWEEP_MS
        self._fault: BaseException | None = None

    @property
    def names(self) -> list[str]:
        """Of its endpoints."""
        return list(self._limited)

    def breaker_state(self, name: str) -> str:
        """closed, open or half_open."""
        return self._limited[name].breaker.state(self._clock_ms())

    def is_disabled(self, name: str) -> bool:
        """As the queue said at the last turn."""
        state = self.states.get(name)
        return state is not None and state.disabled_ms > 0

    async def turn(self) -> int:
        """Write what came of attempts, end what is over, start what is due; how many attempts started.

        The exception of an attempt is a fault of this program: it is raised here.
        """
        if self._fault is not None:
            raise self._fault
        now_ms = self._clock_ms()
        self.changed.clear()
        failed = await self._settle(now_ms)
        if failed or now_ms - self._swept_ms >= SWEEP_MS or now_ms < self._swept_ms:
            self.states = await self._do(endpoint_states, self._database)
            await self._disable_failing(now_ms)
        if now_ms - self._swept_ms >= SWEEP_MS or now_ms < self._swept_ms:
            self._swept_ms = now_ms
            disabled = [name for name, state in self.states.items() if state.disabled_ms]
            self._observer.ended(await self._do(end_overdue, self._database, now_ms, disabled))
            self._observer.ended(await self._do(finish_erasures, self._database, now_ms))
        started = 0
        for limited in self._limited.values():
            started += await self._start(limited, now_ms)
        return started

    async def next_ms(self) -> int:
        """When the next attempt can start, if nothing else happens; FOREVER_MS: nothing is queued."""
        now_ms, earliest_ms = self._clock_ms(), FOREVER_MS
        for name, limited in self._limited.items():
            if self.is_disabled(name):
                continue
            due_ms = await self._do(next_due_ms, self._database, name, limited.endpoint.ordered)
            held_ms = self.states[name].hold_until_ms if name in self.states else 0
            earliest_ms = min(earliest_ms, max(due_ms, held_ms, limited.waits_until_ms(now_ms)))
        return earliest_ms

    async def finish(self) -> None:
        """Wait for the attempts under way, and write what came of them."""
        while self._tasks:
            await asyncio.wait(self._tasks)
            await asyncio.sleep(0)  # the tasks take themselves off the list
        await self._settle(self._clock_ms())

    async def _start(self, limited: _Limited, now_ms: int) -> int:
        endpoint = limited.endpoint
        state = self.states.get(endpoint.name)
        room = limited.room(now_ms)
        if room <= 0 or (state is not None and (state.disabled_ms or state.hold_until_ms > now_ms)):
            return 0
        claims, held_back = await self._do(self._take, endpoint, room, now_ms)
        self._done += [(result, "") for result in held_back.values()]
        started = 0
        for each in claims:
            if each.seq in held_back:
                result = held_back[each.seq]
                if result.outcome is None and result.reason != each.waited_for:
                    self._observer.put_off(endpoint.name, result.reason)
                continue
            started += 1
            limited.under_way += 1
            if limited.bucket:
                limited.bucket.take(1)
            task = asyncio.ensure_future(self._attempt(limited, each, limited.breaker.started(now_ms)))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        if len(claims) > started:
            await self._settle(now_ms)
        return started

    def _take(
        self, endpoint: Endpoint, room: int, now_ms: int
    ) -> tuple[list[Claim], dict[int, AttemptResult]]:
        """Deliveries whose turn it is, and what becomes of those that are held back: one transaction."""
        lease_ms = now_ms + LEASE_MS
        with self._database.transaction():
            claims = claim(
                self._database,
                endpoint.name,
                room,
                now_ms,
                lease_until_ms=lease_ms,
                ordered=endpoint.ordered,
            )
            return claims, self._gates.pass_through(claims, now_ms)

    async def _attempt(self, limited: _Limited, each: Claim, probe: bool) -> None:
        answer = await self._post(limited.endpoint, each, self._clock_ms())
        now_ms = self._clock_ms()
        limited.under_way -= 1
        limited.breaker.finished(now_ms, accepted=answer.accepted, probe=probe)
        decision = verdict(answer, each.failures, each.alert.expires_ms, now_ms, self._jitter())
        result = AttemptResult(
            seq=each.seq,
            endpoint=each.endpoint,
            ended_ms=now_ms,
            accepted=answer.accepted,
            outcome=decision.outcome,
            due_ms=decision.due_ms,
            status=answer.status,
            detail=answer.detail,
            hold_until_ms=decision.hold_until_ms,
        )
        self._done.append((result, decision.disable))
        self._observer.attempted(each, answer, now_ms)
        self.changed.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._fault = task.exception()
            self.changed.set()

    async def _settle(self, now_ms: int) -> bool:
        """Write what came of attempts; whether the state of an endpoint may be another one now."""
        done, self._done = self._done, []
        if not done:
            return False
        await self._do(settle, self._database, [result for result, _ in done])
        ended: Outcomes = Outcomes()
        for result, reason in done:
            if result.outcome:
                ended[result.endpoint, result.outcome, result.reason] += 1
            if reason and not self.is_disabled(result.endpoint):
                await self._disable(result.endpoint, reason, now_ms)
        self._observer.ended(ended)
        failing = {name for name, state in self.states.items() if state.failures}
        return any(
            each.counts and (not each.accepted or each.endpoint in failing or each.hold_until_ms)
            for each, _ in done
        )

    async def _disable_failing(self, now_ms: int) -> None:
        for name, state in list(self.states.items()):
            failing = state.failing_since_ms and not state.disabled_ms
            if failing and fails_too_long(state.failing_since_ms, state.failures, now_ms):
                await self._disable(name, "every attempt of five days failed", now_ms)

    async def _disable(self, name: str, reason: str, now_ms: int) -> None:
        self._observer.ended(await self._do(disable, self._database, name, reason, now_ms))
        self.states = await self._do(endpoint_states, self._database)
        self._observer.disabled(name, reason)
