"""On a real Kafka the topic of profile views holds the views of the profiles that a replay makes."""

import pytest

from stream.core.events.event import CustomerErased, PurchaseCompleted
from stream.core.view.build import profile_view
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from stream.wire import encode_profile_view
from tests.support.running_worker import WorkerKafka, WorkerProcess, replayed, shipped_basis, tick

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]
SHOP = Shop(seed=7, customers=30, days=200)


@pytest.fixture(scope="module")
def lives():
    """A small shop; one customer who bought is erased at its end."""
    events = list(shop_events(SHOP, planned_lives(SHOP)))
    gone = next(event.subject for event in events if isinstance(event, PurchaseCompleted))
    erased = CustomerErased(id="gone", source="/test", subject=gone, time=SHOP.ends)
    return [*events, erased, tick(SHOP.ends)], gone


def views_of(kafka: WorkerKafka) -> dict[str, bytes]:
    """The newest of each customer, without tombstones."""
    found = {record.key().decode(): record.value() for record in kafka.records("view")}
    return {customer: value for customer, value in found.items() if value is not None}


@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
def test_views_are_those_of_the_replayed_profiles_also_after_a_kill(
    broker, prefix, lives, tmp_path, guarantee
):
    events, gone = lives
    kafka = WorkerKafka(broker.bootstrap, prefix, 2, STREAM_PROFILES_VIEW="on", STREAM_GUARANTEE=guarantee)
    kafka.make_topics()
    kafka.send(*events[: len(events) // 2])
    with WorkerProcess(kafka, tmp_path / "killed", flush_interval_ms="50", session_timeout_s="6") as worker:
        kafka.wait_for_rows(worker, 20)
        worker.kill()
    kafka.send(*events[len(events) // 2 :])
    with WorkerProcess(kafka, tmp_path / "log") as worker:
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    basis, (profiles, _) = shipped_basis(), replayed(events)
    wanted = {customer: profile_view(profile, basis) for customer, profile in profiles.items()}
    assert views_of(kafka) == {
        customer: encode_profile_view(view) for customer, view in wanted.items() if view is not None
    }
    records = kafka.records("view")
    assert [record.value() for record in records if record.key().decode() == gone][-1] is None
    assert len(records) < len(events), "not at each event"
    headers = dict(next(record.headers() for record in records if record.value()))
    assert headers["ce_type"] == b"customer.profile"
