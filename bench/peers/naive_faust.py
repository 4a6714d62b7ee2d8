"""Faust as its documentation shows it: a Record per event, one agent per topic, a Table of Records, JSON."""

from __future__ import annotations

from datetime import datetime

import faust
from faust.types import StreamT

from bench.peers.contract import BOOTSTRAP, GROUP, PARTITIONS, STATE_DIR, TOPICS, UNHAPPY_BELOW


class Envelope(faust.Record):
    id: str
    type: str
    subject: str
    time: str
    data: dict  # type: ignore[type-arg]  # as in the documentation


class Row(faust.Record):
    purchases: int = 0
    spend_minor: int = 0
    items: int = 0
    touches: int = 0
    voices: int = 0
    unhappy: int = 0
    first_ms: int = 1 << 62
    last_ms: int = 0


app = faust.App(
    GROUP,
    broker=f"kafka://{BOOTSTRAP}",
    datadir=STATE_DIR,
    store="memory://",
    topic_partitions=PARTITIONS,
    topic_disable_leader=True,
    web_enabled=False,
    broker_commit_interval=0.5,
    table_standby_replicas=0,
    consumer_auto_offset_reset="earliest",
)
purchases, engagement, feedback = (app.topic(name, key_type=str, value_type=Envelope) for name in TOPICS)
rows = app.Table("rows", default=Row, value_type=Row, partitions=PARTITIONS)


def _seen(row: Row, event: Envelope) -> Row:
    time_ms = int(datetime.fromisoformat(event.time).timestamp() * 1_000)
    row.first_ms, row.last_ms = min(row.first_ms, time_ms), max(row.last_ms, time_ms)
    return row


@app.agent(purchases)
async def count_purchases(stream: StreamT[Envelope]) -> None:
    async for event in stream:
        row = _seen(rows[event.subject], event)
        row.purchases += 1
        row.spend_minor += event.data["total_minor"]
        row.items += len(event.data["products"])
        rows[event.subject] = row


@app.agent(engagement)
async def count_touches(stream: StreamT[Envelope]) -> None:
    async for event in stream:
        row = _seen(rows[event.subject], event)
        row.touches += 1
        rows[event.subject] = row


@app.agent(feedback)
async def count_voices(stream: StreamT[Envelope]) -> None:
    async for event in stream:
        row = _seen(rows[event.subject], event)
        row.voices += 1
        row.unhappy += event.type == "feedback.reviewed" and event.data["rating"] < UNHAPPY_BELOW
        rows[event.subject] = row


if __name__ == "__main__":
    app.main()
