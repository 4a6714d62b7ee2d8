"""The group metadata that is built by hand is what confluent-kafka itself would give."""

from confluent_kafka import Consumer

from stream.engine.output.commit import group_metadata


def test_the_metadata_of_a_member_that_did_not_join_is_the_client_s_own() -> None:
    consumer = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "shop", "log_level": 0})
    try:
        assert group_metadata("shop", -1, "") == bytes(consumer.consumer_group_metadata())
    finally:
        consumer.close()


def test_a_member_and_its_generation_take_their_places() -> None:
    assert group_metadata("shop", 7, "me") == b"CGMDv2:\x07\x00\x00\x00shop\x00me\x00\x01"
