"""A small application on the engine, and the example of how a worker is written: counters per key.

Every event adds to its key's counters. Every tenth raises an alert; a key silent for an hour of event time
raises one too. Run it as a worker: `python -m tests.support.toy_app --bootstrap host:port --prefix NAME`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import msgspec

from stream.engine import (
    Arrival,
    EngineApp,
    EngineOptions,
    Lane,
    Moment,
    Peek,
    Record,
    Timer,
    UnreadBatch,
    Unsent,
    run,
)

HOUR_MS = 3_600_000
TOPICS = ("purchases", "engagement", "feedback")


class Event(msgspec.Struct, gc=False):
    key: str
    time_ms: int
    amount: int = 0
    complete_to_ms: int | None = None


class Counters(msgspec.Struct):
    """One row: counters, the offsets applied, and the outbox."""

    key: str
    count: int = 0
    total: int = 0
    last_ms: int = 0
    silences: int = 0
    applied: dict[str, int] = {}
    outbox: list[str] = []
    outbox_flush: int = 0
    instants: int = 0


class RowPeek(msgspec.Struct):
    last_ms: int
    silences: int
    outbox_flush: int


def silence_due_ms(row: Counters | RowPeek) -> int | None:
    """One timer per silence: an hour after the last event, then none until the next event."""
    return row.last_ms + HOUR_MS if row.silences == 0 else None


class ToyCodec:
    """Records and rows as objects, and back."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(Event).decode
        self._load = msgspec.json.Decoder(Counters).decode
        self._peek = msgspec.json.Decoder(RowPeek).decode
        self.encode_row = msgspec.json.Encoder().encode

    def decode(self, topic: str, partition: int, record: Record) -> Arrival | None:
        try:
            event = self._decode(record.value or b"")
        except msgspec.DecodeError as reason:
            return Arrival(record.key or b"", None, reason, topic, partition, record.offset)
        return Arrival(
            event.key.encode(), event.time_ms, event, topic, partition, record.offset, event.complete_to_ms
        )

    def reject(self, topic: str, partition: int, batch: UnreadBatch) -> Arrival:
        return Arrival(b"", None, batch, topic, partition, batch.offset)

    def decode_row(self, key: bytes, row: bytes) -> Counters:
        return self._load(row)

    def timer_ms(self, state: Counters) -> int | None:
        return silence_due_ms(state)

    def peek(self, row: bytes) -> Peek:
        seen = self._peek(row)
        return Peek(silence_due_ms(seen), seen.outbox_flush)

    def applied(self, row: bytes) -> dict[str, int]:
        return self._load(row).applied


class ToyProcessor:
    """What happens at each moment. There is no await in it."""

    def __init__(self, prefix: str) -> None:
        self._alerts, self._dead_letters = f"{prefix}.alerts", f"{prefix}.deadletter"

    def apply(self, lane: Lane[Counters], moment: Moment) -> None:
        match moment:
            case Arrival():
                self._arrived(lane, moment)
            case Timer(key, at_ms):
                self._on_timer(lane, key, at_ms)
            case Unsent(key):
                self._send_again(lane, key)

    def _arrived(self, lane: Lane[Counters], arrival: Arrival) -> None:
        event, key, topic = arrival.event, arrival.key, arrival.topic
        if not isinstance(event, Event):
            lane.send(self._dead_letters, key, f"{topic}/{arrival.partition}/{arrival.offset}".encode())
            return
        row = lane.get(key) or Counters(event.key)
        if event.complete_to_ms is not None or arrival.offset < row.applied.get(topic, 0):
            return
        row.applied[topic] = arrival.offset + 1
        row.count += 1
        row.instants += not arrival.more
        row.total += event.amount
        if event.time_ms > row.last_ms:
            row.last_ms = event.time_ms
            row.silences = 0
        if row.count % 10 == 0:
            self._raise_alert(lane, row, f"{row.key}:count:{row.count}")
        lane.put(key, row)

    def _on_timer(self, lane: Lane[Counters], key: bytes, at_ms: int) -> None:
        row = lane.get(key)
        assert row is not None
        row.silences += 1
        self._raise_alert(lane, row, f"{row.key}:silent:{at_ms}")
        lane.put(key, row)

    def _raise_alert(self, lane: Lane[Counters], row: Counters, name: str) -> None:
        if row.outbox_flush <= lane.committed_flush:
            row.outbox = []
        row.outbox.append(name)
        row.outbox_flush = lane.flush_number
        lane.send(self._alerts, row.key.encode(), name.encode(), row=row.key.encode())

    def _send_again(self, lane: Lane[Counters], key: bytes) -> None:
        row = lane.get(key)
        assert row is not None
        for name in row.outbox:
            lane.send(self._alerts, key, name.encode(), row=key)
        row.outbox_flush = lane.flush_number
        lane.put(key, row)


def toy_app(
    options: EngineOptions, prefix: str, slow_s: float = 0.0, rows_at_once: int = 0
) -> EngineApp[Counters]:
    app: EngineApp[Counters] = EngineApp(options, ToyCodec())
    processor = ToyProcessor(prefix)
    if rows_at_once:
        app.flusher._row_limit = lambda since_last_s: rows_at_once  # type: ignore[method-assign]

    @app.processor
    async def keep_counters(lanes: Any) -> None:
        async for lane in lanes:
            for moment in lane.moments():
                processor.apply(lane, moment)
            if slow_s:
                await asyncio.sleep(slow_s)
            await lane.flush_if_due()

    return app


def toy_options(bootstrap: str, prefix: str, **more: Any) -> EngineOptions:
    topics = tuple(f"{prefix}.{name}" for name in TOPICS)
    return EngineOptions(
        app_id=f"{prefix}-app",
        bootstrap=bootstrap,
        inputs=topics,
        changelog=f"{prefix}.rows",
        **{"reference": topics[0], "ticks": topics[2], "session_timeout_s": 6.0, **more},
    )


def hold_before(app: EngineApp[Counters], question: str, until: Path) -> None:
    """Before the group is asked this: say so in the log, and wait until there is such a file."""
    ask = getattr(app.group, question)

    async def asked(*arguments: Any) -> Any:
        if not until.exists():
            logging.info("holds before %s", question)
        while not until.exists():
            await asyncio.sleep(0.01)
        return await ask(*arguments)

    setattr(app.group, question, asked)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--options", default="{}", help="more engine options, as JSON")
    parser.add_argument("--slow-s", type=float, default=0.0, help="pause after the moments of each lane")
    parser.add_argument(
        "--rows-at-once", type=int, default=0, help="rows per flush near the head of the topics"
    )
    parser.add_argument("--clock-offset-s", type=int, default=0, help="how wrong the wall clock is")
    parser.add_argument("--hold", nargs=2, metavar=("QUESTION", "FILE"), help="see hold_before")
    arguments = parser.parse_args()
    if arguments.clock_offset_s:
        right_time = time.time
        time.time = lambda: right_time() + arguments.clock_offset_s
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    more = msgspec.json.decode(arguments.options)
    if "store" in more:
        more["store"] = Path(more["store"])
    options = toy_options(arguments.bootstrap, arguments.prefix, **more)
    app = toy_app(options, arguments.prefix, arguments.slow_s, arguments.rows_at_once)
    if arguments.hold:
        hold_before(app, arguments.hold[0], Path(arguments.hold[1]))
    run(app)


if __name__ == "__main__":
    main()
