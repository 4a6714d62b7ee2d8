"""`stream explain` shows a stored judgement as it was stored, and says when another basis made it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer
from hypothesis import given, settings

from stream.commands.fit_source import refit_to_profiles
from stream.commands.main import main
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.model.document import encode_model, sealed
from stream.core.model.record import Horizon, Model
from stream.fit.model_fit import FitOptions
from stream.model_file import default_model
from stream.policy_file import default_policy
from stream.wire import encode_alert, encode_event
from stream.wording.judged_by import judged_otherwise, other_bases
from stream.worker.rows.row import MODEL_KEY, StoredRow
from tests.support.builders import at, basis, bought, learnt_basis, visited
from tests.support.laws import lived, waited
from tests.support.strategies import in_time_order, mixtures


def rich_model() -> Model:
    """The shipped model for a population a hundred times as rich: other tiers for the same spend."""
    shipped = default_model()
    richer = tuple(100 * value for value in shipped.population.value_quantiles)
    population = msgspec.structs.replace(shipped.population, value_quantiles=richer)
    return sealed(msgspec.structs.replace(shipped, name="rich", population=population, version=""))


def tier_in(text: str) -> str:
    return text.partition("\nWho\n")[2].split(" tier,")[0].strip().lower()


def explain(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, words)])


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    (tmp_path / "rich.json").write_bytes(encode_model(rich_model()))
    return tmp_path / "rich.json"


@pytest.fixture
def shop(tmp_path: Path, model_file: Path) -> dict[str, Path]:
    """A customer who falls silent, another who goes on; a replay of both by another model."""
    life = [bought(number * 7.0, 20_000, event_id=f"c{number}") for number in range(20)]
    other = [
        bought(number * 9.0, 20_000, event_id=f"d{number}", customer="d", order=f"d{number}")
        for number in range(30)
    ]
    files = {name: tmp_path / f"{name}.jsonl" for name in ("events", "profiles", "alerts")}
    files["events"].write_bytes(b"\n".join(encode_event(event) for event in [*life, *other]) + b"\n")
    words = ["replay", files["events"], "--model", model_file]
    words += ["--profiles", files["profiles"], "--alerts", files["alerts"]]
    assert CliRunner().invoke(main, [str(word) for word in words]).exit_code == 0
    return files


def test_the_stored_tier_is_shown_and_that_another_model_made_it_is_said_in_one_line(shop, model_file):
    from_files = ("--profiles", shop["profiles"], "--alerts", shop["alerts"])
    right = explain("c", "--events", shop["events"], "--model", model_file)

    shown = explain("c", *from_files)

    assert tier_in(explain("c", "--events", shop["events"]).stdout) != tier_in(right.stdout)
    assert shown.exit_code == 0
    assert tier_in(shown.stdout) == tier_in(right.stdout)
    (note,) = [line for line in shown.stderr.splitlines() if "judgement" in line]
    assert note.startswith("note: the stored judgement of ")
    assert f"not by policy default ({default_policy().hash}) and model {default_model().version}" in note
    assert f"model {rich_model().version}" in note  # as its alerts say
    assert note.endswith("name those in force then with --policy and --model")


def test_by_the_policy_and_model_in_force_then_files_and_events_show_the_same_without_a_note(
    shop, model_file
):
    from_files = ("--profiles", shop["profiles"], "--alerts", shop["alerts"], "--model", model_file)
    right = explain("c", "--events", shop["events"], "--model", model_file)

    shown = explain("c", *from_files)

    assert shown.stdout == right.stdout
    assert shown.stderr == ""


def test_in_json_the_note_is_a_field(shop):
    found = json.loads(explain("c", "--profiles", shop["profiles"], "--json").stdout)

    assert [note for note in found["notes"] if "stored judgement" in note]


@pytest.mark.parametrize("customer", ["c", "d"])
def test_files_events_and_topics_give_the_same_date_and_the_same_words(
    shop, model_file, customer, mock_broker, monkeypatch
):
    producer = Producer({"bootstrap.servers": mock_broker.bootstrap, "partitioner": "murmur2_random"})
    for line in shop["profiles"].read_bytes().splitlines():
        profile = msgspec.json.decode(line, type=Profile)
        row = msgspec.json.encode(StoredRow(profile=profile))
        producer.produce("customers.profiles.v1", row, profile.customer)
    for line in shop["alerts"].read_bytes().splitlines():
        producer.produce("customers.alerts.v1", line, json.loads(line)["subject"])
    assert producer.flush(30) == 0
    monkeypatch.setenv("STREAM_BROKERS", mock_broker.bootstrap)
    monkeypatch.setenv("STREAM_MODEL", str(model_file))
    files = ("--profiles", shop["profiles"], "--alerts", shop["alerts"], "--model", model_file)

    shown = [
        explain(customer, "--events", shop["events"], "--model", model_file).stdout,
        explain(customer, *files).stdout,
        explain(customer, "--from-kafka").stdout,  # by STREAM_MODEL, as the worker
    ]

    assert shown[0] == shown[1] == shown[2]
    assert f"{customer}, as of " in shown[0]


def test_from_the_topics_a_published_model_is_the_one_in_force(mock_broker, monkeypatch):
    profile, alerts = lived(
        [bought(number * 7.0, 20_000, event_id=f"p{number}") for number in range(20)],
        Basis(default_policy(), rich_model()),
    )
    published = msgspec.Raw(encode_model(rich_model()))
    producer = Producer({"bootstrap.servers": mock_broker.bootstrap, "partitioner": "murmur2_random"})
    row = StoredRow(applied={"customers.control.v1": 1}, models=[published])
    for partition in range(4):
        producer.produce(
            "published.customers.profiles.v1", msgspec.json.encode(row), MODEL_KEY, partition=partition
        )
    producer.produce("published.customers.profiles.v1", msgspec.json.encode(StoredRow(profile=profile)), b"c")
    for alert in alerts:
        producer.produce("published.customers.alerts.v1", encode_alert(alert), b"c")
    assert producer.flush(30) == 0
    monkeypatch.setenv("STREAM_BROKERS", mock_broker.bootstrap)
    monkeypatch.setenv("STREAM_TOPIC_PREFIX", "published.")

    shown = explain("c", "--from-kafka")

    assert shown.exit_code == 0, shown.output
    assert shown.stderr == ""
    assert tier_in(shown.stdout) == default_policy().ladder.steps[profile.judgement.tier].name


@settings(max_examples=60, deadline=None)
@given(life=mixtures())
def test_a_judgement_is_never_taken_for_that_of_another_basis(life):
    for rules in (basis(), learnt_basis()):
        profile, alerts = lived(in_time_order(life), rules)
        for known in (profile, waited(profile, at(700), rules)[0]):
            assert not judged_otherwise(known, rules)
        assert other_bases(alerts, rules) == []


def test_visits_after_the_judgement_do_not_make_it_that_of_another_basis():
    life = [bought(number * 7.0, event_id=f"v{number}") for number in range(9)]
    profile, _ = lived([*life, visited(60), visited(61)], learnt_basis())

    assert not judged_otherwise(profile, learnt_basis())


def test_another_threshold_of_tiers_or_another_risk_is_noticed():
    life = [bought(number * 7.0, 20_000, event_id=f"t{number}") for number in range(9)]
    profile, _ = lived(life, basis())

    assert judged_otherwise(profile, Basis(default_policy(), rich_model()))
    assert judged_otherwise(profile, learnt_basis())


def test_a_refit_from_profiles_keeps_the_risk_layer_of_stream_model(tmp_path, monkeypatch):
    layered: Model = learnt_basis().model
    (tmp_path / "model.json").write_bytes(encode_model(layered))
    monkeypatch.setenv("STREAM_BROKERS", "kafka:9092")
    monkeypatch.setenv("STREAM_MODEL", str(tmp_path / "model.json"))
    profiles: dict[str, Any] = {
        f"c{number}": lived([bought(number, customer=f"c{number}")], basis())[0] for number in range(9)
    }
    monkeypatch.setattr("stream.ops.topic_profiles.topic_profiles", lambda meaning: (profiles, None))

    assert refit_to_profiles(FitOptions("f", "profiles", Horizon()), default_policy()).risk == layered.risk


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 3}, "version 3, and this program knows versions up to 2"),
        ({"version": 3, "buying": []}, "version 3, and this program knows versions up to 2"),
        ({"meaning": "0a1b2c3d"}, "another `zone` ([business]), `currency` or `rates`"),
    ],
    ids=["a later version", "a later version of another shape", "another meaning"],
)
def test_a_stored_profile_that_this_policy_or_program_cannot_show_is_refused_in_one_line(
    tmp_path, changes, reason
):
    profile, _ = lived([bought(1)], basis())
    stored = msgspec.json.decode(msgspec.json.encode(profile)) | changes
    (tmp_path / "profiles.jsonl").write_bytes(msgspec.json.encode(stored) + b"\n")

    shown = explain("c", "--profiles", tmp_path / "profiles.jsonl")

    assert shown.exit_code == 2
    assert reason in " ".join(shown.output.split())
    assert "Traceback" not in shown.output


def test_a_profile_of_version_1_is_shown_as_one_of_today(tmp_path):
    profile, _ = lived([bought(1), bought(40)], basis())
    stored = msgspec.json.decode(msgspec.json.encode(profile))
    del stored["version"]
    (tmp_path / "old.jsonl").write_bytes(msgspec.json.encode(stored) + b"\n")
    (tmp_path / "new.jsonl").write_bytes(msgspec.json.encode(profile) + b"\n")

    old, new = (
        explain("c", "--profiles", tmp_path / "old.jsonl"),
        explain("c", "--profiles", tmp_path / "new.jsonl"),
    )

    assert (old.exit_code, old.output) == (0, new.output)
