"""Why Kafka does not answer, or refuses: each cause is one line, from the worker and from every command.

One real Kafka with a listener of every kind, certificates that are wrong in each way, and ACLs.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from stream.commands.main import main
from stream.config.environment import load_settings
from stream.importing.files.output.journal import Journal
from stream.importing.files.output.kafka import SendError, send_to_kafka
from stream.worker.kafka.topics import ROLES, topic_names
from tests.support.kafka_broker import create_topics
from tests.support.kafka_shop import repaired_event
from tests.support.secure_kafka import PASSWORD, USER, SecureKafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]
TLS, SCRAM = {"STREAM_SECURITY": "SSL"}, {"STREAM_SECURITY": "SASL_SSL"}
MODEL = Path(__file__).parents[2] / "stream" / "data" / "model.default.json"
LOGIN = {"STREAM_SASL_USERNAME": USER, "STREAM_SASL_PASSWORD": PASSWORD}
CAUSES: dict[str, tuple[str, dict[str, str], str]] = {
    "wrong password": ("SCRAM", {**SCRAM, **LOGIN, "STREAM_SASL_PASSWORD": "no"}, "refuses the login"),
    "unknown user": ("SCRAM", {**SCRAM, **LOGIN, "STREAM_SASL_USERNAME": "no"}, "refuses the login"),
    "wrong mechanism": (
        "SCRAM",
        {**SCRAM, **LOGIN, "STREAM_SASL_MECHANISM": "PLAIN"},
        "STREAM_SASL_MECHANISM = PLAIN; it takes SCRAM-SHA-512",
    ),
    "unknown authority": (
        "TLS",
        {**TLS, "STREAM_SSL_CA_FILE": "stranger.pem"},
        "an authority that is not in",
    ),
    "expired certificate": ("EXPIRED", TLS, "certificate has expired"),
    "other host": ("OTHER", TLS, "certificate is for another host than 127.0.0.1"),
    "TLS, plain listener": ("PLAINTEXT", TLS, "this listener speaks no TLS"),
    "plain, TLS listener": ("TLS", {}, "this listener speaks TLS"),
    "login, plain listener": (
        "PLAINTEXT",
        {**LOGIN, "STREAM_SECURITY": "SASL_PLAINTEXT"},
        "takes no login",
    ),
    "login, TLS listener": ("TLS", {**SCRAM, **LOGIN}, "takes no login"),
    "plain, login listener": ("SCRAMPLAIN", {}, "wants a login (SCRAM-SHA-512)"),
    "TLS, login listener": ("SCRAM", TLS, "wants a login (SCRAM-SHA-512)"),
}
COMMANDS = [
    ["doctor"],
    ["topics", "check"],
    ["topics", "apply"],
    ["dlq", "list"],
    ["dlq", "redrive", "--all"],
    ["explain", "somebody", "--from-kafka"],
    ["replay", "--from-kafka"],
    ["fit", "--from-kafka", "--out", "OUT"],
    ["fit", "--from-profiles", "--out", "OUT"],
    ["fit", "publish", "MODEL"],
    ["send", "EVENTS"],
]


def environment(kafka: SecureKafka, prefix: str, listener: str, more: dict[str, str]) -> dict[str, str]:
    address = kafka.bootstrap if listener == "PLAINTEXT" else kafka.address(listener)
    own = {
        "STREAM_BROKERS": address,
        "STREAM_TOPIC_PREFIX": f"{prefix}.",
        "STREAM_APP_ID": prefix,
        "STREAM_PARTITIONS": "2",
        "STREAM_REPLICATION": "1",
        "STREAM_HTTP_PORT": "0",
        "STREAM_LOG_FORMAT": "json",
        "STREAM_SESSION_TIMEOUT_S": "6",
        **more,
    }
    if "SSL" in own.get("STREAM_SECURITY", ""):
        own["STREAM_SSL_CA_FILE"] = kafka.file(more.get("STREAM_SSL_CA_FILE", "ca.pem"))
    return own


def run_worker(settings: dict[str, str], log: Path, until: str = "") -> tuple[int, str]:
    """Exit code and log of a worker; one that says `until` is stopped."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "stream", "worker"], env={**kept, **settings}, stdout=output, stderr=output
        )
    try:
        while until and process.poll() is None and until not in log.read_text():
            time.sleep(0.1)
        if until and process.poll() is None:
            process.terminate()
        return process.wait(90), log.read_text()
    finally:
        process.kill()


@pytest.mark.parametrize("cause", CAUSES)
def test_the_worker_says_the_cause_in_its_last_line(secure, prefix, tmp_path, cause):
    listener, more, expected = CAUSES[cause]

    code, output = run_worker(environment(secure, prefix, listener, more), tmp_path / "log")

    assert code == 2, output
    assert expected in output.splitlines()[-1]
    assert "Traceback" not in output
    assert PASSWORD not in output


@pytest.mark.parametrize("cause", CAUSES)
def test_a_command_says_the_cause_in_one_line(secure, prefix, cause):
    listener, more, expected = CAUSES[cause]

    shown = CliRunner().invoke(main, ["topics", "check"], env=environment(secure, prefix, listener, more))

    assert shown.exit_code == 1
    (line,) = shown.output.splitlines()
    assert expected in line


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_that_connects_says_it(secure, prefix, tmp_path, words):
    listener, more, expected = CAUSES["wrong password"]
    (tmp_path / "events.jsonl").write_text("")
    files = {"EVENTS": str(tmp_path / "events.jsonl"), "MODEL": str(MODEL), "OUT": str(tmp_path / "out")}
    words = [files.get(word, word) for word in words]

    shown = CliRunner().invoke(main, words, env=environment(secure, prefix, listener, more))

    assert shown.exit_code == 1
    assert len([line for line in shown.output.splitlines() if expected in line]) == 1
    assert "Traceback" not in shown.output


def test_an_import_into_kafka_says_it(secure, prefix, tmp_path):
    listener, more, expected = CAUSES["expired certificate"]
    settings = load_settings(environment(secure, prefix, listener, more))

    with pytest.raises(SendError, match=expected):
        send_to_kafka(iter(()), settings, Journal(tmp_path / "journal", "", 0), lambda _: None)


@pytest.fixture
def shop(secure, prefix) -> dict[str, str]:
    """The settings of a user with all rights on topics of its own; `deny` takes one back."""
    settings = environment(secure, prefix, "SCRAM", {**SCRAM, **LOGIN})
    names = topic_names(load_settings(settings))
    create_topics(secure.bootstrap, [getattr(names, role) for role in ROLES], 2)
    for role in ROLES:
        secure.allow("TOPIC", getattr(names, role), "READ", "WRITE")
    secure.allow("GROUP", prefix, "READ")
    for suffix in ("-recovery", "-tools"):
        secure.allow("GROUP", prefix + suffix, "DESCRIBE")
    secure.allow("TRANSACTIONAL_ID", prefix, "WRITE")
    return settings


@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
def test_a_worker_with_these_rights_and_no_others_works(secure, shop, tmp_path, guarantee):
    settings = {**shop, "STREAM_GUARANTEE": guarantee}

    code, output = run_worker(settings, tmp_path / "log", until="lanes are open")

    assert (code, "lanes are open" in output) == (0, True), output


@pytest.mark.parametrize(
    ("kind", "role", "right", "guarantee", "expected"),
    [
        ("GROUP", "", "READ", "at_least_once", "(STREAM_APP_ID): the user has no right to READ"),
        ("GROUP", "-recovery", "DESCRIBE", "at_least_once", "-recovery (STREAM_APP_ID): the user"),
        ("TOPIC", "purchases", "READ", "at_least_once", "purchases.v1: the user has no right to READ"),
        ("TOPIC", "profiles", "READ", "at_least_once", "profiles.v1: the user has no right to READ"),
        ("TOPIC", "profiles", "WRITE", "exactly_once", "profiles.v1: the user has no right to WRITE"),
        ("TOPIC", "alerts", "WRITE", "at_least_once", "alerts.v1: the user has no right to WRITE"),
        ("TOPIC", "deadletter", "WRITE", "at_least_once", "deadletter.v1: the user has no right to WRITE"),
        ("TRANSACTIONAL_ID", "", "WRITE", "exactly_once", "transactional ids that begin with STREAM_APP_ID"),
    ],
)  # fmt: skip
def test_a_missing_right_is_named(secure, shop, prefix, tmp_path, kind, role, right, guarantee, expected):
    name = prefix + role if kind == "GROUP" else getattr(topic_names(load_settings(shop)), role, prefix)
    secure.deny(kind, name, right)

    code, output = run_worker({**shop, "STREAM_GUARANTEE": guarantee}, tmp_path / "log")

    assert code == 2, output
    assert expected in output.splitlines()[-1]
    assert "ACL" in output.splitlines()[-1]


def test_a_topic_that_may_not_even_be_seen_is_not_called_missing(secure, shop, tmp_path):
    names = topic_names(load_settings(shop))
    secure.deny("TOPIC", names.purchases, "READ", "WRITE")
    secure.deny("TOPIC", names.deadletter, "READ", "WRITE")
    (tmp_path / "events.jsonl").write_bytes(repaired_event(1) + b"\n")

    code, output = run_worker(shop, tmp_path / "log")
    assert code == 2
    assert "an ACL for this user is missing" in output.splitlines()[-1]
    for words in (["dlq", "list"], ["send", str(tmp_path / "events.jsonl")], ["replay", "--from-kafka"]):
        shown = CliRunner().invoke(main, words, env=shop)
        assert shown.exit_code == 1, words
        assert "an ACL for this user is missing" in shown.output, (words, shown.output)


def test_a_topic_that_may_only_be_seen_is_told_too(secure, shop, tmp_path):
    names = topic_names(load_settings(shop))
    for role in ("purchases", "deadletter"):
        secure.allow("TOPIC", getattr(names, role), "DESCRIBE")
        secure.deny("TOPIC", getattr(names, role), "READ", "WRITE")
    (tmp_path / "events.jsonl").write_bytes(repaired_event(1) + b"\n")
    secure_put(secure, names.deadletter)
    secure_put(secure, names.purchases)

    for words in (["dlq", "list"], ["send", str(tmp_path / "events.jsonl")], ["replay", "--from-kafka"]):
        shown = CliRunner().invoke(main, words, env=shop)
        assert shown.exit_code == 1, words
        assert "uthorization failed" in shown.output, (words, shown.output)


def secure_put(kafka: SecureKafka, topic: str) -> None:
    client = Producer({"bootstrap.servers": kafka.bootstrap})
    client.produce(topic, b"x", b"k")
    assert client.flush(10) == 0


def test_a_right_that_is_taken_from_a_running_worker_ends_it(secure, shop, prefix, tmp_path):
    """Also in a group that it cannot join any more, nothing waits for ever."""
    log = tmp_path / "log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_")}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "stream", "worker"], env={**kept, **shop}, stdout=output, stderr=output
        ) as process,
    ):
        while "lanes are open" not in log.read_text():
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        secure.deny("GROUP", prefix, "READ")
        try:
            assert process.wait(60) in {71, 75, 78}, log.read_text()
        finally:
            process.kill()

    assert "GroupAuthorizationFailed" in log.read_text().splitlines()[-1]
