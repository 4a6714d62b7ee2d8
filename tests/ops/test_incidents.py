"""The four incidents of docs/runbook.md are caused, and resolved by what the page says, line by line."""

import json
import shutil
import time
from datetime import timedelta

import pytest

from stream.importing.event_order import event_order
from stream.wire import encode_event, kind_of, partition_of
from tests.support.alert_bodies import alert_body
from tests.support.builders import bought, when
from tests.support.complaining_shop import complaining_shop
from tests.support.deliver_process import DeliverProcess, wait_until
from tests.support.narrow import not_none
from tests.support.runbook_lines import Typed, incidents
from tests.support.running_worker import (
    ADDRESS,
    WorkerKafka,
    WorkerProcess,
    assert_same_profiles,
    first_difference,
    replayed,
    tick,
)
from tests.support.webhook_receiver import WebhookReceiver

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]
ENDS = when(400)
CAUSED = (
    "Purchases have stalled",
    "Poison after a deploy",
    "A worker has lost its volume",
    "A receiver is down",
)


@pytest.fixture
def kafka(broker, prefix):
    return WorkerKafka(broker.bootstrap, prefix).make_topics()


def address(worker: WorkerProcess) -> str:
    """Where the worker serves."""
    worker.get("/healthz")
    return not_none(ADDRESS.search(worker.log.read_bytes()))[0].decode()


def test_every_incident_of_the_page_is_caused_here():
    assert tuple(incidents()) == CAUSED


def test_purchases_that_stalled_are_sent_later_and_the_alerts_are_those_of_an_undisturbed_run(
    kafka, tmp_path
):
    before = complaining_shop("shopper", 20, ENDS)
    missing = [
        bought(400.0 + day, customer=f"shopper-{number}", event_id=f"missing-{number}-{day}")
        for day in range(1, 4)
        for number in range(20)
    ]
    meanwhile = [
        event for event in complaining_shop("visitor", 8, when(402.0)) if kind_of(event) == "feedback"
    ]
    (tmp_path / "missing.jsonl").write_bytes(b"\n".join(map(encode_event, missing)))
    kafka.send(*before)
    with WorkerProcess(kafka, tmp_path / "log", stall_after_s="3600") as worker:
        kafka.wait_for_commits(worker)
        kafka.send(*meanwhile)
        worker.wait_until(lambda: 1.0 in worker.metrics("source_stalled").values(), "source_stalled is 1")
        operator = Typed(CAUSED[0], tmp_path, kafka.environment, address(worker))

        assert kafka.names.purchases in operator.types("curl")
        operator.types("stream topics check")
        assert "60 acknowledged" in operator.types("stream send")
        worker.wait_until(lambda: 1.0 not in worker.metrics("source_stalled").values(), "the stall is over")
        assert "wait" not in operator.types("curl")
        kafka.send(tick(when(404.0)))
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    story = sorted([*before, *meanwhile, *missing, tick(when(404.0))], key=event_order)
    profiles, alerts = replayed(story)
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)
    assert not operator.left


def test_poison_of_a_bad_deploy_is_sent_again_once_and_counts_once(kafka, tmp_path):
    story = complaining_shop("shopper", 10, ENDS)
    good, poisoned = story[:200], story[200:]
    kafka.send(*good)
    with WorkerProcess(kafka, tmp_path / "log", merge_wait_ms="5000") as worker:
        kafka.wait_for_commits(worker)
        for event in poisoned:
            home = partition_of(b"everybody", kafka.partitions)
            kafka.put(getattr(kafka.names, kind_of(event)), b"everybody", encode_event(event), home)
        kafka.flush()
        kafka.wait_for_commits(worker)
        operator = Typed(CAUSED[1], tmp_path, kafka.environment)

        letter = next(word for word in operator.types("stream dlq list").split() if "/" in word)
        assert "everybody" in operator.types("stream dlq show", ID=letter)
        operator.types("stream dlq redrive --all --repair --dry-run")
        operator.types("stream dlq redrive --all --repair")
        operator.types("stream dlq redrive --all --dry-run")
        kafka.send(tick(ENDS))
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0

    profiles, alerts = replayed([*story, tick(ENDS)])
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)
    assert not operator.left


def test_a_worker_without_its_volume_reads_everything_back_and_goes_on(kafka, tmp_path):
    story = complaining_shop("shopper", 20, ENDS)
    half, store = len(story) // 2, tmp_path / "volume"
    kafka.send(*story[:half])
    on_disk = {"store": "rocksdb", "data_dir": str(store)}
    with WorkerProcess(kafka, tmp_path / "first", **on_disk) as worker:
        kafka.wait_for_commits(worker)
        worker.kill()
    shutil.rmtree(store)
    kafka.send(*story[half:], tick(ENDS + timedelta(seconds=1)))

    with WorkerProcess(kafka, tmp_path / "second", **on_disk) as worker:
        worker.wait_until(lambda: worker.get("/readyz")[0] == 200, "it is ready")
        kafka.wait_for_commits(worker)
        operator = Typed(CAUSED[2], tmp_path, kafka.environment, address(worker))

        assert json.loads(operator.types("curl"))["ok"]
        assert "customer_stream_recovery_rows_left 0" in operator.types("curl")
        operator.types("stream doctor")
        assert worker.stop() == 0

    profiles, alerts = replayed([*story, tick(ENDS + timedelta(seconds=1))])
    assert first_difference(kafka.alerts(), alerts) == ""
    assert_same_profiles(kafka.profiles(), profiles)
    assert not operator.left


def test_alerts_of_a_receiver_that_was_down_reach_it_once_it_is_back(broker, prefix, kafka, tmp_path):
    answers, now_ms = [503], round(time.time() * 1_000)
    with WebhookReceiver(lambda _: answers[0]) as receiver:
        (tmp_path / "endpoints.toml").write_text(receiver.endpoints_file())
        deliver = DeliverProcess(tmp_path, broker.bootstrap, f"{prefix}.")
        deliver.start()
        try:
            deliver.write(*(alert_body(f"customer-{number}", at_ms=now_ms) for number in range(6)))
            wait_until(lambda: 'result="status"' in deliver.metrics() or "503" in deliver.log(), "attempts")
            operator = Typed(CAUSED[3], tmp_path, deliver.environ)

            assert "crm" in operator.types("stream deliver list")
            assert "503" in operator.types("stream deliver test", code=1)
            operator.types("stream deliver disable")
            answers[0] = 204
            operator.types("stream deliver test")
            operator.types("stream deliver enable")
            operator.types("stream deliver resend", code=0)
            wait_until(lambda: len(receiver.accepted) >= 7, f"six alerts and a sample: {receiver.accepted}")
            operator.types("stream deliver undelivered")
        finally:
            assert deliver.process is not None
            deliver.process.kill()
            deliver.process.wait(30)
    assert set(receiver.accepted.values()) == {1}
    assert not operator.left
