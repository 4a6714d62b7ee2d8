import time
from collections.abc import Iterator

import pytest

from stream.worker.kafka.topics import ROLES
from tests.support.kafka_broker import Broker
from tests.support.kafka_jars import NoBrokerError
from tests.support.kafka_shop import ShopWithWorker
from tests.support.required import give_up
from tests.support.secure_kafka import SecureKafka


@pytest.fixture(scope="session")
def secure() -> Iterator[SecureKafka]:
    """A Kafka of its own with every kind of listener, and with ACLs."""
    try:
        kafka = SecureKafka()
    except NoBrokerError as reason:
        give_up("kafka", str(reason))
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.close()


@pytest.fixture
def shop(broker: Broker, prefix: str) -> Iterator[ShopWithWorker]:
    """All topics, created as `stream topics apply` does."""
    made = ShopWithWorker(broker.bootstrap, prefix)
    assert made.run("topics", "apply").exit_code == 0
    names = {getattr(made.names, role) for role in ROLES}
    while not names <= set(made.admin.list_topics(timeout=10).topics):
        time.sleep(0.1)
    yield made
    for answer in made.admin.delete_topics([getattr(made.names, role) for role in ROLES]).values():
        answer.exception(30)


@pytest.fixture
def worked(shop: ShopWithWorker) -> Iterator[ShopWithWorker]:
    """A shop with a worker of its own."""
    shop.start_worker()
    yield shop
    shop.stop_worker()
