"""What `stream doctor` says of topics that were created again with other partitions, or by the broker."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from stream.ops.doctor.topics import check_partitions, check_timestamps
from stream.worker.kafka.topics import INPUTS, ROLES, TopicState
from tests.support.cluster_views import NAMES, SETTINGS, cluster

BY_THE_BROKER = {
    "cleanup.policy": "delete",
    "retention.ms": "604800000",
    "message.timestamp.type": "CreateTime",
}


@pytest.mark.parametrize("role", ROLES)
def test_the_remedy_for_other_partitions_is_that_of_the_role(role):
    view, name = cluster(ROLES), getattr(NAMES, role)
    view = replace(view, topics={**view.topics, name: TopicState(1, view.topics[name].config)})

    (found,) = check_partitions(view)

    assert found.level == "fault"
    assert found.found == f"{name} has 1 partitions, {SETTINGS.partitions} wanted"
    assert ("delete this topic" in found.remedy) == (role in ("alerts", "shadow", "deliveries", "deadletter"))
    assert ("send the events again" in found.remedy) == (role in INPUTS)


def test_equal_partitions_that_are_not_those_of_the_setting_are_a_setting():
    view = cluster(ROLES)
    view = replace(view, topics={name: TopicState(3, each.config) for name, each in view.topics.items()})

    assert {each.remedy for each in check_partitions(view)} == {"set STREAM_PARTITIONS=3"}


@pytest.mark.parametrize("role", ["alerts", "deadletter"])
def test_an_output_that_the_broker_created_by_itself_is_a_fault(role):
    view, name = cluster(ROLES), getattr(NAMES, role)
    view = replace(view, topics={**view.topics, name: TopicState(SETTINGS.partitions, BY_THE_BROKER)})

    faults = [each for each in check_timestamps(view) if each.level == "fault"]

    assert len(faults) == 1
    assert faults[0].found.startswith(f"{name} ")
    assert "topics apply --alter" in faults[0].remedy
