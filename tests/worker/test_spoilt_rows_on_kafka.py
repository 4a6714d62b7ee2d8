"""A foreign record on the profiles topic, and absurd answers, through a real worker and its restarts."""

from __future__ import annotations

import pytest

from stream.wire import partition_of
from tests.support.builders import bought
from tests.support.heavy_records import TEXTS, ticket
from tests.support.running_worker import WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

PARTITIONS = 2
CUSTOMERS = [f"c{number}" for number in range(8)]


@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
def test_a_spoilt_row_costs_one_customer_and_is_told_once_over_restarts(new_kafka, tmp_path, guarantee):
    kafka = new_kafka(PARTITIONS)
    kafka.send(*(bought(day, customer=customer) for day in range(2) for customer in CUSTOMERS))
    with WorkerProcess(kafka, tmp_path / "first", guarantee=guarantee) as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0
    spoilt = b'{"profile":{"customer":"c3","feedback":{"nps":null}}}'
    kafka.put(kafka.names.profiles, b"c3", spoilt, partition_of(b"c3", PARTITIONS))
    kafka.flush()

    for start in range(2):
        kafka.send(*(bought(10 + start, customer=customer) for customer in CUSTOMERS))
        with WorkerProcess(kafka, tmp_path / f"again{start}", guarantee=guarantee) as worker:
            kafka.wait_for_commits(worker)
            assert worker.stop() == 0

    (letter,) = kafka.records("deadletter")
    assert (letter.key(), letter.value()) == (b"c3", spoilt)
    assert dict(letter.headers())["x-dlq-reason"] == b"row_unreadable"
    orders = {customer: profile.buying.sums.orders for customer, profile in kafka.profiles().items()}
    assert orders == {customer: 2 if customer == "c3" else 4 for customer in CUSTOMERS}


def test_health_is_answered_while_a_worker_reads_absurd_texts(new_kafka, tmp_path):
    kafka = new_kafka(1)
    for number in range(3_000):
        text = "😂" * (900 + number % 100) + f"{number}"
        value = ticket(text).replace(b'"id":"e"', b'"id":"e%d"' % number)
        kafka.put(kafka.names.feedback, b"c", value, 0)
    for number, text in enumerate(TEXTS.values()):
        value = ticket(text[:20_000]).replace(b'"id":"e"', b'"id":"t%d"' % number)
        kafka.put(kafka.names.feedback, b"c", value, 0)
    kafka.flush()

    with WorkerProcess(kafka, tmp_path / "log", clock="event") as worker:
        kafka.wait_for_commits(worker)
        assert worker.get("/healthz")[0] == 200
        assert worker.stop() == 0

    assert kafka.records("deadletter") == []
    assert kafka.profiles()["c"].events == 3_000 + len(TEXTS)
