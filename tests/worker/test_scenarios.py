"""The real worker with corrections, repeats, an erasure, a published model and a stalled topic."""

from datetime import timedelta
from random import Random

import msgspec
import pytest
from confluent_kafka.admin import AdminClient

from stream.core.events.event import CustomerErased, ModelPublished, PurchaseCancelled
from stream.core.events.payload import ModelRecord
from stream.core.facts.profile import Profile, facts
from stream.core.model.document import encode_model, sealed
from stream.model_file import default_model
from stream.wire import kind_of
from stream.worker.rows.row import MODEL_KEY
from tests.support.laws import assert_same_facts
from tests.support.running_worker import (
    SHOP,
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    replayed,
    tick,
)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


def disturbed(history, random):
    """Some events twice (the same id, a new offset), some up to a day late, cancellations before all else."""
    last = history[-1]
    placed = []
    for event in history[:-1]:
        late_s = random.uniform(0, 86_400) if random.random() < 0.1 else 0
        early_s = 20 * 86_400 if isinstance(event, PurchaseCancelled) else 0
        placed.append((event.time + timedelta(seconds=late_s - early_s), event))
        if random.random() < 0.05 and kind_of(event) != "control":
            placed.append((event.time + timedelta(seconds=random.uniform(0, 86_400)), event))
    return [event for _, event in sorted(placed, key=lambda pair: pair[0])] + [last]


def test_late_repeated_and_corrected_events_give_the_same_facts(new_kafka, history, tmp_path):
    events = disturbed(history, Random(11))
    assert len(events) > len(history) + 100
    assert any(isinstance(event, PurchaseCancelled) for event in events)
    kafka = new_kafka()
    kafka.send(*events)

    with WorkerProcess(kafka, tmp_path / "log") as worker:
        kafka.wait_for_commits(worker)
        repeats = sum(worker.metrics("duplicate_events_total").values())
        assert worker.stop() == 0

    profiles, _ = replayed(history)
    found = kafka.profiles()
    assert found.keys() == profiles.keys()
    for customer, profile in found.items():
        assert_same_facts(profile, profiles[customer])
    assert repeats == len(events) - len(history)


def test_an_erased_customer_becomes_a_stub_and_is_then_deleted(new_kafka, history, tmp_path):
    at = SHOP.begins + timedelta(days=500)
    customer = "customer-00009"
    early = [event for event in history if event.time < at]
    left_over = next(event for event in early if event.subject == customer)
    erased = CustomerErased(id="erasure", source="/test", subject=customer, time=at)
    kafka = new_kafka()
    kafka.send(*early, erased, tick(at + timedelta(days=1)))

    with WorkerProcess(kafka, tmp_path / "log") as worker:
        kafka.wait_for_commits(worker)
        stub = kafka.profiles()[customer]
        kafka.send(msgspec.structs.replace(left_over, id="straggler"), tick(at + timedelta(days=2)))
        kafka.wait_for_commits(worker)
        turned_away = kafka.profiles()[customer]
        kafka.send(tick(at + timedelta(days=8)))
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    assert stub.erased_ms == turned_away.erased_ms == erased.time_ms
    assert facts(stub) == facts(turned_away) == facts(Profile(customer=customer))
    assert customer not in kafka.profiles()
    records = [record for record in kafka.records("profiles") if record.key() == customer.encode()]
    assert records[-1].value() is None
    profiles, alerts = replayed([*early, erased, tick(at + timedelta(days=8))])
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)


def test_a_published_model_is_in_force_in_every_partition_and_after_a_restart(new_kafka, history, tmp_path):
    model = default_model()
    other = sealed(msgspec.structs.replace(model, process=msgspec.structs.replace(model.process, b=0.4)))
    data = ModelRecord(model=msgspec.Raw(encode_model(other)))
    first, second = SHOP.begins + timedelta(days=400), SHOP.begins + timedelta(days=450)
    published = ModelPublished(id="model", source="/fit", subject="model", time=first, data=data)
    early = [event for event in history if event.time < first]
    middle = [event for event in history if first < event.time < second]
    late = [event for event in history if event.time > second]
    kafka = new_kafka()

    for number, part in enumerate(([*early, published, *middle], late)):
        kafka.send(*part)
        with WorkerProcess(kafka, tmp_path / f"log{number}") as worker:
            kafka.wait_for_commits(worker)
            assert worker.stop() == 0

    holders = {record.partition() for record in kafka.records("profiles") if record.key() == MODEL_KEY}
    assert holders == set(range(kafka.partitions))
    profiles, alerts = replayed([*early, published, *middle, *late])
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)
    last = msgspec.json.decode(alerts[-1])
    assert last["data"]["policy"]["model"] == other.version


def test_after_the_group_s_offsets_were_deleted_profiles_with_a_published_model_go_on(
    new_kafka, history, tmp_path
):
    """Every profile has the model's offset of the control topic, and no record of its own there."""
    first, second = SHOP.begins + timedelta(days=400), SHOP.begins + timedelta(days=450)
    data = ModelRecord(model=msgspec.Raw(encode_model(default_model())))
    published = ModelPublished(id="model", source="/fit", subject="model", time=first, data=data)
    early = [event for event in history if event.time < first]
    late = [event for event in history if first < event.time < second]
    kafka = new_kafka()
    kafka.send(*early, published, tick(first))
    with WorkerProcess(kafka, tmp_path / "log0") as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for done in client.delete_consumer_groups([kafka.settings.app_id]).values():
        done.result(60)
    kafka.send(*late, tick(second))

    with WorkerProcess(kafka, tmp_path / "log1") as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0
        assert "there are rows, but no offsets" in worker.log_text()

    profiles, _ = replayed([*early, published, tick(first), *late, tick(second)])
    found = kafka.profiles()
    assert found.keys() == profiles.keys()
    for customer, profile in found.items():
        assert_same_facts(profile, profiles[customer])


def test_a_stalled_purchases_topic_makes_no_customer_inactive(new_kafka, history, tmp_path):
    stops, comes_back = SHOP.begins + timedelta(days=500), SHOP.begins + timedelta(days=503)
    story = [event for event in history if event.time < comes_back]
    before = [event for event in story if event.time < stops]
    held = [event for event in story if event.time >= stops and kind_of(event) == "purchases"]
    meanwhile = [event for event in story if event.time >= stops and kind_of(event) != "purchases"]
    last = max(event.time for event in before if kind_of(event) == "purchases")
    assert len(held) > 1
    assert len(meanwhile) > 1
    kafka = new_kafka(1)  # one partition: nothing can overtake through another
    kafka.send(*before)

    with WorkerProcess(kafka, tmp_path / "log", stall_after_s="1") as worker:
        kafka.wait_for_commits(worker, sum(event.time <= last for event in before))
        kafka.send(*meanwhile)
        worker.wait_until(lambda: 1.0 in worker.metrics("source_stalled").values(), "source_stalled is 1")
        kafka.send(*held)
        purchases = (kafka.names.purchases, 0)
        worker.wait_until(lambda: kafka.committed().get(purchases) == kafka.sent()[purchases], "they come")
        kafka.send(tick(comes_back))
        kafka.wait_for_commits(worker)
        assert 1.0 not in worker.metrics("source_stalled").values()
        assert worker.stop() == 0

    profiles, alerts = replayed([*story, tick(comes_back)])
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)
