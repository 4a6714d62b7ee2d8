"""Each process and command works with the rights of its user, and a broker refuses that user everything else.

One real Kafka with ACLs; everybody logs in by SCRAM over TLS, by an access token, or by a client certificate.
"""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AclOperation, AdminClient

from stream.commands.main import main
from stream.config.environment import load_settings
from stream.kafka_login import token_source
from stream.wire import encode_event
from stream.worker.kafka.connection import librdkafka_settings
from stream.worker.kafka.rights import User, rights_of
from stream.worker.kafka.topics import ROLES, topic_names
from tests.support.builders import bought
from tests.support.deliver_process import wait_until
from tests.support.kafka_broker import free_port
from tests.support.secure_kafka import PASSWORD, SecureKafka
from tests.support.token_endpoint import CLIENT_SECRET, TokenEndpoint, token_endpoint

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]
SIGNING = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
IMPLIED = {"READ": "DESCRIBE", "WRITE": "DESCRIBE", "DELETE": "DESCRIBE", "ALTER_CONFIGS": "DESCRIBE_CONFIGS"}
"""What Kafka's authorizer takes a right to include (KIP-11)."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[TokenEndpoint]:
    with token_endpoint() as running:
        yield running


class SecureShop:
    """Topics and users of one test; each user has the rights of the table."""

    def __init__(self, kafka: SecureKafka, prefix: str, endpoint: TokenEndpoint, folder: Path) -> None:
        self.kafka, self.prefix, self.endpoint, self.folder = kafka, prefix, endpoint, folder
        for user in get_args(User):
            kafka.add_user(f"{user}-{prefix}")
            kafka.give(f"{user}-{prefix}", rights_of(user, load_settings(self.named())))
        (folder / "password").write_text(PASSWORD + "\n")
        (folder / "client-secret").write_text(CLIENT_SECRET + "\n")

    def named(self) -> dict[str, str]:
        return {"STREAM_TOPIC_PREFIX": f"{self.prefix}.", "STREAM_APP_ID": self.prefix}

    def settings(self, user: User, login: str = "SCRAM", **more: str) -> dict[str, str]:
        """The environment of a process of this user; its secrets are in files."""
        given = {
            **self.named(),
            "STREAM_BROKERS": self.kafka.address(login),
            "STREAM_PARTITIONS": "2",
            "STREAM_REPLICATION": "1",
            "STREAM_HTTP_PORT": "0",
            "STREAM_LOG_FORMAT": "json",
            "STREAM_SECURITY": "SSL" if login == "MUTUAL" else "SASL_SSL",
            "STREAM_SSL_CA_FILE": self.kafka.file("ca.pem"),
            **more,
        }
        if login == "SCRAM":
            given["STREAM_SASL_USERNAME"] = f"{user}-{self.prefix}"
            given["STREAM_SASL_PASSWORD_FILE"] = str(self.folder / "password")
        elif login == "OAUTH":
            given |= {
                "STREAM_SASL_MECHANISM": "OAUTHBEARER",
                "STREAM_OAUTH_TOKEN_URL": self.endpoint.url,
                "STREAM_OAUTH_CLIENT_ID": f"{user}-{self.prefix}",
                "STREAM_OAUTH_CLIENT_SECRET_FILE": str(self.folder / "client-secret"),
            }
        else:
            given["STREAM_SSL_CERT_FILE"] = self.kafka.file("worker.pem")
            given["STREAM_SSL_KEY_FILE"] = self.kafka.file("worker.key")
        return given

    def run(self, user: User, *words: str, login: str = "SCRAM", code: int = 0) -> str:
        """The output of a command of this user."""
        token_source.cache_clear()  # a new process
        shown = CliRunner().invoke(main, words, env=self.settings(user, login))
        assert shown.exit_code == code, (words, shown.output, shown.exception)
        return shown.output

    @contextmanager
    def process(self, settings: dict[str, str], *words: str) -> Iterator[Path]:
        """The log of a process that runs until the block ends, and then stops by itself."""
        log = self.folder / f"{words[0]}.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_")}
        command = [sys.executable, "-m", "stream", *words]
        with (
            log.open("wb") as output,
            subprocess.Popen(command, env={**kept, **settings}, stdout=output, stderr=output) as process,
        ):
            try:
                yield log
                assert process.poll() is None, log.read_text()
                process.terminate()
                assert process.wait(60) == 0, log.read_text()
            finally:
                process.kill()
        assert PASSWORD not in log.read_text()
        assert CLIENT_SECRET not in log.read_text()

    def send(self, login: str = "SCRAM", count: int = 3) -> None:
        events = [bought(0, customer=f"c-{number}") for number in range(count)]
        (self.folder / "events.jsonl").write_bytes(b"\n".join(map(encode_event, events)) + b"\n")
        assert f"{count} " in self.run("producer", "send", str(self.folder / "events.jsonl"), login=login)

    def endpoints(self) -> None:
        """Write the file of a receiver that does not exist."""
        lines = "[endpoints.crm]", 'url = "https://crm.example/"', 'secret_env = "SECRET"'
        (self.folder / "endpoints.toml").write_text("\n".join(lines))

    def profiles(self) -> int:
        """Rows in the profiles topic, as whoever may see all."""
        name = topic_names(load_settings(self.named())).profiles
        consumer = Consumer({"bootstrap.servers": self.kafka.bootstrap, "group.id": "nobody"})
        try:
            return sum(
                consumer.get_watermark_offsets(TopicPartition(name, number), 10)[1] for number in range(2)
            )
        finally:
            consumer.close()


def answer(url: str) -> str:
    """The text of a page; empty where none answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            text: str = reply.read().decode()
    except OSError:
        return ""
    return text


@pytest.fixture
def shop(secure, prefix, endpoint, tmp_path) -> SecureShop:
    return SecureShop(secure, prefix, endpoint, tmp_path)


def test_everybody_works_with_the_rights_of_the_table(shop):
    """Events become profiles, and every command that asks Kafka does its work."""
    shop.run("operator", "topics", "apply")
    shop.send()
    shop.endpoints()
    with shop.process(shop.settings("worker"), "worker") as log:
        wait_until(lambda: "lanes are open" in log.read_text() and shop.profiles() >= 3, log)
        shop.run("operator", "topics", "check")
        assert "c-1" in shop.run("operator", "explain", "c-1", "--from-kafka")
        assert "worker" in shop.run("operator", "doctor")
        shop.run("operator", "dlq", "list")
        shop.run("operator", "dlq", "redrive", "--all")
        shop.run("operator", "replay", "--from-kafka")
        shop.run("operator", "export", "c-1")
        shop.run("operator", "erase", "c-2", "--dry-run")
    port = str(free_port())
    more = {
        "SECRET": SIGNING,
        "STREAM_DELIVER_QUEUE": str(shop.folder / "queue.db"),
        "STREAM_DELIVER_HTTP_PORT": port,
    }
    words = ("deliver", "run", "--endpoints", str(shop.folder / "endpoints.toml"))
    with shop.process(shop.settings("deliver", **more), *words) as log:
        wait_until(lambda: '"ok": true' in answer(f"http://127.0.0.1:{port}/readyz"), log)
    with shop.process(shop.settings("dashboard"), "dashboard", "--port", "0") as log:
        wait_until(lambda: "The dashboard is at" in log.read_text(), log)
        url = log.read_text().split("The dashboard is at ")[1].split()[0].rstrip("/")
        wait_until(lambda: "c-1" in answer(f"{url}/customers"), log)


@pytest.mark.parametrize(("words", "code"), [(["dashboard", "--port", "0"], 1), (["deliver", "run"], 78)])
def test_a_topic_that_a_process_may_not_even_see_is_not_called_missing(shop, words, code, monkeypatch):
    shop.run("operator", "topics", "apply")
    shop.endpoints()
    files = {"ENDPOINTS": "endpoints.toml", "QUEUE": "queue.db"}
    for name, file in files.items():
        monkeypatch.setenv(f"STREAM_DELIVER_{name}", str(shop.folder / file))
    monkeypatch.setenv("SECRET", SIGNING)

    shown = shop.run("producer", *words, code=code)

    assert "an ACL for this user is missing" in shown
    assert "no such topic" not in shown
    assert "Traceback" not in shown


def test_a_client_certificate_is_a_login_for_processes_and_commands(shop):
    """The broker takes its name from the certificate: one user with the rights of all."""
    for user in get_args(User):
        shop.kafka.give("worker", rights_of(user, load_settings(shop.named())))
    shop.run("operator", "topics", "apply", login="MUTUAL")
    shop.send("MUTUAL")

    with shop.process(shop.settings("worker", "MUTUAL"), "worker") as log:
        wait_until(lambda: "lanes are open" in log.read_text() and shop.profiles() >= 3, log)
        assert "c-1" in shop.run("operator", "explain", "c-1", "--from-kafka", login="MUTUAL")


def test_without_the_certificate_the_cause_is_told(shop):
    given = shop.settings("operator", "MUTUAL")
    del given["STREAM_SSL_CERT_FILE"], given["STREAM_SSL_KEY_FILE"]

    shown = CliRunner().invoke(main, ["topics", "check"], env=given)

    assert shown.exit_code == 1
    assert "the broker wants a client certificate" in shown.output


@pytest.mark.parametrize("user", get_args(User))
def test_the_broker_grants_a_user_what_the_table_says_and_nothing_else(shop, user):
    shop.run("operator", "topics", "apply")
    names = topic_names(load_settings(shop.named()))
    wanted: dict[str, set[str]] = {getattr(names, role): set() for role in ROLES}
    for acl in rights_of(user, load_settings(shop.named())):
        if acl.kind == "topic" and acl.name in wanted:
            wanted[acl.name] |= {
                *acl.operations,
                *(IMPLIED[each] for each in acl.operations if each in IMPLIED),
            }
    admin = AdminClient(librdkafka_settings(load_settings(shop.settings(user))))

    answers = admin.describe_topics(TopicCollection(list(wanted)), include_authorized_operations=True)
    granted = {}
    for name, answer in answers.items():
        failed = answer.exception(30)
        granted[name] = (
            set() if failed else {AclOperation(each).name for each in answer.result().authorized_operations}
        )

    assert granted == wanted


@pytest.mark.parametrize("user", ["deliver", "dashboard", "producer"])
def test_who_may_not_write_profiles_cannot(shop, user):
    shop.run("operator", "topics", "apply")
    refused = []
    producer = Producer({**librdkafka_settings(load_settings(shop.settings(user))), "log_level": 0})
    producer.produce(
        topic_names(load_settings(shop.named())).profiles, b"x", b"k", partition=0,
        on_delivery=lambda error, _: refused.append(error.name()),
    )  # fmt: skip
    producer.flush(30)

    assert refused == ["TOPIC_AUTHORIZATION_FAILED"]


def test_a_worker_outlives_its_tokens(shop):
    """Tokens of 10 seconds: the broker closes connections whose token has ended (KIP-368), twice and more."""
    shop.run("operator", "topics", "apply")
    shop.send()
    shop.endpoint.lives_s = 10
    try:
        with shop.process(shop.settings("worker", "OAUTH"), "worker") as log:
            wait_until(lambda: "lanes are open" in log.read_text() and shop.profiles() >= 3, log)
            asked, had = len(shop.endpoint.asked), shop.profiles()
            wait_until(lambda: len(shop.endpoint.asked) >= asked + 2, "new tokens")
            shop.send("OAUTH", count=5)
            wait_until(lambda: shop.profiles() > had, "events after tokens ended")
            assert "Traceback" not in log.read_text()
            for words in (["doctor"], ["explain", "c-1", "--from-kafka"], ["replay", "--from-kafka"]):
                shop.run("operator", *words, login="OAUTH")
    finally:
        shop.endpoint.lives_s = 3_600


def test_tokens_that_the_broker_does_not_take_are_told_in_one_line(shop):
    shop.endpoint.more = {"access_token": "no.token.at-all"}
    try:
        (line,) = shop.run("operator", "topics", "check", login="OAUTH", code=1).splitlines()
    finally:
        shop.endpoint.more = {}

    assert f"the broker refuses the token of {shop.endpoint.url}" in line
