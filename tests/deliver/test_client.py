"""One attempt against a real socket: what is sent, what is read of the answer, and each way to fail."""

import socket
import ssl
import subprocess
import time
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver

from stream.deliver.endpoints.endpoint import Endpoint
from stream.deliver.plan.verdict import Answer
from stream.deliver.send.client import ANSWER_BYTES_MAX, Client
from tests.support.alert_bodies import alert_body
from tests.support.raw_receiver import RawReceiver, answers, dripping, endless, silent, whole

LOOPBACK = (ip_network("127.0.0.0/8"),)
KEY, OLD = b"k" * 24, b"o" * 24
BODY = alert_body("Zoë")


def target(url: str, **more) -> Endpoint:
    settings: dict[str, Any] = {"networks": LOOPBACK, "timeout_s": 5.0} | more
    return Endpoint(name="crm", url=url, key=KEY, **settings)


async def post(endpoint: Endpoint, resolver=None) -> Answer:
    async with Client(endpoint, resolver) as client:
        return await client.post("id-1", BODY, int(time.time() * 1_000))


async def answer_of(script, **more) -> Answer:
    async with RawReceiver(script) as receiver:
        return await post(target(receiver.url, **more))


class Names(AbstractResolver):
    """A name service: each look-up gives the next of these answers."""

    def __init__(self, *answers: list[str] | OSError) -> None:
        self.answers = list(answers)

    async def resolve(self, host, port=0, family=socket.AF_INET):
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return [
            {
                "hostname": host,
                "host": each,
                "port": port,
                "family": socket.AF_INET6 if ":" in each else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for each in answer
        ]

    async def close(self):
        pass


async def test_the_body_is_sent_as_it_is_and_signed_with_each_key():
    library = pytest.importorskip("standardwebhooks", reason="the oracle is not installed: make setup")
    import base64

    async with RawReceiver(whole(204)) as receiver:
        until = int(time.time() * 1_000) + 60_000
        answer = await post(target(receiver.url, previous_key=OLD, previous_until_ms=until))
        ((headers, body),) = receiver.requests

    assert answer.accepted
    assert body == BODY
    assert headers["webhook-id"] == "id-1"
    assert headers["content-type"] == "application/json"
    for key in (KEY, OLD):
        library.Webhook("whsec_" + base64.b64encode(key).decode()).verify(body, headers)


async def test_connections_are_kept_between_attempts():
    async with RawReceiver(whole(200, b"ok")) as receiver, Client(target(receiver.url)) as client:
        for _ in range(3):
            assert (await client.post("id", BODY, 0)).accepted

        assert len(receiver.requests) == 3


@pytest.mark.parametrize(
    ("script", "failure", "status"),
    [
        (whole(200, b"ok"), None, 200),
        (whole(204), None, 204),
        (endless, None, 200),
        (whole(500, b"oops"), "status", 500),
        (whole(410), "status", 410),
        (whole(302, b"", "Location: http://169.254.169.254/"), "redirect", 302),
        (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", close=True), "cut", 0),
        (answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal", close=True), "cut", 0),
        (answers(b"", close=True), "connect", 0),
        (answers(b"SSH-2.0-OpenSSH_9.2\r\n", close=True), "invalid", 0),
        (answers(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n"), "invalid", 0),
        (silent, "timeout", 0),
        (dripping, "timeout", 0),
    ],
)
async def test_what_an_answer_means(script, failure, status):
    answer = await answer_of(script, timeout_s=1.0)

    assert (answer.failure, answer.status) == (failure, status)
    assert answer.detail
    assert answer.accepted == (failure is None)


async def test_of_a_fat_answer_only_the_beginning_is_kept_and_the_rest_is_not_read():
    answer = await answer_of(endless)

    assert answer.accepted
    assert len(answer.excerpt) <= 200 < ANSWER_BYTES_MAX


async def test_a_compressed_bomb_stays_compressed():
    import gzip

    bomb = gzip.compress(b"\0" * 50_000_000)
    answer = await answer_of(whole(200, bomb, "Content-Encoding: gzip"))

    assert answer.accepted


async def test_what_an_endpoint_writes_cannot_reach_a_terminal():
    answer = await answer_of(whole(500, b"\x1b[2Jgone\r\n\x07"))

    assert "\x1b" not in answer.detail + answer.excerpt
    assert "gone" in answer.detail


async def test_a_retry_after_is_passed_on():
    assert (await answer_of(whole(429, b"", "Retry-After: 7200"))).retry_after == "7200"


async def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    assert (await post(target(f"http://127.0.0.1:{port}/"))).failure == "connect"


async def test_a_name_that_is_not_found_is_a_failure_like_any_other():
    answer = await post(target("http://crm.example/"), Names(OSError("Name or service not known")))

    assert answer.failure == "dns"
    assert "Name or service not known" in answer.detail


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0177.0.0.1", "0x7f000001"),
        *("127.1", "localhost", "[64:ff9b::7f00:1]", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1"),
    ],
)
async def test_no_address_that_is_not_public_is_reached_in_whatever_form_it_is_written(host):
    async with RawReceiver(whole(200)) as receiver:
        answer = await post(target(f"http://{host}:{receiver.port}/", networks=(), timeout_s=3.0))

        assert receiver.requests == []
    assert answer.failure == "address" or "InvalidUrl" in answer.detail, answer


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], ["10.0.0.1"]]
)
async def test_a_name_with_an_address_that_is_not_public_is_not_reached(found):
    async with RawReceiver(whole(200)) as receiver:
        answer = await post(target(f"http://crm.example:{receiver.port}/", networks=()), Names(found))

        assert receiver.requests == []
    assert answer.failure == "address"
    assert "crm.example is" in answer.detail


async def test_a_name_that_changes_between_two_look_ups_is_judged_by_the_one_that_is_used():
    names = Names(["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"])
    async with RawReceiver(whole(200)) as receiver:
        url = f"http://crm.example:{receiver.port}/"
        first = await post(target(url), names)
        names.answers.pop(0)
        second = await post(target(url, timeout_s=2.0), names)

    assert first.accepted
    assert second.failure == "address"


async def test_a_redirect_to_an_allowed_address_is_not_followed_either():
    async with RawReceiver(whole(200)) as other:
        answer = await answer_of(whole(307, b"", f"Location: {other.url}"))

        assert other.requests == []
    assert answer.failure == "redirect"


def certificate(folder, days: int, names: str = "IP:127.0.0.1") -> ssl.SSLContext:
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", "k.pem", "-out", "c.pem", "-subj", "/CN=receiver", "-days", str(days),
         "-addext", f"subjectAltName={names}"],
        cwd=folder, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        pytest.skip("openssl is not there, or too old to make a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "c.pem", folder / "k.pem")
    return context


async def test_a_certificate_of_its_own_authority_is_trusted_when_the_file_says_so(tmp_path):
    async with RawReceiver(whole(200), certificate(tmp_path, 1)) as receiver:
        own = ssl.create_default_context(cafile=tmp_path / "c.pem")
        trusted = await post(target(receiver.url, tls=own))
        strange = await post(target(receiver.url))

    assert trusted.accepted
    assert strange.failure == "tls"
    assert "self-signed" in strange.detail.replace("self signed", "self-signed")


async def test_a_certificate_of_another_host_is_refused(tmp_path):
    async with RawReceiver(whole(200), certificate(tmp_path, 1, "DNS:other.example")) as receiver:
        answer = await post(target(receiver.url, tls=ssl.create_default_context(cafile=tmp_path / "c.pem")))

        assert receiver.requests == []
    assert answer.failure == "tls"
