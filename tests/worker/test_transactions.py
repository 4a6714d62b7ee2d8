"""Orders and erasures that a producer aborts change nothing: profiles and alerts are those of the rest."""

import msgspec
import pytest

from stream.core.events.event import CustomerErased, PurchaseCompleted
from stream.wire import STRUCTURED_HEADERS, encode_event, kind_of, partition_of
from tests.support.running_worker import (
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    replayed,
    tick,
)
from tests.support.transactions import TransactionalProducer

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
EVENTS, PER_TRANSACTION = 600, 60


def send(producer: TransactionalProducer, kafka, events, *, commit: bool) -> None:
    producer.begin()
    for event in events:
        key = event.subject.encode()
        place = partition_of(key, kafka.partitions)
        topic = getattr(kafka.names, kind_of(event))
        producer.send(topic, key, encode_event(event), place, headers=STRUCTURED_HEADERS)
    producer.end(commit=commit)


@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
def test_aborted_orders_and_erasures_change_nothing(new_kafka, history, tmp_path, guarantee):
    kafka, committed = new_kafka(), history[:EVENTS]
    with TransactionalProducer(kafka.bootstrap, f"{kafka.settings.app_id}-shop", "lz4") as producer:
        for start in range(0, EVENTS, PER_TRANSACTION):
            some = committed[start : start + PER_TRANSACTION]
            orders = [event for event in some if isinstance(event, PurchaseCompleted)]
            again = [msgspec.structs.replace(order, id=f"aborted-{order.id}") for order in orders]
            erasures = [
                CustomerErased(id=f"e-{order.id}", source="/t", subject=order.subject, time=order.time)
                for order in orders
            ]
            send(producer, kafka, some, commit=True)
            send(producer, kafka, [*again, *erasures], commit=False)
    last = tick(committed[-1].time)
    kafka.send(last)

    with WorkerProcess(kafka, tmp_path / "log", guarantee=guarantee) as worker:
        kafka.wait_for_commits(worker)
        lag = worker.metrics("consumer_lag_records")
        assert worker.stop() == 0

    profiles, alerts = replayed([*committed, last])
    assert set(lag.values()) == {0.0}
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)
