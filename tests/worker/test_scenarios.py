"""Real life through the real worker: corrections, repeats, erasure, a new model, a source that stalls."""

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
from tests.support.running_worker import WorkerProcess, assert_same_profiles, first_difference, replayed, tick
from tests.worker.conftest import SHOP

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


def test_late_repeated_and_corrected_events_end_in_the_same_facts(ground, history, tmp_path):
    told = disturbed(history, Random(11))
    assert len(told) > len(history) + 100
    assert any(isinstance(event, PurchaseCancelled) for event in told)
    here = ground()
    here.send(*told)

    with WorkerProcess(here, tmp_path / "log") as worker:
        here.wait_for_commits(worker)
        repeats = sum(worker.metrics("duplicate_events_total").values())
        assert worker.stop() == 0

    profiles, _ = replayed(history)
    found = here.profiles()
    assert found.keys() == profiles.keys()
    for customer, profile in found.items():
        assert_same_facts(profile, profiles[customer])
    assert repeats == len(told) - len(history)


def test_an_erased_customer_is_a_stub_and_then_gone(ground, history, tmp_path):
    at = SHOP.begins + timedelta(days=500)
    customer = "customer-00009"
    early = [event for event in history if event.time < at]
    left_over = next(event for event in early if event.subject == customer)
    erased = CustomerErased(id="erasure", source="/test", subject=customer, time=at)
    here = ground()
    here.send(*early, erased, tick(at + timedelta(days=1)))

    with WorkerProcess(here, tmp_path / "log") as worker:
        here.wait_for_commits(worker)
        stub = here.profiles()[customer]
        here.send(msgspec.structs.replace(left_over, id="straggler"), tick(at + timedelta(days=2)))
        here.wait_for_commits(worker)
        turned_away = here.profiles()[customer]
        here.send(tick(at + timedelta(days=8)))
        here.wait_for_commits(worker)
        assert worker.stop() == 0

    assert stub.erased_ms == turned_away.erased_ms == erased.time_ms
    assert facts(stub) == facts(turned_away) == facts(Profile(customer=customer))
    assert customer not in here.profiles()
    records = [record for record in here.records("profiles") if record.key() == customer.encode()]
    assert records[-1].value() is None
    profiles, alerts = replayed([*early, erased, tick(at + timedelta(days=8))])
    assert first_difference(here.alerts(), alerts) == ""
    assert_same_profiles(here.profiles(), profiles)


def test_a_published_model_holds_in_every_partition_and_after_a_restart(ground, history, tmp_path):
    model = default_model()
    other = sealed(msgspec.structs.replace(model, process=msgspec.structs.replace(model.process, b=0.4)))
    data = ModelRecord(model=msgspec.Raw(encode_model(other)))
    first, second = SHOP.begins + timedelta(days=400), SHOP.begins + timedelta(days=450)
    published = ModelPublished(id="model", source="/fit", subject="model", time=first, data=data)
    early = [event for event in history if event.time < first]
    middle = [event for event in history if first < event.time < second]
    late = [event for event in history if event.time > second]
    here = ground()

    for number, part in enumerate(([*early, published, *middle], late)):
        here.send(*part)
        with WorkerProcess(here, tmp_path / f"log{number}") as worker:
            here.wait_for_commits(worker)
            assert worker.stop() == 0

    holders = {record.partition() for record in here.records("profiles") if record.key() == MODEL_KEY}
    assert holders == set(range(here.partitions))
    profiles, alerts = replayed([*early, published, *middle, *late])
    assert first_difference(here.alerts(), alerts) == ""
    assert_same_profiles(here.profiles(), profiles)
    last = msgspec.json.decode(alerts[-1])
    assert last["data"]["policy"]["model"] == other.version


def test_profiles_that_had_a_published_model_go_on_when_the_group_s_offsets_are_forgotten(
    ground, history, tmp_path
):
    """Every profile has the model's offset of the control topic, and no record of its own there."""
    first, second = SHOP.begins + timedelta(days=400), SHOP.begins + timedelta(days=450)
    data = ModelRecord(model=msgspec.Raw(encode_model(default_model())))
    published = ModelPublished(id="model", source="/fit", subject="model", time=first, data=data)
    early = [event for event in history if event.time < first]
    late = [event for event in history if first < event.time < second]
    here = ground()
    here.send(*early, published, tick(first))
    with WorkerProcess(here, tmp_path / "log0") as worker:
        here.wait_for_commits(worker)
        assert worker.stop() == 0
    client = AdminClient({"bootstrap.servers": here.bootstrap})
    for done in client.delete_consumer_groups([here.settings.app_id]).values():
        done.result(60)
    here.send(*late, tick(second))

    with WorkerProcess(here, tmp_path / "log1") as worker:
        here.wait_for_commits(worker)
        assert worker.stop() == 0
        assert "there are rows, but no offsets" in worker.told()

    profiles, _ = replayed([*early, published, tick(first), *late, tick(second)])
    found = here.profiles()
    assert found.keys() == profiles.keys()
    for customer, profile in found.items():
        assert_same_facts(profile, profiles[customer])


def test_purchases_that_stop_for_days_are_no_silent_customers(ground, history, tmp_path):
    stops, comes_back = SHOP.begins + timedelta(days=500), SHOP.begins + timedelta(days=503)
    story = [event for event in history if event.time < comes_back]
    before = [event for event in story if event.time < stops]
    held = [event for event in story if event.time >= stops and kind_of(event) == "purchases"]
    meanwhile = [event for event in story if event.time >= stops and kind_of(event) != "purchases"]
    last = max(event.time for event in before if kind_of(event) == "purchases")
    assert len(held) > 1
    assert len(meanwhile) > 1
    here = ground(1)  # one partition: nothing can overtake through another
    here.send(*before)

    with WorkerProcess(here, tmp_path / "log", stall_after_s="1") as worker:
        here.wait_for_commits(worker, sum(event.time <= last for event in before))
        here.send(*meanwhile)
        worker.wait_until(lambda: 1.0 in worker.metrics("source_stalled").values(), "source_stalled is 1")
        here.send(*held)
        purchases = (here.names.purchases, 0)
        worker.wait_until(lambda: here.committed().get(purchases) == here.sent()[purchases], "they come")
        here.send(tick(comes_back))
        here.wait_for_commits(worker)
        assert 1.0 not in worker.metrics("source_stalled").values()
        assert worker.stop() == 0

    profiles, alerts = replayed([*story, tick(comes_back)])
    assert first_difference(here.alerts(), alerts) == ""
    assert_same_profiles(here.profiles(), profiles)
