"""librdkafka prints nothing itself: its lines are lines of the engine's log, one of a kind in a minute."""

import ast
import logging
from pathlib import Path

from confluent_kafka import Consumer, Producer

import stream.engine
from stream.engine.client_log import SAME_AGAIN_AFTER_S, ClientLog

NOBODY = "127.0.0.1:9"
"""A port at which nothing answers."""
POLLS_MAX = 100
FORMAT = "%s [%s] %s"
CLIENTS = {"Producer", "Consumer", "AdminClient"}


def test_lines_of_one_kind_are_said_once_in_a_while_and_the_others_are_counted(caplog):
    caplog.set_level(logging.INFO, "stream.engine")
    now = [100.0]
    lines = ClientLog(lambda: now[0])

    for _ in range(4):
        lines.log(logging.ERROR, FORMAT, "FAIL", "worker-1", "Connection refused")
    lines.log(logging.ERROR, FORMAT, "AUTH", "worker-1", "wrong password")
    now[0] += SAME_AGAIN_AFTER_S
    lines.log(logging.ERROR, FORMAT, "FAIL", "worker-2", "Connection refused")

    assert [record.getMessage() for record in caplog.records] == [
        "Kafka client: FAIL [worker-1] Connection refused",
        "Kafka client: AUTH [worker-1] wrong password",
        "Kafka client: FAIL [worker-2] Connection refused (3 more like it before)",
    ]
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_a_broker_that_is_away_is_a_line_of_the_log_and_nothing_is_printed(caplog, capfd):
    caplog.set_level(logging.INFO, "stream.engine")
    settings = {"bootstrap.servers": NOBODY, "log_level": 3}
    producer = Producer(settings, logger=ClientLog())
    consumer = Consumer({**settings, "group.id": "g"}, logger=ClientLog())

    for _ in range(POLLS_MAX):
        producer.poll(0.1)
        consumer.poll(0.1)
        if len(caplog.records) >= 2:
            break
    consumer.close()

    assert len(caplog.records) >= 2
    assert all(record.getMessage().startswith("Kafka client: ") for record in caplog.records)
    assert "%3|" not in "".join(capfd.readouterr())


def test_every_client_of_the_engine_has_the_log_or_is_silent():
    for path in Path(stream.engine.__path__[0]).rglob("*.py"):
        source = path.read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "Producer",
                "Consumer",
                "AdminClient",
            }:
                logged = any(keyword.arg == "logger" for keyword in node.keywords)
                assert logged or '"log_level": 0' in source, f"{path.name}:{node.lineno}"
