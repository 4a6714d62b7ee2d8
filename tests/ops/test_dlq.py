"""`stream dlq` on a real broker: list, show, and redrive each dead letter once, whatever interrupts it."""

import json
import random

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from stream.ops import redrive as redriving
from stream.ops.cluster import from_start, reader
from stream.ops.dead_letters import REDRIVEN_FROM, read_dead_letters
from stream.wire import Rejected, decode, partition_of
from stream.worker.kafka.topics_admin import ClusterError
from tests.support.kafka_shop import PARTITIONS, KafkaShop, bury, redriven_ids, repaired_event
from tests.support.poison import GOOD, KEY, as_bytes, purchase

pytestmark = pytest.mark.kafka


def noise(length: int) -> str:
    """Text that no compression makes much shorter."""
    return random.Random(length).randbytes(length // 2).hex()


def configure_topic(shop: KafkaShop, role: str, name: str, value: str) -> None:
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, getattr(shop.names, role), incremental_configs=[entry])
    for answer in shop.admin.incremental_alter_configs([resource]).values():
        answer.result(10)


def test_letters_are_counted_listed_and_shown(shop):
    ids = [bury(shop, n, repaired_event(n), f"cust-{n}".encode()) for n in range(3)]
    bury(shop, 9, b"\xff\x00", None, reason="not_utf8")

    code, report = shop.run_json("dlq", "list")
    assert (code, report["total"], report["by_reason"]) == (0, 4, {"schema": 3, "not_utf8": 1})
    assert b"cust-" not in json.dumps(report).encode()
    assert shop.run_json("dlq", "list", "--reason", "schema", "--limit", "1")[1]["total"] == 3
    assert shop.run_json("dlq", "list", "--since", "2100-01-01")[1]["total"] == 0

    code, row = shop.run_json("dlq", "show", ids[1])
    assert (code, row["key"], row["value"]) == (0, "cust-1", repaired_event(1).decode())
    assert row["headers"] == {"traceparent": "00-1"}
    assert shop.run_json("dlq", "show", f"{shop.names.purchases}/1/9")[1]["value"] == "hex:ff00"
    missing = shop.run("dlq", "show", "nowhere/0/0")
    assert (missing.exit_code, "no such dead letter" in missing.output) == (1, True)


def test_a_redriven_record_is_what_the_producer_sent(shop):
    letter = bury(shop, 0, repaired_event(7), b"cust-7", headers=[("traceparent", b"00-7")])

    assert shop.run_json("dlq", "redrive", letter)[1]["sent"] == 1

    (message,) = shop.all_of("purchases")
    assert message.headers()[:2] == [("traceparent", b"00-7"), (REDRIVEN_FROM, letter.encode())]
    event = decode("purchases", message.key(), message.value(), message.headers(),
                   partition=message.partition(), partition_count=PARTITIONS)  # fmt: skip
    assert not isinstance(event, Rejected)


def test_each_letter_is_redriven_once_however_often_the_command_runs(shop):
    ids = sorted(bury(shop, n, repaired_event(n), f"cust-{n}".encode()) for n in range(20))
    bury(shop, 0, repaired_event(0), b"cust-0")  # the worker crashed and wrote this one twice

    assert shop.run_json("dlq", "redrive", "--all", "--dry-run")[1]["would_send"] == 20
    assert shop.run_json("dlq", "redrive", ids[0])[1]["sent"] == 1
    assert shop.run_json("dlq", "redrive", "--all")[1]["sent"] == 19
    assert shop.run_json("dlq", "redrive", "--all") == (
        0, {"selected": 0, "sent": 0, "refused": 0, "staying": {}},
    )  # fmt: skip
    assert redriven_ids(shop) == ids
    assert all(row["redriven"] for row in shop.run_json("dlq", "list")[1]["letters"])


@pytest.mark.parametrize("produced_before_the_crash", [0, 3, 10])
def test_an_interrupted_redrive_is_completed_without_repeating(shop, monkeypatch, produced_before_the_crash):
    ids = sorted(bury(shop, n, repaired_event(n), f"cust-{n}".encode()) for n in range(10))
    left, produce = [produced_before_the_crash], redriving._produce

    def produce_until_the_crash(client, route):
        if left[0] == 0:
            client.flush()
            raise KeyboardInterrupt
        left[0] -= 1
        produce(client, route)

    with monkeypatch.context() as crash:
        crash.setattr(redriving, "_produce", produce_until_the_crash)
        assert shop.run("dlq", "redrive", "--all").exit_code == (1 if produced_before_the_crash < 10 else 0)
    already = redriven_ids(shop)
    assert already == ([] if produced_before_the_crash < 10 else ids)

    code, report = shop.run_json("dlq", "redrive", "--all")

    assert (code, report["sent"]) == (0, 10 - len(already))
    assert redriven_ids(shop) == ids
    assert shop.run_json("dlq", "redrive", "--all")[1]["sent"] == 0


def test_a_letter_that_the_broker_refuses_keeps_no_other_back(shop):
    configure_topic(shop, "purchases", "max.message.bytes", "2000")
    large = bury(shop, 0, as_bytes(purchase(id="e0", subject="cust-0", padding=noise(3_000))), b"cust-0")
    small = sorted(bury(shop, n, repaired_event(n), f"cust-{n}".encode()) for n in range(1, 4))

    code, report = shop.run_json("dlq", "redrive", "--all")

    assert (code, report["sent"], report["refused"]) == (1, 3, 1)
    assert redriven_ids(shop) == small
    listed = shop.run_json("dlq", "list")[1]["letters"]
    assert [row["id"] for row in listed if not row["redriven"]] == [large]


def test_a_run_that_begins_shuts_out_one_that_is_under_way(shop):
    ids = [bury(shop, n, repaired_event(n), f"cust-{n}".encode()) for n in range(2)]
    first = redriving.take_over(shop.settings, shop.names)
    with reader(shop.settings) as consumer:
        topic = read_dead_letters(from_start(consumer, shop.names.deadletter))
    routes = [redriving.route_of(letter, shop.names, False) for letter in topic.letters.values()]

    assert shop.run_json("dlq", "redrive", ids[0])[1]["sent"] == 1

    with pytest.raises(ClusterError, match="another `stream dlq redrive` goes on in the place of this one"):
        redriving.redrive(first, shop.names, topic, routes)
    assert redriven_ids(shop) == [ids[0]]


def test_what_is_still_wrong_is_not_sent_and_the_reason_printed(shop):
    bad = bury(shop, 0, as_bytes(purchase(data__total_minor=1.5)), KEY)
    cut = bury(shop, 1, as_bytes(purchase(padding="x" * 2_000_000)), KEY, reason="too_large")
    other = bury(shop, 2, GOOD, KEY, topic="somebody.elses.v1")

    code, report = shop.run_json("dlq", "redrive", "--all")

    assert (code, report["sent"]) == (1, 0)
    assert report["staying"][bad].startswith("schema: Expected `int`, got `float`")
    assert report["staying"][cut] == "only a part of it was kept: it was too large"
    assert "none of this shop's input topics" in report["staying"][other]
    assert redriven_ids(shop) == []


def test_a_wrong_key_topic_or_partition_can_be_repaired(shop):
    no_key = bury(shop, 0, repaired_event(1), None, reason="missing_key")
    wrong_key = bury(shop, 1, repaired_event(2), b"somebody", reason="key_mismatch")
    wrong_topic = bury(shop, 2, repaired_event(3), b"cust-3", reason="wrong_topic", topic=shop.names.feedback)
    wrong_partition = bury(shop, 3, repaired_event(4), b"cust-4", reason="wrong_partition")

    assert shop.run_json("dlq", "redrive", "--all", "--dry-run")[1]["would_send"] == 1
    assert shop.run_json("dlq", "redrive", "--all", "--repair")[1]["sent"] == 4

    assert redriven_ids(shop) == sorted([no_key, wrong_key, wrong_topic, wrong_partition])
    for message in shop.all_of("purchases"):
        assert message.partition() == partition_of(message.key(), PARTITIONS)
        assert json.loads(message.value())["subject"].encode() == message.key()


def test_naming_no_dead_letters_is_a_usage_error(shop):
    result = shop.run("dlq", "redrive")

    assert result.exit_code == 2
    assert "name the dead letters: ids, --reason, --since or --all" in result.output
