"""`stream explain`: the same customer from events, from a replay's files and from the topics."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer

from stream.commands.main import main
from stream.engine.state.epoch import EPOCH_HEADER
from stream.wire import encode_alert, encode_event
from stream.worker.rows.row import StoredRow
from tests.support.builders import at, basis, bought, reviewed
from tests.support.laws import lived, waited


def life(customer: str = "c", minor: int = 20_000) -> list:
    return [
        bought(number * 7.0, minor, event_id=f"{customer}{number}", customer=customer) for number in range(20)
    ]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A customer who falls silent, and another one, ten times as rich, who does not until much later."""
    file = tmp_path / "events.jsonl"
    unhappy = reviewed(133.5, 1, "The delivery was LATE", event_id="v")
    later = bought(250, 1, event_id="later", customer="cc")
    everything = [*life(), *life("cc", 200_000), unhappy, later]
    file.write_bytes(b"\n".join(encode_event(event) for event in everything) + b"\n\nno event\n")
    return file


def explain(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, words)])


def test_a_customer_is_explained_as_of_their_last_event_or_judgement_or_as_of_any_time(events):
    assert explain("c", "--events", events).stdout.startswith("c, as of 26 August 2024\n\nWho\n")

    result = explain("c", "--events", events, "--at", "2024-09-07")

    assert result.exit_code == 0
    assert result.stdout.startswith("c, as of 7 September 2024\n\nWho\n")
    assert (
        "20 orders on 20 days since 1 January 2024; the last one 4 months ago, on 13 May 2024."
        in result.output
    )
    assert "Why: usually buys every 7 days, has bought nothing for" in result.output
    assert "$20,000" not in result.output  # the other customer's
    assert "LATE" not in result.output


def test_as_of_an_earlier_time_later_events_do_not_count(events):
    result = explain("c", "--events", events, "--at", "2024-03-01T12:00")

    assert "c, as of 1 March 2024" in result.output
    assert "9 orders on 9 days" in result.output
    assert "\nAlerts\n" not in result.output


def test_the_files_of_a_replay_give_the_same(events, tmp_path):
    profiles, alerts = tmp_path / "profiles.jsonl", tmp_path / "alerts.jsonl"
    CliRunner().invoke(main, ["replay", str(events), "--profiles", str(profiles), "--alerts", str(alerts)])
    from_events = json.loads(explain("c", "--json", "--at", "2024-09-07", "--events", events).stdout)

    result = explain("c", "--json", "--at", "2024-09-07", "--profiles", profiles, "--alerts", alerts)

    fields_of_events = ("now", "in_future", "refused_lines")
    assert json.loads(result.stdout) == {k: v for k, v in from_events.items() if k not in fields_of_events}
    assert from_events["as_of"] == "2024-09-07T00:00:00.000Z"
    assert from_events["alerts"][0]["type"] == "at_risk_loyal.raised"


def test_a_finished_profile_cannot_go_back_in_time(events, tmp_path):
    profiles = tmp_path / "profiles.jsonl"
    CliRunner().invoke(main, ["replay", str(events), "--profiles", str(profiles)])

    result = explain("c", "--profiles", profiles, "--at", "2024-02-01")

    assert result.exit_code == 2
    assert "--events can go back in time" in result.output


def test_the_topics_give_the_profile_that_was_written(mock_broker, monkeypatch):
    profile, alerts = lived(life(), basis())
    profile, more = waited(profile, at(200), basis())
    producer = Producer({"bootstrap.servers": mock_broker.bootstrap, "partitioner": "murmur2_random"})
    for epoch, row in (
        (b"1", StoredRow()),
        (b"2", StoredRow(profile=profile, applied={"x": 1})),
        (b"1", StoredRow()),
    ):
        # the third was written by a replaced worker behind its successor: void (docs/decisions/0007)
        producer.produce(
            "customers.profiles.v1", msgspec.json.encode(row), b"c", headers={EPOCH_HEADER: epoch}
        )
    for alert in [*alerts, *more, *more]:  # a resend is harmless
        producer.produce("customers.alerts.v1", encode_alert(alert), b"c")
    assert producer.flush(30) == 0
    monkeypatch.setenv("STREAM_BROKERS", mock_broker.bootstrap)

    result = explain("c", "--from-kafka", "--json")

    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["profile"] == json.loads(msgspec.json.encode(profile))
    assert [each["id"] for each in found["alerts"]] == [alert.id for alert in [*alerts, *more]]
    assert explain("nobody", "--from-kafka").exit_code == 1


def test_an_unknown_customer_is_a_finding(events):
    result = explain("nobody", "--events", events, "--at", "2024-03-01")

    assert result.exit_code == 1
    assert result.stderr.endswith("nothing is known of 'nobody' before 1 March 2024\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name one source"),
        (("--events", "EVENTS", "--from-kafka"), "name one source"),
        (("--events", "EVENTS", "--at", "yesterday"), "'yesterday' is no time; allowed: 2017-09-01"),
        (("--profiles", "EVENTS"), "events.jsonl:1: not what"),
        (("--events", "nowhere.jsonl"), "does not exist"),
    ],
)
def test_bad_usage_is_refused_with_a_message(events, words, message):
    result = explain("c", *(str(events) if word == "EVENTS" else word for word in words))

    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize("customer", ["josé", "a/b", "😀", "100 %", 'say "hi"', "back\\slash"])
def test_a_customer_is_found_however_the_writer_of_the_events_escaped_the_id(tmp_path, customer):
    plain = [encode_event(event).decode() for event in life(customer)]
    escaped = [json.dumps(json.loads(line)).replace("/", "\\/") for line in plain]
    for name, lines in (("plain", plain), ("escaped", escaped)):
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")

    result, plainly = (explain(customer, "--events", tmp_path / name) for name in ("escaped", "plain"))

    assert result.exit_code == 0
    assert result.stdout == plainly.stdout


def test_a_line_of_an_impossible_year_does_not_move_the_clock(events):
    plain = explain("c", "--events", events).stdout
    with events.open("ab") as file:
        file.write(encode_event(bought(1, 1, customer="x")).replace(b"2024-01-02", b"9999-12-31"))

    assert explain("c", "--events", events).stdout == plain


def test_a_time_that_no_event_can_have_is_refused(events):
    result = explain("c", "--events", events, "--at", "2150-01-01")

    assert result.exit_code == 2
    assert "'2150-01-01': years go from 1990 to 2099" in result.output
