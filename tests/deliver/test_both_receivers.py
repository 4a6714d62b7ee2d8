"""Two receivers in processes of their own, in Python and in Node, verify what one `stream deliver` sends."""

import signal
from functools import partial

import pytest

from tests.support.alert_bodies import fresh_alert, ids_of
from tests.support.deliver_process import DeliverProcess, wait_until
from tests.support.node_packages import node_folder
from tests.support.receivers import ReceiverProcess, node_receiver, python_receiver

pytestmark = pytest.mark.slow  # npm fetches a package, and failed attempts are made again after five seconds


def has_all(receiver: ReceiverProcess, count: int) -> bool:
    return len(receiver.accepted) >= count


def test_every_message_is_verified_by_both_libraries(mock_broker, prefix, tmp_path):
    bodies = [fresh_alert(f"Zoë {n}", state) for n in range(20) for state in ("raised", "escalated")]
    with python_receiver(failing=5) as python, node_receiver(node_folder(), failing=5) as node:
        (tmp_path / "endpoints.toml").write_text(python.section("crm") + node.section("mail"))
        deliverer = DeliverProcess(tmp_path, mock_broker.bootstrap, prefix)
        deliverer.start()
        deliverer.write(*bodies)
        for receiver in (python, node):
            wait_until(partial(has_all, receiver, len(bodies)), "every alert")
        assert deliverer.end(signal.SIGTERM) == 0

    for receiver in (python, node):
        assert {each["status"] for each in receiver.messages} == {204, 503}, receiver.messages[:3]
        assert sorted(receiver.accepted) == sorted(ids_of(bodies)), "each once"
        place = {webhook_id: number for number, webhook_id in enumerate(receiver.accepted)}
        order = [place[each] for each in ids_of(bodies)]
        assert all(raised < escalated for raised, escalated in zip(order[::2], order[1::2], strict=True))
