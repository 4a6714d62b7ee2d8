"""A broker that is frozen under `stream deliver`: it says so, goes on when it thaws, and stops when told."""

import signal

import pytest

from tests.support.alert_bodies import fresh_alert
from tests.support.deliver_process import DeliverProcess, wait_until
from tests.support.kafka_broker import Broker, create_topics
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(240)]


def test_deliver_is_unready_while_the_broker_is_frozen_goes_on_by_itself_and_stops_when_told(
    own_broker: Broker, prefix: str, tmp_path
) -> None:
    names = [f"{prefix}customers.{name}.v1" for name in ("alerts", "control", "deliveries")]
    create_topics(own_broker.bootstrap, names, 1)
    with WebhookReceiver() as receiver:
        (tmp_path / "endpoints.toml").write_text(receiver.endpoints_file())
        deliverer = DeliverProcess(tmp_path, own_broker.bootstrap, prefix)
        deliverer.start()

        own_broker.pause()
        wait_until(lambda: not deliverer.is_ready(), "it says that Kafka does not answer")
        own_broker.resume()
        wait_until(deliverer.is_ready, "it is ready again, though no record has come")
        deliverer.write(fresh_alert("c1"), fresh_alert("c2"))
        wait_until(lambda: len(deliverer.outcomes()) == 2, "both are delivered, and reported")

        own_broker.pause()
        code = deliverer.end(signal.SIGTERM)
        own_broker.resume()

        assert code == 0, deliverer.log()
        assert len(receiver.accepted) == 2
