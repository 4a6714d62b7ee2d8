"""A record that no broker can take because its topic shrank: the failure names the topic."""

from __future__ import annotations

import pytest

from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.output.producer import Sender
from stream.engine.task.batch import Outgoing
from tests.support.kafka_broker import MockBroker

BEYOND = 9
"""A partition that the mock's topics of four do not have."""


def sender(broker: MockBroker) -> Sender:
    options = EngineOptions(
        app_id="app", bootstrap=broker.bootstrap, inputs=("in",), changelog="rows", delivery_timeout_s=2
    )
    return Sender(options, "sender")


def write(writer: Sender) -> None:
    writer.write_records([Outgoing("alerts", b"k", b"v", None, BEYOND)])
    writer.wait_for_acks()


@pytest.mark.parametrize("known", [True, False])
def test_a_record_for_a_partition_that_is_not_there_names_the_topic(mock_broker, known):
    """librdkafka says it at once where it knows the topic already, else when it asked for it."""
    writer = sender(mock_broker)
    if known:
        assert writer.partition_count("alerts") == 4

    with pytest.raises(EngineError) as stopped:
        write(writer)

    assert stopped.value.code == Exit.PRODUCER
    assert "alerts" in str(stopped.value)
    assert "Unknown partition" in str(stopped.value)
    assert "created again" in str(stopped.value)


def test_a_row_for_a_partition_that_is_not_there_names_the_changelog(mock_broker):
    writer = sender(mock_broker)
    assert writer.partition_count("rows") == 4

    with pytest.raises(EngineError, match=r"rows.*Unknown partition"):
        writer.fence("rows", {BEYOND: 1})
