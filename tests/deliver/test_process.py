"""The process itself, against a broker and a receiver in a process of its own: killed, restarted, stopped."""

import random
import signal
import time

import pytest

from tests.support.alert_bodies import FAR_MS, alert_body, fresh_alert, ids_of
from tests.support.deliver_process import DeliverProcess, wait_until
from tests.support.webhook_receiver import WebhookReceiver


@pytest.fixture
def made(mock_broker, prefix, tmp_path):
    """A process that was not started yet, and its receiver."""
    with WebhookReceiver() as receiver:
        (tmp_path / "endpoints.toml").write_text(receiver.endpoints_file())
        deliverer = DeliverProcess(tmp_path, mock_broker.bootstrap, prefix)
        yield deliverer, receiver
        if deliverer.process is not None and deliverer.process.poll() is None:
            deliverer.end(signal.SIGKILL)


def test_alerts_from_the_start_on_are_delivered_and_it_stops_when_told(made):
    deliverer, receiver = made
    deliverer.write(fresh_alert("before"))
    deliverer.start()
    bodies = [fresh_alert("Zoë"), fresh_alert("c2")]
    deliverer.write(*bodies, b"no alert")

    wait_until(lambda: len(receiver.accepted) == 2, "both alerts")
    accepted = 'deliveries_total{endpoint="crm",outcome="accepted",reason=""} 2.0'
    wait_until(lambda: accepted in deliverer.metrics(), "both are counted")
    wait_until(lambda: "no_alerts_total 1.0" in deliverer.metrics(), "the record that is no alert is counted")
    code = deliverer.end(signal.SIGTERM)

    assert code == 0, deliverer.log()
    assert sorted(receiver.bodies.values()) == sorted(bodies), "byte for byte as on the topic"
    assert receiver.forged == 0
    assert "Zo" not in deliverer.log()


@pytest.mark.slow  # each start of a process takes seconds
def test_what_became_of_each_alert_is_on_the_deliveries_topic_and_erasures_are_read(made):
    deliverer, receiver = made
    deliverer.start()
    deliverer.write(fresh_alert("Zoe"), fresh_alert("c2"))
    wait_until(lambda: len(deliverer.outcomes()) == 2, "both outcomes")
    written = {each.subject: each.data for each in deliverer.outcomes()}
    assert b"Zoe" in (deliverer.folder / "queue.db-wal").read_bytes()

    deliverer.erase("Zoe")
    deliverer.write(fresh_alert("Zoe", "escalated"), fresh_alert("c3"))
    wait_until(lambda: len(deliverer.outcomes()) == 4, "the outcomes after the erasure")
    ends = [each.data.outcome for each in deliverer.outcomes() if each.subject == "Zoe"]

    assert deliverer.end(signal.SIGTERM) == 0
    assert {data.alert_id for data in written.values()} <= set(receiver.accepted)
    assert {data.outcome for data in written.values()} == {"accepted"}
    assert sorted(ends) in (["accepted", "suppressed"], ["accepted", "accepted"])  # two topics: in any order
    assert b'"subject":"Zoe"' not in (deliverer.folder / "queue.db").read_bytes()


@pytest.mark.slow  # each start of a process takes seconds
def test_who_was_muted_before_the_first_start_and_who_is_held_out_reach_no_receiver(made):
    deliverer, receiver = made
    deliverer.mute("ada")
    bodies = [
        alert_body(customer, at_ms=time.time_ns() // 1_000_000, expires_ms=FAR_MS, arm=arm)
        for customer, arm in (("ada", ""), ("held", "held_out"), ("c3", "treated"))
    ]
    deliverer.write(*bodies)
    deliverer.start("--start", "beginning")
    wait_until(lambda: len(deliverer.outcomes()) == 3, "all outcomes")

    ends = {each.subject: (each.data.outcome, each.data.reason) for each in deliverer.outcomes()}
    sent = {each.subject: each.data.sent_at is not None for each in deliverer.outcomes()}
    assert deliverer.end(signal.SIGTERM) == 0
    assert ends == {
        "ada": ("suppressed", "muted"),
        "held": ("suppressed", "holdout"),
        "c3": ("accepted", ""),
    }
    assert sent == {"ada": False, "held": True, "c3": True}
    assert list(receiver.accepted) == ids_of(bodies[2:])


@pytest.mark.slow  # each start of a process takes seconds
def test_killed_at_any_moment_it_delivers_every_alert_under_its_id(made):
    deliverer, receiver = made
    draw = random.Random(21)
    failed: set[str] = set()

    def flaky(webhook_id: str) -> int:
        fails = webhook_id not in failed and draw.random() < 0.2
        failed.update([webhook_id] * fails)
        return 503 if fails else 200

    receiver.answer = flaky
    bodies = [fresh_alert(f"c{n}", state) for n in range(150) for state in ("raised", "escalated")]
    deliverer.write(bodies[0])  # it makes the topic
    deliverer.start("--start", "beginning")
    for first in range(0, len(bodies), 60):
        deliverer.write(*bodies[max(1, first) : first + 60])
        time.sleep(draw.random())
        deliverer.end(signal.SIGKILL)
        deliverer.start()
    wait_until(lambda: len(receiver.accepted) == len(bodies), "every alert")
    repeated = sum(receiver.accepted.values()) - len(bodies)

    assert deliverer.end(signal.SIGTERM) == 0
    assert set(receiver.accepted) == set(ids_of(bodies))
    assert repeated <= 5 * 16, "only what was under way when it was killed"
    assert receiver.forged == 0
    first_time = {webhook_id: place for place, webhook_id in reversed(list(enumerate(receiver.order)))}
    in_order = [first_time[each] for each in ids_of(bodies)]
    assert all(raised < escalated for raised, escalated in zip(in_order[::2], in_order[1::2], strict=True))


@pytest.mark.slow  # each start of a process takes seconds
def test_without_its_topic_or_broker_it_ends_with_a_reason(made, tmp_path):
    deliverer, _ = made
    deliverer.environ["STREAM_BROKERS"] = "127.0.0.1:1"
    with pytest.raises(AssertionError, match="stream: Kafka: "):
        deliverer.start()
    assert deliverer.process is not None
    assert deliverer.process.returncode == 1
