"""The full job in Faust as its documentation shows it: one agent, a Table, a topic for the alerts."""

from __future__ import annotations

from typing import Any

import faust
from faust.types import StreamT

from bench.peers.contract import BOOTSTRAP, COMMIT_S, GROUP, PARTITIONS, STATE_DIR
from bench.peers.full_job import ALERTS, INPUT, basis, decode_row, encode_row, step

app = faust.App(
    GROUP,
    broker=f"kafka://{BOOTSTRAP}",
    datadir=STATE_DIR,
    store="memory://",
    topic_partitions=PARTITIONS,
    topic_disable_leader=True,
    web_enabled=False,
    broker_commit_interval=COMMIT_S,
    table_standby_replicas=0,
    consumer_auto_offset_reset="earliest",
)
RAW: dict[str, Any] = {
    "key_type": bytes,
    "value_type": bytes,
    "key_serializer": "raw",
    "value_serializer": "raw",
}
events = app.topic(INPUT, **RAW)
alerts = app.topic(ALERTS, **RAW)
rows: Any = app.Table("rows", partitions=PARTITIONS, key_type=bytes, value_type=bytes)
rows.key_serializer = rows.value_serializer = "raw"  # a table of plain bytes would be written as JSON
BY = basis()


@app.agent(events)
async def keep_profiles(stream: StreamT[bytes]) -> None:
    async for key, value in stream.items():
        stored = rows.get(key)
        profile, raised = step(None if stored is None else decode_row(stored), value, BY)
        if profile is not None:
            rows[key] = encode_row(profile)
        for alert in raised:
            await alerts.send(key=key, value=alert)


if __name__ == "__main__":
    app.main()
