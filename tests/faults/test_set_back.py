"""The group's offsets are set back by hand: of one input alone that is refused, of all together obeyed."""

from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from stream.engine.failure import Exit
from stream.engine.options import GUARANTEES
from tests.faults.losses import caught_up, inputs_of
from tests.faults.verifier import violations
from tests.faults.workers import PARTITIONS, Progress, ToyWorker
from tests.faults.workload import Shop, produce
from tests.support.kafka_broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def set_back(bootstrap: str, prefix: str, *topics: str) -> None:
    tool = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{prefix}-app"})
    places = [TopicPartition(topic, number, 0) for topic in topics for number in range(PARTITIONS)]
    tool.commit(offsets=places, asynchronous=False)
    tool.close()


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_an_input_that_is_set_back_alone_stops_the_worker_until_all_of_them_are(
    broker: Broker, prefix: str, tmp_path: Path, guarantee: str
) -> None:
    """An erasure on another input would not be read again, and what it deleted would come back."""
    shop = Shop(prefix, 61)
    assert caught_up(broker, shop, tmp_path, guarantee=guarantee).stop() == 0
    set_back(broker.bootstrap, prefix, f"{prefix}.purchases")

    for _ in range(2):
        worker = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", guarantee=guarantee)
        assert worker.process.wait(60) == Exit.CONFIGURATION
        assert f"{prefix}.purchases/0: its offset was set back by hand to 0" in worker.last_log_lines()

    set_back(broker.bootstrap, prefix, *inputs_of(prefix))
    count = 5_000 + produce(broker.bootstrap, shop.inputs(100))
    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log", guarantee=guarantee)
    Progress(broker.bootstrap, prefix).wait_for(count)
    assert again.stop() == 0
    assert violations(broker.bootstrap, prefix, f"{prefix}-app") == []
