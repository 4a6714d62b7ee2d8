"""`stream dlq redrive`, killed by SIGKILL several times: each dead letter arrives exactly once."""

import os
import subprocess
import sys
import time

import pytest

from stream.ops.cluster import bounds, partitions_of, reader
from stream.worker.kafka.dead_letter import InputRecord, dead_letter
from tests.support.kafka_shop import KafkaShop, redriven_ids, repaired_event

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
LETTERS = 4_000
KILLS = 3


def bury_many(shop: KafkaShop) -> list[str]:
    client, ids = shop.producer(), []
    for number in range(LETTERS):
        key = f"cust-{number}".encode()
        source = InputRecord(shop.names.purchases, 1, number, key, repaired_event(number), [])
        letter = dead_letter(source, "schema", "Expected `int`")
        client.produce(shop.names.deadletter, letter.value, letter.key, headers=letter.headers)
        client.poll(0)
        ids.append(letter.id)
    assert client.flush(30) == 0
    return sorted(ids)


def redriving(shop: KafkaShop) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "stream", "dlq", "redrive", "--all"]
    return subprocess.Popen(command, env={**os.environ, **shop.environment}, stdout=subprocess.DEVNULL)


def inputs_written(shop: KafkaShop) -> int:
    """The number of records on the purchases topic."""
    with reader(shop.settings) as consumer:
        topic = shop.names.purchases
        return sum(bounds(consumer, topic, number)[1] for number in partitions_of(consumer, topic))


def test_a_redrive_killed_several_times_sends_each_letter_once(shop):
    ids = bury_many(shop)
    kills = 0
    while kills < KILLS:
        before, process = inputs_written(shop), redriving(shop)
        while process.poll() is None and inputs_written(shop) == before:
            time.sleep(0.001)
        if process.poll() is not None:
            break
        process.kill()
        process.wait(30)
        kills += 1

    assert redriving(shop).wait(120) == 0
    assert redriven_ids(shop) == ids
    assert kills > 0
    assert shop.run_json("dlq", "redrive", "--all")[1]["sent"] == 0
