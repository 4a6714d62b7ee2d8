"""A published model of another shop: one of another zone is used, one of another currency is refused."""

import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.events.event import ModelPublished, PurchaseCompleted
from stream.core.judgement.basis import Basis
from stream.model_file import default_model, load_model
from stream.policy_file import load_policy
from stream.replay.run import replay
from stream.wire.decode import decode_line
from tests.support.running_worker import SHOP, WorkerProcess, assert_same_profiles, tick
from tests.support.shop import purchases, write_events

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


def policy_file(folder, name, text):
    (folder / name).write_text(text)
    return folder / name


@pytest.fixture(scope="module")
def bought(history):
    """What the customers of the generated shop bought: enough to be judged by a model."""
    return [one for one in history if isinstance(one, PurchaseCompleted)]


def stream(kafka, *words, **more):
    return CliRunner().invoke(main, [str(word) for word in words], env={**kafka.environment, **more})


def learnt(kafka, folder, policy):
    """A model of 400 customers of another shop, learnt by a policy: with tables of its own."""
    events = write_events(purchases(customers=400), folder / "other.jsonl")
    answer = stream(kafka, "fit", events, "--policy", policy, "--out", folder / "model.json")
    assert answer.exit_code == 0, answer.output
    model = load_model(folder / "model.json")
    assert model.version != default_model().version
    return model


def sent(kafka, folder, events):
    """With the times of the events as those of the records, as `stream send` does: by them a published model
    knows from when on it is in force."""
    answer = stream(kafka, "send", write_events(events, folder / "events.jsonl"))
    assert answer.exit_code == 0, answer.output


def played(kafka, folder, history, policy):
    """Half of a history, the model, and the other half through a worker; its profiles and those of replay."""
    half = len(history) // 2
    with WorkerProcess(kafka, folder / "log", policy=str(policy)) as worker:
        sent(kafka, folder, history[:half])
        kafka.wait_for_commits(worker)
        published = stream(kafka, "fit", "publish", folder / "model.json")
        assert published.exit_code == 0, published.output
        sent(kafka, folder, history[half:])
        kafka.wait_for_commits(worker)
        kafka.send(tick(SHOP.ends))
        kafka.wait_for_commits(worker)
        assert worker.stop() == 0
        log = worker.log_text()
    models = {record.value(): decode_line(record.value()) for record in kafka.records("control")}
    (model,) = (event for event in models.values() if isinstance(event, ModelPublished))
    events = sorted([*history, model, tick(SHOP.ends)], key=lambda event: event.time_ms)
    run, _ = replay(events, Basis(load_policy(policy), default_model()))
    assert_same_profiles(kafka.profiles(), run.profiles)
    return run, log


def test_a_model_learnt_in_another_zone_judges_as_in_replay(new_kafka, bought, tmp_path):
    kafka = new_kafka()
    model = learnt(kafka, tmp_path, policy_file(tmp_path, "tokyo.toml", '[business]\nzone = "Asia/Tokyo"\n'))

    run, log = played(
        kafka, tmp_path, bought, policy_file(tmp_path, "p.toml", '[business]\nzone = "America/Lima"\n')
    )

    assert (run.basis.model.version, run.refused) == (model.version, [])
    assert "refused" not in log
    assert kafka.records("deadletter") == []


def test_a_model_of_another_currency_is_refused_in_one_line_and_the_one_before_judges_on(
    new_kafka, bought, tmp_path
):
    kafka = new_kafka()
    learnt(kafka, tmp_path, policy_file(tmp_path, "plain.toml", '[business]\nzone = "UTC"\n'))
    dollars = policy_file(tmp_path, "dollars.toml", '[finance]\ncurrency = "USD"\nrates = {EUR = "1.09"}\n')
    asked = stream(kafka, "fit", "publish", tmp_path / "model.json", STREAM_POLICY=str(dollars))

    run, log = played(kafka, tmp_path, bought, dollars)

    assert (asked.exit_code, len(asked.stderr.strip().splitlines())) == (1, 1), asked.stderr
    assert "the policy's in USD" in asked.stderr
    assert run.basis.model.version == default_model().version
    assert log.count("a published model is refused") == kafka.partitions
    assert "fit a model with this policy" in log
    assert {dict(one.headers())["x-dlq-reason"] for one in kafka.records("deadletter")} == {b"schema"}
