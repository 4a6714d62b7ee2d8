"""The read store is made anew when it is not, or cannot be, what the topics say."""

import sqlite3

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from stream.worker.kafka.topics import topic_plans
from stream.worker.kafka.topics_admin import create_topics
from tests.support.live_shop import contents, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def recreated(shop, topic):
    client = AdminClient({"bootstrap.servers": shop.bootstrap})
    client.delete_topics([topic])[topic].result(30)
    plan = [plan for plan in topic_plans(shop.settings) if plan.name == topic]

    def made():
        create_topics(client, plan)
        listed = client.list_topics(topic, timeout=30).topics.get(topic)
        return listed is not None and len(listed.partitions) == shop.partitions and listed.error is None

    wait_until(made, f"{topic} again")


@pytest.mark.parametrize("when", ["running", "stopped"])
def test_a_topic_that_is_made_again_makes_the_store_anew(shop, dashboard, replayed, when):
    """Also when the new topic is longer than the old one was, so that offsets alone tell nothing."""
    profiles, _ = replayed
    shop.write_profiles(profiles)
    page = dashboard().start()
    if when == "stopped":
        assert page.end() == 0
    left = profiles[: len(profiles) // 2]

    recreated(shop, shop.names.profiles)
    for _ in range(3):
        shop.write_profiles(left)
    if when == "stopped":
        page.start()

    wait_until(
        lambda: (
            [row[0] for row in contents(page.store)["customers"]] == sorted(each.customer for each in left)
        ),
        lambda: f"{len(contents(page.store)['customers'])} customers: {page.live()}",
    )
    page.wait_ready()


def test_alerts_that_were_deleted_unread_make_the_store_anew(shop, dashboard, replayed):
    profiles, alerts = replayed
    shop.write_profiles(profiles)
    shop.write_alerts(alerts[:10])
    page = dashboard().start()
    assert page.end() == 0

    shop.write_alerts(alerts[10:])
    cut = [TopicPartition(shop.names.alerts, number, -1) for number in range(shop.partitions)]
    client = AdminClient({"bootstrap.servers": shop.bootstrap})
    for reply in client.delete_records(cut).values():
        reply.result(30)
    shop.write_alerts(alerts[:1])
    page.start()

    assert [row[0] for row in contents(page.store)["alerts"]] == [alerts[0].id]
    assert len(contents(page.store)["customers"]) == len(profiles)


def test_a_store_that_knows_more_than_the_topics_hold_is_made_anew(shop, dashboard, replayed):
    shop.write_profiles(replayed[0][:3])
    page = dashboard().start()
    assert page.end() == 0
    with sqlite3.connect(page.store) as store:
        store.execute("UPDATE offsets SET next = next + 1000")
        store.execute("UPDATE customers SET tier = 77")

    page.start()

    assert {row[1] for row in contents(page.store)["customers"]} != {77}


def test_a_store_that_was_not_kept_up_for_a_day_is_made_anew_since_erasures_may_be_missing(
    shop, dashboard, replayed
):
    shop.write_profiles(replayed[0][:3])
    page = dashboard().start()
    wait_until(lambda: len(contents(page.store)["customers"]) == 3, "the customers")
    assert page.end() == 0
    with sqlite3.connect(page.store) as store:
        store.execute("UPDATE meta SET value = CAST(value AS INTEGER) - 80000000 WHERE name = 'caught-up-ms'")
        store.execute(
            "UPDATE customers SET customer = 'erased meanwhile' WHERE customer = ?", [replayed[0][0].customer]
        )

    page.start()

    wait_until(
        lambda: (
            [row[0] for row in contents(page.store)["customers"]]
            == sorted(profile.customer for profile in replayed[0][:3])
        ),
        "the store is made anew",
    )


@pytest.mark.parametrize("fault", ["deleted", "spoilt", "of another version"])
def test_a_store_that_cannot_be_used_is_made_anew(shop, dashboard, replayed, fault):
    shop.write_profiles(replayed[0])
    page = dashboard().start()
    assert page.end() == 0
    wanted = [row[0] for row in contents(page.store)["customers"]]
    if fault == "deleted":
        page.store.unlink()
    elif fault == "spoilt":
        content = bytearray(page.store.read_bytes())
        content[4_096:] = b"\xa5" * (len(content) - 4_096)
        page.store.write_bytes(content)
    else:
        with sqlite3.connect(page.store) as store:
            store.execute("UPDATE meta SET value = '1' WHERE name = 'version'")

    page.start()

    assert [row[0] for row in contents(page.store)["customers"]] == wanted
