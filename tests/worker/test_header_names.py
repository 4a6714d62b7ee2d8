"""Headers whose name is not UTF-8 stop neither worker nor tools; any producer can send one."""

import json
import os
import subprocess
import sys

import pytest

from stream.wire import encode_event, kind_of, partition_of
from tests.support.running_worker import STREAM, WorkerProcess, assert_same_profiles, replayed

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

SEND = r"""
import asyncio, os, sys
os.environ["AIOKAFKA_NO_EXTENSIONS"] = "1"  # its builder in C takes text only
from aiokafka import AIOKafkaProducer

class Name(str):
    def encode(self, *_):
        return b"\xff\xfe\xfd"

async def main(bootstrap, topic, key, partition):
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    for line in sys.stdin.buffer:
        headers = [("content-type", b"application/cloudevents+json"), (Name("x"), b"1")]
        await producer.send_and_wait(topic, line.rstrip(), key.encode(), int(partition), headers=headers)
    await producer.stop()

asyncio.run(main(*sys.argv[1:]))
"""


def test_events_and_garbage_with_such_headers_are_read(new_kafka, history, tmp_path):
    kafka = new_kafka()
    first = history[0]
    others = [event for event in history[1:500] if event.subject != first.subject]
    topic, home = getattr(kafka.names, kind_of(first)), partition_of(first.subject.encode(), kafka.partitions)
    place = [kafka.bootstrap, topic, first.subject, str(home)]
    lines = encode_event(first) + b"\nno event\n"
    subprocess.run([sys.executable, "-c", SEND, *place], input=lines, check=True)
    kafka.send(*others)

    with WorkerProcess(kafka, tmp_path / "log", deadletter_window="0") as worker:
        kafka.wait_for_commits(worker, len(others) + 1)
        assert worker.stop() == 0

    profiles, _ = replayed([first, *others])
    assert_same_profiles(kafka.profiles(), profiles)
    (letter,) = kafka.records("deadletter")
    assert letter.value() == b"no event"
    for words in (("doctor", "--json"), ("dlq", "list", "--json"), ("replay", "--from-kafka", "--json")):
        output = subprocess.run(
            [STREAM, *words], env={**os.environ, **kafka.environment}, capture_output=True, check=False
        )
        assert output.returncode in {0, 1}, output.stderr
        assert output.stdout, (words, output.stderr)
        assert json.loads(output.stdout.splitlines()[-1]), words
        assert b"Traceback" not in output.stderr


def test_a_foreign_row_with_such_a_header_does_not_stop_the_recovery(new_kafka, history, tmp_path):
    kafka = new_kafka()
    place = [
        kafka.bootstrap,
        kafka.names.profiles,
        "stranger",
        str(partition_of(b"stranger", kafka.partitions)),
    ]
    subprocess.run([sys.executable, "-c", SEND, *place], input=b"{}\n", check=True)
    kafka.send(*history[:500])

    with WorkerProcess(kafka, tmp_path / "log") as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    rows = kafka.rows()
    rows.pop("stranger", None)
    assert rows.keys() == replayed(history[:500])[0].keys()
