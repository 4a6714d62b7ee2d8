"""Alerts in Python: pip install confluent-kafka; python alerts.py

Every alert once, in one line: kind and state, customer, the first reason, what to do.
"""

import json
import os

from confluent_kafka import Consumer

consumer = Consumer(
    {
        "bootstrap.servers": os.environ.get("BROKERS", "localhost:9092"),
        "group.id": os.environ.get("GROUP", "my-campaigns"),
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
)
consumer.subscribe([os.environ.get("TOPIC", "customers.alerts.v1")])
seen: set[str] = set()  # keep it in your database: an alert may come twice, always under the same id
try:
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            raise SystemExit(str(message.error()))
        alert = json.loads(message.value())
        if alert["id"] not in seen:
            seen.add(alert["id"])
            data = alert["data"]
            reason = data["evidence"][0]["code"] if data["evidence"] else "-"
            action = data.get("recommended_action", {}).get("code", "-")
            print(alert["type"], alert["subject"], reason, action, flush=True)
        consumer.commit(message)  # only now: what was not dealt with comes again
finally:
    consumer.close()
