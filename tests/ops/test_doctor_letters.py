"""`stream doctor` counts the dead letters that are still open, all of them, and says what it left out."""

from __future__ import annotations

import pytest

from stream.ops.doctor import cluster_view
from stream.worker.kafka.dead_letter import InputRecord, dead_letter
from tests.support.kafka_shop import KafkaShop, bury_many, repaired_event

pytestmark = pytest.mark.kafka
LETTERS = 1_000
"""More than the sample of four partitions."""


def dead_letters(shop: KafkaShop) -> tuple[str, str]:
    """Level and text of the check."""
    (finding,) = [one for one in shop.run_json("doctor")[1]["findings"] if one["check"] == "dead letters"]
    return finding["level"], finding["found"]


def test_dead_letters_are_a_fault_until_they_are_sent_again(shop):
    bury_many(shop, LETTERS)

    level, found = dead_letters(shop)
    assert (level, found.split(" for ")[0]) == ("fault", "1,000 dead letters within a day")

    assert shop.run_json("dlq", "redrive", "--all")[1]["sent"] == LETTERS

    level, found = dead_letters(shop)
    assert level == "ok"
    assert found.startswith("0 within a day for ")
    assert found.endswith("; 1,000 others were sent again")


def test_what_was_not_counted_is_told(shop, monkeypatch):
    monkeypatch.setattr(cluster_view, "LETTERS", 400)
    bury_many(shop, LETTERS)

    level, found = dead_letters(shop)

    assert level == "fault"
    assert "records were not looked at)" in found
    assert " 1,000 dead" not in found


def test_records_that_were_sent_again_are_no_fault_of_contents_or_keys(shop):
    client = shop.producer()
    client.produce(shop.names.engagement, repaired_event(1), b"cust-1", 0)
    assert client.flush(10) == 0
    source = InputRecord(shop.names.engagement, 0, 0, b"cust-1", repaired_event(1), [])
    letter = dead_letter(source, "wrong_topic", "belongs on the purchases topic")
    client.produce(shop.names.deadletter, letter.value, letter.key, headers=letter.headers)
    assert client.flush(10) == 0
    assert faulty(shop) >= {"contents", "keys"}

    assert shop.run_json("dlq", "redrive", "--all", "--repair")[1]["sent"] == 1

    assert faulty(shop).isdisjoint({"contents", "keys", "dead letters"})


def faulty(shop: KafkaShop) -> set[str]:
    return {one["check"] for one in shop.run_json("doctor")[1]["findings"] if one["level"] == "fault"}
