"""Other processes that work out the rows of customers while a store is filled: one core would take minutes
for a million customers.

Each is a Python of its own, not a fork: this process has threads. It is sent rows and answers with what they
come to, over a socket pair, and ends with this process. Where one fails its work is done here.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, NamedTuple

from stream.core.judgement.basis import Basis
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.page.live.looking import NewRow, Seen, look_at, read_rows
from stream.page.live.reading_rows import Gathered, RowReader
from stream.page.live.record import PageRecord
from stream.page.store.store import Batch
from stream.parent_process import end_with

log = logging.getLogger(__name__)
PROCESSES_MAX = 8
WAITING_FOR_EACH = 3
"""Batches that are handed out for each of them before one is written."""
GOODBYE_S = 5.0
LOOKED_THROUGH_AFTER = 100_000
"""New objects after which a process looks for circles among them: rows have none."""


class Work(NamedTuple):
    """What is to be worked out."""

    rows: Sequence[NewRow]
    now_ms: int
    published: Mapping[int, tuple[Policy, Model]]
    """Partition -> the policy and the model in force, where one is published."""


class WorkedOut(NamedTuple):
    """What came of it."""

    seen: Seen
    latest_ms: int
    """The last instant that any row knows of."""


class RowWorker:
    """Works out rows, wherever it is."""

    def __init__(self, basis: Basis) -> None:
        """`basis`: policy and model of the settings."""
        self._configured = basis
        self._bases = {(basis.policy.hash, basis.model.version): basis}

    def done(self, work: Work) -> WorkedOut:
        """The rows as of the instant of the work, or of their own last where that is later."""
        seen = Seen()
        known = read_rows(work.rows, self._configured.meaning.digest, seen)
        look_at(known, work.now_ms, lambda place: self._basis(work.published.get(place)), seen)
        return WorkedOut(seen, known.latest_ms)

    def _basis(self, published: tuple[Policy, Model] | None) -> Basis:
        if published is None:
            return self._configured
        policy, model = published
        key = policy.hash, model.version
        if key not in self._bases:
            self._bases[key] = Basis(policy, model)
        return self._bases[key]


class RowProcesses:
    """As many as there are cores, while the context is open."""

    def __init__(self, basis: Basis, count: int | None = None) -> None:
        self._here = RowWorker(basis)
        self._basis = basis
        self.count = count or min(PROCESSES_MAX, os.cpu_count() or 1)
        self._idle: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> RowProcesses:
        for _ in range(self.count):
            self._idle.put(self._started())
        self._threads = ThreadPoolExecutor(self.count, "rows")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()  # it holds nothing that would have to be finished
        self._threads.shutdown(cancel_futures=True)
        while not self._idle.empty():
            self._idle.get().close()
        for process in self._processes:
            process.wait(GOODBYE_S)

    def submit(self, work: Work) -> Future[WorkedOut]:
        """Begin it; its result comes when a process has done it."""
        return self._threads.submit(self._exchange, work)

    def _started(self) -> Connection:
        here, there = socket.socketpair()
        with there:
            number = there.fileno()
            command = [sys.executable, "-c", f"from {__name__} import main; main({number}, {os.getpid()})"]
            self._processes.append(subprocess.Popen(command, pass_fds=[number], stdin=subprocess.DEVNULL))
        connection = Connection(here.detach())
        connection.send((self._basis.policy, self._basis.model))
        return connection

    def _exchange(self, work: Work) -> WorkedOut:
        connection = self._idle.get()
        try:
            connection.send_bytes(pickle.dumps(work, pickle.HIGHEST_PROTOCOL))
            found: Any = pickle.loads(connection.recv_bytes())
        except (EOFError, OSError):
            log.warning("a process that works out rows has ended; its work is done here")
            return self._here.done(work)
        finally:
            self._idle.put(connection)
        if isinstance(found, WorkedOut):
            return found
        raise RuntimeError(found)


class HandedOut:
    """Records that are with other processes, in the order in which they were read."""

    def __init__(self, reader: RowReader, processes: RowProcesses) -> None:
        self._reader, self._processes = reader, processes
        self.waiting: deque[tuple[Gathered, Future[WorkedOut]]] = deque()

    @property
    def is_full(self) -> bool:
        """Whether one is to be taken back first."""
        return len(self.waiting) >= WAITING_FOR_EACH * self._processes.count

    def add(self, records: Sequence[PageRecord], now_ms: Callable[[], int]) -> None:
        """Give more of them away; `now_ms` is asked once they are known."""
        news = self._reader.gather(records)
        work = Work([*news.rows.values()], now_ms(), self._reader.published)
        self.waiting.append((news, self._processes.submit(work)))

    def next_batch(self, now_ms: Callable[[], int]) -> Batch:
        """What the first of them come to; waits for it. `now_ms` is asked once their instants are known."""
        news, done = self.waiting.popleft()
        seen, latest_ms = done.result()
        self._reader.latest_ms = max(self._reader.latest_ms, latest_ms)
        now_ms()
        return self._reader.put_together(news, seen)


def main(number: int, parent: int) -> None:
    """Work until there is nobody to work for. An interrupt of the group is for the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(parent, signal.SIGKILL)
    connection = Connection(number)
    policy, model = connection.recv()
    worker = RowWorker(Basis(policy, model))
    gc.freeze()
    gc.set_threshold(LOOKED_THROUGH_AFTER)
    while True:
        try:
            work = pickle.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        answer: WorkedOut | str
        try:
            answer = worker.done(work)
        except Exception as fault:
            answer = f"{type(fault).__name__}: {fault}"
        connection.send_bytes(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
