"""`stream dlq redrive` killed by -9 in the middle, again and again: each letter arrives exactly once."""

import os
import subprocess
import sys
import time

import pytest

from stream.worker.kafka.dead_letter import InputRecord, dead_letter
from tests.ops.conftest import Shop
from tests.ops.test_dlq import arrived, fixed

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
LETTERS = 4_000
KILLS = 3


def bury_many(shop: Shop) -> list[str]:
    client, ids = shop.producer(), []
    for number in range(LETTERS):
        key = f"cust-{number}".encode()
        source = InputRecord(shop.names.purchases, 1, number, key, fixed(number), [])
        letter = dead_letter(source, "schema", "Expected `int`")
        client.produce(shop.names.deadletter, letter.value, letter.key, headers=letter.headers)
        client.poll(0)
        ids.append(letter.id)
    assert client.flush(30) == 0
    return sorted(ids)


def redriving(shop: Shop) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "stream", "dlq", "redrive", "--all"]
    return subprocess.Popen(command, env={**os.environ, **shop.environment}, stdout=subprocess.DEVNULL)


def inputs_written(shop: Shop) -> int:
    """Records on the purchases topic, as its ends say."""
    from stream.ops.cluster import bounds, partitions_of, reader

    with reader(shop.settings) as consumer:
        topic = shop.names.purchases
        return sum(bounds(consumer, topic, number)[1] for number in partitions_of(consumer, topic))


def test_a_redrive_that_is_killed_again_and_again_sends_each_letter_once(shop):
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
    assert arrived(shop) == ids
    assert kills > 0
    assert shop.run_json("dlq", "redrive", "--all")[1]["sent"] == 0
