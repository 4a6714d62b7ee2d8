"""Fail stop: whatever fails ends the process with its exit code, after a goodbye to the group."""

import pytest

from stream.engine import EngineApp, EngineError, Exit
from stream.engine.failure import FailStop
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
