"""`stream dlq redrive`, killed by SIGKILL several times: each dead letter arrives exactly once."""

import os
import subprocess
import sys
import time

import pytest

from tests.support.kafka_shop import KafkaShop, bury_many, inputs_written, redriven_ids

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
LETTERS = 4_000
KILLS = 3


def redriving(shop: KafkaShop) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "stream", "dlq", "redrive", "--all"]
    return subprocess.Popen(command, env={**os.environ, **shop.environment}, stdout=subprocess.DEVNULL)


def test_a_redrive_killed_several_times_sends_each_letter_once(shop):
    ids = bury_many(shop, LETTERS)
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
