"""The dashboard on a real Kafka says what a fresh reading of the topics says, whatever happened before."""

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime

import msgspec
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.core.events.event import CustomerErased
from stream.core.units import DAY_MS
from stream.page.dashboard import running_shop
from stream.page.entries import alert_entry
from stream.page.live import follower
from stream.page.store.sqlite import SqliteStore
from tests.support.builders import basis
from tests.support.live_shop import (
    LiveDashboard,
    LiveShop,
    contents,
    encoded_row,
    fresh_contents,
    last_ms_of,
    settled,
    wait_until,
)

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_the_page_shows_what_is_on_the_topics(shop, dashboard, replayed):
    profiles, alerts = replayed
    shop.write_profiles(profiles)
    shop.write_alerts(alerts)

    page = dashboard().start()

    assert "As of <b>" in page.body()
    assert "Loyal customers at risk" in page.body()
    settled(page, last_ms_of(profiles))
    found = contents(page.store)
    assert len(found["customers"]) == len(profiles)
    assert len(found["alerts"]) == len(alerts)
    opened = sum(
        state.state in {"raised", "escalated"}
        for profile in profiles
        for state in profile.judgement.episodes.values()
    )
    assert len(found["open_alerts"]) == opened > 0
    assert "customer_stream_dashboard_lag_records" in page.body("metrics")
    assert page.end() == 0


@pytest.mark.parametrize("many", [1, 1_000_000], ids=["other processes", "one process"])
def test_many_rows_are_read_with_the_help_of_other_processes_and_come_to_the_same(
    shop, dashboard, replayed, monkeypatch, tmp_path, many
):
    profiles, alerts = replayed
    shop.write_profiles(profiles[:20])
    shop.write(shop.names.profiles, [(profiles[0].customer, None)])
    shop.write_profiles(profiles)
    shop.write_alerts(alerts)
    monkeypatch.setattr(follower, "MANY_ROWS", many)
    page = dashboard("helped.db")
    store = SqliteStore(page.store)
    feed = running_shop(shop.settings, basis(), store)

    feed.start()
    try:
        wait_until(lambda: not feed.unready(), "everything is read")
        settled(page, last_ms_of(profiles))
        assert store.is_indexed
    finally:
        feed.stop()
        store.close()

    assert contents(page.store) == fresh_contents(dashboard, last_ms_of(profiles))


@pytest.mark.parametrize("many", [1, 1_000_000], ids=["other processes", "one process"])
def test_killed_at_any_moment_it_comes_to_what_a_fresh_reading_comes_to(shop, dashboard, replayed, many):
    profiles, alerts = replayed
    last_ms = last_ms_of(profiles)
    page = dashboard()
    parts = 6
    for part in range(parts):
        shop.write_profiles(profiles[part::parts])
        page.start(ready=part % 2 == 1, many=many)
        shop.write_alerts(alerts[part::parts])
        shop.write(shop.names.profiles, [(profiles[part].customer, None)])
        shop.write_profiles(profiles[part : part + 1])
        page.end(signal.SIGKILL)

    page.start(many=many)
    settled(page, last_ms)
    wait_until(lambda: len(contents(page.store)["alerts"]) == len(alerts), "all alerts")
    assert page.end() == 0

    assert contents(page.store) == fresh_contents(dashboard, last_ms)


def test_a_full_disk_is_one_line_on_the_page_and_the_next_start_comes_to_what_a_fresh_reading_comes_to(
    shop, dashboard, replayed
):
    profiles, alerts = replayed
    shop.write_profiles(profiles)
    shop.write_alerts(alerts)
    page = dashboard().start(ready=False, largest=300_000)
    wait_until(lambda: "The numbers are not kept up: the read store" in page.live(), page.live)
    assert "cannot be written: " in page.live()
    assert page.status("") == 200
    page.end(signal.SIGKILL)

    page.start()
    settled(page, last_ms_of(profiles))

    assert contents(page.store) == fresh_contents(dashboard, last_ms_of(profiles))


def test_who_is_erased_vanishes_with_all_alerts_and_stays_away_in_a_fresh_reading(shop, dashboard, replayed):
    profiles, alerts = replayed
    shop.write_profiles(profiles)
    shop.write_alerts(alerts)
    page = dashboard().start()
    customer = alerts[0].subject
    assert page.status(f"customer?id={customer}") == 200

    at_ms = last_ms_of(profiles) + 1
    shop.send(
        CustomerErased(
            id="e", source="/test", subject=customer, time=datetime.fromtimestamp(at_ms / 1_000, UTC)
        )
    )
    shop.write(shop.names.profiles, [(customer, None)])

    wait_until(lambda: page.status(f"customer?id={customer}") == 404, "the customer is gone")
    wait_until(
        lambda: customer not in [row[1] for row in contents(page.store)["alerts"]], "the alerts are gone"
    )
    fresh = dashboard("fresh.db").start()
    wait_until(lambda: fresh.status(f"customer?id={customer}") == 404, "the customer is gone")
    assert customer not in [row[1] for row in contents(fresh.store)["alerts"]]


def test_what_cannot_be_read_costs_one_customer_and_is_counted(shop, dashboard, replayed):
    profiles, alerts = replayed
    shop.write_profiles(profiles)
    shop.write_alerts(alerts)
    page = dashboard().start()

    shop.write(shop.names.profiles, [(profiles[0].customer, b"{]")])
    shop.write(shop.names.alerts, [("x", b"no alert"), ("y", b'{"id": 7}')])
    dead = [("x-dlq-reason", b"schema"), ("__connect.errors.topic", b"customers.purchases.v1")]
    shop.write(shop.names.deadletter, [("x", b"?")] * 3, headers=dead)

    wait_until(lambda: len(contents(page.store)["not_counted"]) == 2, "all are counted")
    counted = {
        (row[1].rpartition(".customers.")[2] or row[1], row[2]): row[3]
        for row in contents(page.store)["not_counted"]
    }
    assert sorted(counted.values()) == [2, 3]
    assert contents(page.store)["unseen"] == [(profiles[0].customer, "unreadable")]
    unread = page.body(f"customer?id={profiles[0].customer}")
    assert "whose stored row cannot be read" in unread
    assert "Nothing of the row can be read." in unread
    assert page.status(f"customer?id={profiles[1].customer}") == 200


def test_a_row_of_a_replaced_worker_is_void_also_after_a_restart(shop, dashboard, replayed):
    profile = replayed[0][0]
    page = dashboard().start()

    def write(epoch, **changes):
        changed = msgspec.structs.replace(profile, **changes)
        value = encoded_row(changed)
        shop.write(shop.names.profiles, [(profile.customer, value)], headers=[("epoch", b"%d" % epoch)])

    write(5)
    wait_until(lambda: page.status(f"customer?id={profile.customer}") == 200, "the row of the new worker")
    before = contents(page.store)["customers"]
    page.end(signal.SIGKILL)
    page.start()
    write(4, first_seen_ms=profile.first_seen_ms - 1)
    shop.write(shop.names.alerts, [("x", b"no alert")])

    wait_until(lambda: contents(page.store)["not_counted"], "what was written after it")
    wait_until(lambda: sum(row[2] for row in contents(page.store)["offsets"]) >= 3, "the void row was read")
    assert contents(page.store)["customers"] == before


def test_records_of_an_open_or_aborted_transaction_are_not_shown(shop, dashboard, replayed):
    producer = Producer({"bootstrap.servers": shop.bootstrap, "transactional.id": shop.settings.app_id})
    producer.init_transactions(30)
    for end in (producer.abort_transaction, producer.commit_transaction):
        producer.begin_transaction()
        profile = replayed[0][end == producer.commit_transaction]
        producer.produce(shop.names.profiles, encoded_row(profile), profile.customer)
        producer.flush()
        end(30)

    page = dashboard().start()

    assert [row[0] for row in contents(page.store)["customers"]] == [replayed[0][1].customer]
    assert 'customer_stream_dashboard_lag_records{topic="' + shop.names.profiles + '"} 0.0' in page.body(
        "metrics"
    )


def test_the_page_goes_on_while_kafka_is_away_says_so_and_catches_up(own_broker, prefix, tmp_path, replayed):
    shop = LiveShop(own_broker.bootstrap, prefix).make_topics()
    shop.write_profiles(replayed[0][:1])
    page = LiveDashboard(shop, tmp_path / "store.db").start()
    try:
        own_broker.kill()
        wait_until(lambda: "Kafka does not answer" in page.live(), "the page says so")
        assert replayed[0][0].customer in page.body("customers")
        assert "Kafka does not answer" in page.body()

        own_broker.start()
        shop.write_profiles(replayed[0][1:2])
        wait_until(lambda: replayed[0][1].customer in page.body("customers"), "it catches up")
        wait_until(lambda: "Kafka does not answer" not in page.live(), "all is well")
    finally:
        page.close()


def run(shop, store):
    return subprocess.run(
        [sys.executable, "-m", "stream", "dashboard", "--store", str(store), "--port", "0"],
        env={**os.environ, **shop.environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_what_stops_a_start_is_one_line(shop, dashboard, tmp_path):
    page = dashboard().start()
    second = run(shop, page.store)
    other = LiveShop(shop.bootstrap, shop.settings.app_id + "x")
    no_topics = run(other, tmp_path / "other.db")
    other.environment["STREAM_BROKERS"] = "127.0.0.1:1"
    no_kafka = run(other, tmp_path / "other.db")
    folder = run(shop, tmp_path / "none" / "store.db")

    for answer, words in (
        (second, "another `stream dashboard` fills this store"),
        (no_topics, "no such topic; run `stream topics apply`"),
        (no_kafka, "no broker answers at 127.0.0.1:1"),
        (folder, "none/store.db cannot be used"),
    ):
        assert (answer.returncode, len(answer.stderr.splitlines())) == (1, 1), answer.stderr
        assert words in answer.stderr


def test_a_topic_of_alerts_that_was_trimmed_to_its_retention_shows_the_same_today(shop, dashboard, replayed):
    """The open list follows the episodes in the rows, not the alerts that the topic still has."""
    profiles, alerts = replayed
    last_ms = last_ms_of(profiles)
    shop.write_profiles(profiles)
    old = [alert for alert in alerts if alert_entry(alert).at_ms < last_ms - 60 * DAY_MS]
    kept = [alert for alert in alerts if alert not in old]
    assert len(old) > len(kept) / 4
    shop.write_alerts(old)
    ends = shop.ends(shop.names.alerts)
    shop.write_alerts(kept)
    page = dashboard().start()
    settled(page, last_ms)

    client = AdminClient({"bootstrap.servers": shop.bootstrap})
    trimmed = [TopicPartition(shop.names.alerts, number, end) for number, end in ends.items()]
    for reply in client.delete_records(trimmed).values():
        reply.result(30)
    fresh = dashboard("fresh.db").start()
    settled(fresh, last_ms)

    before, after = contents(page.store), contents(fresh.store)
    assert (after["customers"], after["open_alerts"]) == (before["customers"], before["open_alerts"])
    assert len(after["alerts"]) == len(kept)
    assert set(after["alerts"]) <= set(before["alerts"])
    for path in ("", "?kind=churn_risk", "today.csv"):
        assert without_tickets(fresh.body(path)) == without_tickets(page.body(path))


def without_tickets(text):
    return re.sub(r'name="ticket" value="\w+"|data-revision="[^"]*"|<p class="sources">.*?</p>', "", text)


def test_events_that_no_worker_takes_are_told_and_each_source_says_how_fresh_it_is(shop, dashboard, replayed):
    shop.write_profiles(replayed[0][:3])
    page = dashboard().start()
    assert "purchases: nothing yet" in page.live()

    shop.write(shop.names.purchases, [("c", b"{}")])

    wait_until(lambda: re.search(r"purchases: \d+\ss\sago", page.live()), page.live)
    wait_until(lambda: "The workers do not go on: 1 event waits to be judged" in page.live(), page.live)
    assert "visits: nothing yet" in page.live()
