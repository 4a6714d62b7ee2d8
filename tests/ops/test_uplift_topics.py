"""`stream uplift --from-kafka` reads alerts, deliveries and events of the topics: the same as from files."""

import json

import pytest
from confluent_kafka import Producer

from tests.support.trial_shop import TrialShop, in_files, written

pytestmark = pytest.mark.kafka


def test_topics_and_files_say_the_same(shop, tmp_path):
    found = written(TrialShop(customers=400, share=0.4, repurchase=0.5))
    events, alerts, deliveries = in_files(found, tmp_path)
    assert shop.run("send", str(events)).exit_code == 0
    producer = Producer({"bootstrap.servers": shop.bootstrap, "log_level": 0})
    for topic, lines in ((shop.names.alerts, found.alerts), (shop.names.deliveries, found.deliveries)):
        for line in lines:
            producer.produce(topic, value=line, key=json.loads(line)["subject"])
    assert producer.flush(60) == 0

    from_topics = json.loads(shop.run("uplift", "--from-kafka", "--json").stdout)
    files = ("--alerts", str(alerts), "--deliveries", str(deliveries))
    from_files = json.loads(shop.run("uplift", str(events), *files, "--json").stdout)

    assert from_topics == from_files
    assert from_files["customers"]["window_over"] == 400
