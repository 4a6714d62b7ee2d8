"""T11: an input that Kafka compacts loses events that nobody has read; workers refuse it."""

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from stream.engine.failure import Exit
from tests.faults.losses import caught_up
from tests.faults.workers import ToyWorker
from tests.faults.workload import Shop
from tests.support.kafka_broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def set_policy(client: AdminClient, topic: str, policy: str) -> None:
    entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for done in client.incremental_alter_configs([resource]).values():
        done.result(60)


def test_an_input_that_is_compacted_from_now_on_stops_the_worker_and_each_that_starts(
    broker: Broker, client: AdminClient, prefix: str, tmp_path: Path
) -> None:
    """T11: with the setting, the topic and the remedy in the last line; after the repair it goes on."""
    topic = f"{prefix}.engagement"
    worker = caught_up(broker, Shop(prefix, 51), tmp_path)
    set_policy(client, topic, "compact,delete")

    for each in (worker, ToyWorker(broker.bootstrap, prefix, tmp_path / "log")):
        assert each.process.wait(60) == Exit.CONFIGURATION
        assert f"{topic} has cleanup.policy=compact,delete" in each.last_log_lines()

    set_policy(client, topic, "delete")
    again = ToyWorker(broker.bootstrap, prefix, tmp_path / "log")
    again.wait_until_owner(4)
    assert again.stop() == 0
