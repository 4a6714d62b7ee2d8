"""Batches of some kilobytes that hold hundreds of megabytes: each is one dead letter, all else goes on."""

import re
from pathlib import Path

import pytest

from tests.support.bombs import BOMBS, put_bomb
from tests.support.running_worker import WorkerProcess, assert_same_profiles, replayed, tick

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

PEAK_MIB_MAX = 450
EVENTS = 300


def peak_mib(worker: WorkerProcess) -> int:
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) // 1024


@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
def test_a_batch_that_holds_too_much_is_one_dead_letter_and_takes_no_memory(
    new_kafka, history, tmp_path, guarantee
):
    kafka, events = new_kafka(), [*history[:EVENTS], tick(history[EVENTS].time)]
    kafka.send(*events[: EVENTS // 2])
    where = [f"{kafka.names.purchases}/0/{kafka.sent()[kafka.names.purchases, 0] + n}" for n in range(3)]
    for compression in BOMBS:
        put_bomb(kafka.bootstrap, kafka.names.purchases, compression)
    kafka.send(*events[EVENTS // 2 :])

    with WorkerProcess(kafka, tmp_path / "log", guarantee=guarantee) as worker:
        kafka.wait_for_commits(worker)
        peak = peak_mib(worker)
        assert worker.stop() == 0

    letters = [dict(letter.headers()) for letter in kafka.records("deadletter")]
    assert [letter["x-dlq-id"].decode() for letter in letters] == where
    assert {letter["x-dlq-reason"] for letter in letters} == {b"batch_too_large"}
    assert [letter["x-dlq-last-offset"].decode() for letter in letters] == [
        place.rpartition("/")[2] for place in where
    ]
    assert all(
        b"holds more than 67,108,864 bytes" in letter["__connect.errors.exception.message"]
        for letter in letters
    )
    assert_same_profiles(kafka.profiles(), replayed(events)[0])
    assert peak < PEAK_MIB_MAX
