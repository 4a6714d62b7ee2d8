"""A header whose name is no text stops nobody: any producer can write one, and it stays in the log."""

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


def test_events_and_rubbish_with_such_headers_are_read_and_what_follows_too(ground, history, tmp_path):
    here = ground()
    first = history[0]
    others = [event for event in history[1:500] if event.subject != first.subject]
    topic, home = getattr(here.names, kind_of(first)), partition_of(first.subject.encode(), here.partitions)
    place = [here.bootstrap, topic, first.subject, str(home)]
    lines = encode_event(first) + b"\nno event\n"
    subprocess.run([sys.executable, "-c", SEND, *place], input=lines, check=True)
    here.send(*others)

    with WorkerProcess(here, tmp_path / "log", deadletter_window="0") as worker:
        here.wait_for_commits(worker, len(others) + 1)
        assert worker.stop() == 0

    profiles, _ = replayed([first, *others])
    assert_same_profiles(here.profiles(), profiles)
    (letter,) = here.records("deadletter")
    assert letter.value() == b"no event"
    for words in (("doctor", "--json"), ("dlq", "list", "--json"), ("replay", "--from-kafka", "--json")):
        told = subprocess.run(
            [STREAM, *words], env={**os.environ, **here.environment}, capture_output=True, check=False
        )
        assert told.returncode in {0, 1}, told.stderr
        assert told.stdout, (words, told.stderr)
        assert json.loads(told.stdout.splitlines()[-1]), words
        assert b"Traceback" not in told.stderr


def test_a_stranger_s_row_with_such_a_header_keeps_nobody_from_recovering(ground, history, tmp_path):
    here = ground()
    place = [here.bootstrap, here.names.profiles, "stranger", str(partition_of(b"stranger", here.partitions))]
    subprocess.run([sys.executable, "-c", SEND, *place], input=b"{}\n", check=True)
    here.send(*history[:500])

    with WorkerProcess(here, tmp_path / "log") as worker:
        here.wait_for_commits(worker)
        assert worker.stop() == 0

    rows = here.rows()
    rows.pop("stranger", None)
    assert rows.keys() == replayed(history[:500])[0].keys()
