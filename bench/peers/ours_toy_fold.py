"""Our engine with the same 8 counters: merge by time, batched table, durable commits; no customer logic."""

from __future__ import annotations

from typing import Any

import msgspec

from bench.peers.contract import BOOTSTRAP, CHANGELOG, GROUP, TOPICS, Counters, decoder, fold, time_ms_of
from stream.engine import Arrival, EngineApp, EngineOptions, Peek, Record, UnreadBatch, run

NOTHING_DUE = Peek(None, 0)


class CounterCodec:
    """Bytes to counters and back; nothing ever falls due."""

    def __init__(self) -> None:
        self._decode = decoder().decode
        self._load = msgspec.json.Decoder(Counters).decode
        self.encode_row = msgspec.json.Encoder().encode

    def decode(self, topic: str, partition: int, record: Record) -> Arrival | None:
        event = self._decode(record.value or b"")
        return Arrival(record.key or b"", time_ms_of(event), event, topic, partition, record.offset)

    def reject(self, topic: str, partition: int, batch: UnreadBatch) -> Arrival:
        raise AssertionError(batch.detail)

    def decode_row(self, key: bytes, row: bytes) -> Counters:
        return self._load(row)

    def timer_ms(self, state: Counters) -> int | None:
        return None

    def peek(self, row: bytes) -> Peek:
        return NOTHING_DUE

    def applied(self, row: bytes) -> dict[str, int]:
        return {}


def counting_app() -> EngineApp[Counters]:
    options = EngineOptions(
        app_id=GROUP,
        bootstrap=BOOTSTRAP,
        inputs=TOPICS,
        changelog=CHANGELOG,
        reference=TOPICS[0],
    )
    app: EngineApp[Counters] = EngineApp(options, CounterCodec())

    @app.processor
    async def keep_counters(deliveries: Any) -> None:
        async for lane in deliveries:
            for arrival in lane.moments():
                row = lane.get(arrival.key) or Counters()
                fold(row, arrival.event, arrival.time_ms)
                lane.put(arrival.key, row)
            await lane.flush_if_due()

    return app


if __name__ == "__main__":
    run(counting_app())
