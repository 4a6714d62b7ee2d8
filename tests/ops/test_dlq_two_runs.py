"""Several `stream dlq redrive` at the same moment, one of them killed: each dead letter arrives once."""

import os
import subprocess
import sys
import time

import pytest

from tests.support.kafka_shop import KafkaShop, bury_many, inputs_written, redriven_ids

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
LETTERS = 2_000
RUNS = 3
REPLACED = "another `stream dlq redrive` goes on in the place of this one"


def redriving(shop: KafkaShop) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "stream", "dlq", "redrive", "--all"]
    environment = {**os.environ, **shop.environment}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ended(runs: list[subprocess.Popen[str]]) -> list[int]:
    """The exit codes; a run that was replaced must say so in one line."""
    for run in runs:
        output, _ = run.communicate(timeout=120)
        assert run.returncode in (0, 1), output
        if run.returncode == 1:
            assert REPLACED in output
            assert len(output.splitlines()) == 1
    return [run.returncode for run in runs]


def test_runs_at_the_same_moment_send_each_letter_once(shop):
    ids = bury_many(shop, LETTERS)

    assert 0 in ended([redriving(shop) for _ in range(RUNS)])

    assert redriven_ids(shop) == ids
    assert shop.run_json("dlq", "redrive", "--all")[1]["sent"] == 0


def test_runs_after_a_killed_one_send_each_letter_once(shop):
    ids = bury_many(shop, LETTERS)
    killed = redriving(shop)
    while killed.poll() is None and inputs_written(shop) == 0:
        time.sleep(0.001)
    killed.kill()
    killed.communicate(timeout=30)

    assert 0 in ended([redriving(shop) for _ in range(2)])

    assert redriven_ids(shop) == ids
    assert all(row["redriven"] for row in shop.run_json("dlq", "list")[1]["letters"])
