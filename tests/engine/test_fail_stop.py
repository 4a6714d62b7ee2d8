"""Fail stop: whatever fails ends the process with its exit code, after a goodbye to the group."""

import pytest
from confluent_kafka import KafkaError

from stream.engine import EngineApp, EngineError, Exit
from stream.engine.failure import FailStop
from stream.engine.output.producer import stopped_by
from stream.engine.partition_id import PartitionId
from stream.engine.start.new_lane import shared_partitions
from tests.support.toy_app import ToyCodec, toy_options


def test_the_group_is_left_before_the_process_ends() -> None:
    done: list[object] = []
    fail = FailStop(exit=done.append)
    fail.leave = lambda: done.append("left")

    fail(EngineError(Exit.DEAD_LETTERS, "too many"))
    fail(EngineError(Exit.PRODUCER, "a second failure says nothing"))

    assert done == ["left", Exit.DEAD_LETTERS]


@pytest.mark.parametrize(("failure", "code"), [(ValueError("no"), 70), (EngineError(Exit.FENCED, ""), 75)])
def test_a_failure_in_any_of_fausts_services_ends_the_process_with_its_code(
    failure: Exception, code: int
) -> None:
    codes: list[int] = []
    app = EngineApp(toy_options("127.0.0.1:1", "crash"), ToyCodec(), FailStop(exit=codes.append))

    app._crash(failure)

    assert codes == [code]


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (KafkaError.INVALID_TIMESTAMP, "this machine's clock more than an hour ahead"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "an ACL for this user is missing (WRITE on the topic)"),
        (KafkaError.CLUSTER_AUTHORIZATION_FAILED, "an ACL for this user is missing (IDEMPOTENT_WRITE"),
    ],
)
def test_a_refused_write_says_what_to_look_at(code: int, hint: str) -> None:
    stopped = stopped_by(KafkaError(code))

    assert stopped.code == Exit.PRODUCER
    assert hint in str(stopped)


def test_a_worker_that_was_given_unequal_inputs_names_what_another_member_does_not_read() -> None:
    options = toy_options("127.0.0.1:1", "mixed")
    first, second, third = options.inputs
    given = [PartitionId(topic, number) for topic in options.inputs for number in (0, 1)]

    with pytest.raises(EngineError) as failure:
        shared_partitions([*given, PartitionId(second, 2), PartitionId(second, 3)], options)

    assert failure.value.code == Exit.CONFIGURATION
    assert f"this worker was given 2 of {first}, 4 of {second}, 2 of {third} partitions" in str(failure.value)
    assert f"another member of group mixed-app seems not to read {second}, because" in str(failure.value)
    with pytest.raises(EngineError, match="a member of group mixed-app is no worker"):
        shared_partitions(given[:4], options)
