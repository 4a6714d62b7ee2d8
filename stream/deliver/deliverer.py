"""The process `stream deliver run`: reads the topic into the queue, and makes the attempts, until SIGTERM.

Four things run beside each other: one thread reads Kafka, one writes the queue, one writes outcomes to Kafka,
the event loop sends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import structlog

from stream.deliver.courier import Courier
from stream.deliver.decide import decisions
from stream.deliver.endpoints.endpoint import Endpoint, Endpoints
from stream.deliver.plan.verdict import Answer
from stream.deliver.queue.attempts import end_leases, note_endpoints
from stream.deliver.queue.database import Database
from stream.deliver.queue.erasure import forget_erased, take_control
from stream.deliver.queue.intake import take_in
from stream.deliver.queue.listing import pending
from stream.deliver.queue.mutes import forget_old_mutes
from stream.deliver.queue.offsets import forget_positions, positions, set_positions
from stream.deliver.queue.reports import REPORTS_AT_ONCE, mark_reported, unreported
from stream.deliver.queue.resend import forget
from stream.deliver.queue.rows import Claim, ReadAlert
from stream.deliver.reporting import DeliveriesTopic
from stream.deliver.send.client import Client
from stream.deliver.topic import AlertTopic, ReadRecords, Start
from stream.deliver.watching import Watching
from stream.metrics import DeliveryMetrics

log = structlog.get_logger("stream.deliver")

IDLE_S = 1.0
"""Longest time between two turns: then changes by other commands are seen."""
PAUSE_S = 0.02
"""Between two turns while something is due that cannot start yet."""
LOOK_S = 5.0
"""How often the gauges are read from the queue."""
REPORT_S = 0.2
"""Between two looks for outcomes that are not on the deliveries topic yet."""
FORGET_S = 60.0
SILENT_POLLS = 4
"""Polls of the control topic without any record, after which it counts as read: two seconds."""
SILENT_S, STUCK_S = 5.0, 120.0
"""Without a turn for so long it does not deliver at present; and for so long the process is not healthy."""


def wall_ms() -> int:
    """Now, in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


class Deliverer:
    """One process. `run` ends after `stop`, or with the exception that ended it."""

    def __init__(
        self,
        database: Database,
        endpoints: Endpoints,
        topic: AlertTopic,
        reports: DeliveriesTopic,
        metrics: DeliveryMetrics,
        *,
        start: Start = "end",
        accept_gap: bool = False,
        with_history: bool = False,
    ) -> None:
        self._database, self._endpoints, self._topic, self._reports = database, endpoints, topic, reports
        self._start: Start = start
        self._accept_gap, self._with_history = accept_gap, with_history
        self._stopping = asyncio.Event()
        self._writer = ThreadPoolExecutor(1, "queue")
        self._reader = ThreadPoolExecutor(1, "topic")
        self._reporter = ThreadPoolExecutor(1, "reports")
        self._clients = {name: Client(each) for name, each in endpoints.by_name.items()}
        self._watching = Watching(metrics, list(endpoints.by_name))
        self._courier = Courier(
            database, endpoints, self._post, wall_ms, self._watching, do=self._in_queue_thread
        )
        self._turned_s = time.monotonic()
        self._reading = False

    def stop(self) -> None:
        """Read no more; finish the attempts under way, and end."""
        self._stopping.set()

    def alive(self) -> Sequence[str]:
        """Why the process should be restarted; nothing when it works."""
        silent_s = time.monotonic() - self._turned_s
        return [f"no turn for {silent_s:.0f} s"] if silent_s > STUCK_S else []

    def ready(self) -> Sequence[str]:
        """Why it does not deliver at present."""
        if not self._reading:
            return ["the topic is not being read yet"]
        silent_s = time.monotonic() - self._turned_s
        queue = f"the queue has not answered for {silent_s:.0f} s" if silent_s > SILENT_S else ""
        return [problem for problem in (queue, self._topic.problem, self._reports.problem) if problem]

    async def run(self) -> None:
        """Deliver until `stop`."""
        try:
            await self._prepare()
            async with asyncio.TaskGroup() as tasks:
                for work in (self._read, self._send, self._report, self._look, self._forget):
                    tasks.create_task(work())
            await self._courier.finish()
            if not self._reports.problem:  # else the next start writes them
                await self._write_reports()
        finally:
            for client in self._clients.values():
                await client.close()
            await self._in_topic_thread(self._topic.close)
            await self._in_queue_thread(self._database.close)
            self._reader.shutdown()
            self._reporter.shutdown()
            self._writer.shutdown()

    async def _prepare(self) -> None:
        alone = self._database.alone
        left = await self._in_queue_thread(end_leases, self._database) if alone else 0
        waiting = await self._in_queue_thread(pending, self._database)
        for name in sorted(set(waiting) - set(self._clients)):
            log.warning("queued for an endpoint that is not in the file", endpoint=name, alerts=waiting[name])
        await self._in_queue_thread(note_endpoints, self._database, list(self._clients))
        await self._catch_up_with_control()
        offsets = {self._topic.topic: await self._start_points(self._topic.topic, self._start)}
        control = await self._in_queue_thread(positions, self._database, self._topic.control)
        await self._in_topic_thread(self._topic.begin, {**offsets, self._topic.control: control})
        await self._in_report_thread(self._reports.check)
        self._reading = True
        log.info("delivering", endpoints=list(self._clients), offsets=offsets, attempts_cut_off=left)

    async def _catch_up_with_control(self) -> None:
        """Read the control topic to its end: who is muted or erased is known before anything is sent."""
        control = self._topic.control
        start = {control: await self._start_points(control, "beginning")}
        ends = await self._in_topic_thread(self._topic.ends, control)
        await self._in_topic_thread(self._topic.begin, start)
        silent = 0
        while silent < SILENT_POLLS and not self._stopping.is_set():
            known = await self._in_queue_thread(positions, self._database, control)
            if all(known.get(partition, 0) >= end for partition, end in ends.items()):
                return
            batch: ReadRecords = await self._in_topic_thread(self._topic.poll)
            silent = 0 if batch.offsets else silent + 1  # markers of transactions are never read
            await self._take_control(batch)

    async def _start_points(self, topic: str, start: Start) -> dict[int, int]:
        known = await self._in_queue_thread(positions, self._database, topic)
        starts = partial(self._topic.start_points, accept_gap=self._accept_gap)
        offsets: dict[int, int] = await self._in_topic_thread(starts, topic, known, start)
        gone = [partition for partition, offset in known.items() if offsets.get(partition) != offset]
        await self._in_queue_thread(forget_positions, self._database, topic, gone)
        await self._in_queue_thread(set_positions, self._database, topic, offsets)
        return offsets

    async def _read(self) -> None:
        while not self._stopping.is_set():
            batch: ReadRecords = await self._in_topic_thread(self._topic.poll)
            if not batch.offsets:
                continue
            if batch.alerts:
                await self._take_alerts(batch.alerts)
            await self._take_control(batch)
            self._courier.changed.set()
            await self._in_topic_thread(self._topic.commit, batch.offsets)

    async def _take_control(self, batch: ReadRecords) -> None:
        offsets = batch.offsets.get(self._topic.control)
        if offsets:
            taking = partial(take_control, offsets=offsets, now_ms=wall_ms())
            self._watching.ended(
                await self._in_queue_thread(taking, self._database, self._topic.control, batch.control)
            )

    async def _take_alerts(self, records: list[ReadAlert]) -> None:
        self._watching.unread(records)
        decide = decisions(
            self._endpoints, self._courier.is_disabled, wall_ms(), with_history=self._with_history
        )
        taking = partial(take_in, endpoints=list(self._clients), decide=decide, now_ms=wall_ms())
        ended = await self._in_queue_thread(taking, self._database, self._topic.topic, records)
        self._watching.ended(ended)

    async def _send(self) -> None:
        while not self._stopping.is_set():
            self._turned_s = time.monotonic()
            started = await self._courier.turn()
            wait_s = IDLE_S if started else await self._idle_s()
            stopped = asyncio.ensure_future(self._stopping.wait())
            changed = asyncio.ensure_future(self._courier.changed.wait())
            await asyncio.wait({stopped, changed}, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            changed.cancel()

    async def _idle_s(self) -> float:
        """How long nothing is to be done, if nothing happens meanwhile."""
        left_ms = await self._courier.next_ms() - wall_ms()
        return min(max(left_ms / 1_000, PAUSE_S), IDLE_S)

    async def _report(self) -> None:
        while not self._stopping.is_set():
            if not await self._write_reports():
                await self._wait(REPORT_S)

    async def _write_reports(self) -> bool:
        """Write outcomes to the deliveries topic; whether there may be more to write now."""
        reports = await self._in_queue_thread(unreported, self._database, wall_ms())
        if not reports:
            return False
        written = await self._in_report_thread(self._reports.write, reports)
        await self._in_queue_thread(mark_reported, self._database, written)
        return len(written) == REPORTS_AT_ONCE

    async def _look(self) -> None:
        while not self._stopping.is_set():
            await self._in_queue_thread(self._watching.look, self._database, self._courier, wall_ms())
            await self._in_topic_thread(self._topic.ask)
            self._watching.lag = await self._in_topic_thread(self._topic.lag)
            await self._wait(LOOK_S)

    async def _forget(self) -> None:
        while not self._stopping.is_set():
            before_ms = wall_ms() - self._endpoints.keep_ms
            while await self._in_queue_thread(forget, self._database, before_ms):
                await asyncio.sleep(0)
            await self._in_queue_thread(forget_erased, self._database, wall_ms())
            await self._in_queue_thread(forget_old_mutes, self._database, wall_ms())
            await self._wait(FORGET_S)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _post(self, endpoint: Endpoint, claim: Claim, at_ms: int) -> Answer:
        return await self._clients[endpoint.name].post(claim.alert.alert_id, claim.body, at_ms)

    async def _in_queue_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, partial(work, *arguments))

    async def _in_report_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._reporter, partial(work, *arguments))

    async def _in_topic_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._reader, partial(work, *arguments))
