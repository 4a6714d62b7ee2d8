"""Every hardship of a receiver, over real sockets, by a clock that the test moves: each alert ends once.

For an hour the receiver misbehaves, then it is well. What can be accepted is accepted, under one id each; an
attempt is made again only where no whole answer was read.
"""

import socket
import ssl
import subprocess
from collections import Counter
from ipaddress import ip_network
from typing import Any

import msgspec
import pytest
from aiohttp.abc import AbstractResolver

from stream.core.units import DAY_MS, HOUR_MS
from stream.deliver.plan.verdict import Answer
from stream.deliver.send.client import Client
from tests.support.alert_bodies import NOW_MS, alert_body, ids_of
from tests.support.deliver_world import OK, World
from tests.support.raw_receiver import RawReceiver, answers, endless, silent, whole

LOOPBACK = (ip_network("127.0.0.0/8"),)
BODIES = [alert_body(f"c{number}") for number in range(5)]
CUT = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", close=True)


class NoNames(AbstractResolver):
    """A name service that is down."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        raise OSError("Temporary failure in name resolution")

    async def close(self):
        pass


class HardWorld(World):
    """A world whose attempts go over the network, for an hour to another address."""

    def __init__(self, folder, well: str, bad: dict[str, Any], resolver: AbstractResolver | None) -> None:
        self.answers: list[tuple[bool, Answer]] = []
        """Of each attempt: whether it was within the hour, and what came of it."""
        self.reached: list[str] = []
        """Webhook-ids that came to the receiver within the hour."""
        self.well: list[str] = []
        """Those that came afterwards."""
        self._bad, self._resolver = bad, resolver
        self._good = {"url": well, "networks": LOOPBACK}
        super().__init__(folder, lambda _: OK)

    async def _post(self, target, claim, at_ms):
        is_bad = at_ms < NOW_MS + HOUR_MS
        there = msgspec.structs.replace(target, **(self._bad if is_bad else self._good))
        async with Client(there, self._resolver if is_bad else None) as client:
            answer = await client.post(claim.alert.alert_id, claim.body, at_ms)
        self.answers.append((is_bad, answer))
        return answer


async def lived_through(folder, script, server_tls=None, resolver=None, **bad) -> HardWorld:
    """A world after ten days whose receiver misbehaves for the first hour."""
    async with RawReceiver(script, server_tls) as hard, RawReceiver(whole(204)) as well:
        address = {"url": hard.url, "networks": LOOPBACK, "timeout_s": 0.5}
        world = HardWorld(folder, well.url, address | bad, resolver)
        await world.send(*BODIES)
        await world.run_for(10 * DAY_MS)
        world.reached = [headers["webhook-id"] for headers, _ in hard.requests]
        world.well = [headers["webhook-id"] for headers, _ in well.requests]
        return world


def expired_certificate(folder) -> ssl.SSLContext:
    words = [
        ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k.pem", "-out",
         "r.csr", "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1"],
        ["x509", "-req", "-in", "r.csr", "-signkey", "k.pem", "-days", "-1", "-copy_extensions", "copy",
         "-out", "c.pem"],
    ]  # fmt: skip
    for each in words:
        made = subprocess.run(["openssl", *each], cwd=folder, capture_output=True, check=False)
        if made.returncode != 0:
            pytest.skip("openssl is not there, or too old to make a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "c.pem", folder / "k.pem")
    return context


def assert_each_ended_once(world: HardWorld, outcome: str) -> None:
    assert world.ends() == [outcome] * len(BODIES)
    assert sum(world.outcomes.values()) == len(BODIES)
    reports = Counter(each.data.alert_id for each in world.report())
    assert reports == Counter(ids_of(BODIES)), "one record of each on the deliveries topic"


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        (whole(500), "status"),
        (whole(307, b"", "Location: http://127.0.0.1/"), "redirect"),
        (whole(429, b"", "Retry-After: 7200"), "status"),
        (CUT, "cut"),
        (silent, "timeout"),
        (answers(b"", close=True), "connect"),
        (answers(b"SSH-2.0-OpenSSH_9.2\r\n", close=True), "invalid"),
    ],
    ids=["500", "redirect", "429", "cut in mid-answer", "slow", "no answer", "no HTTP"],
)
async def test_a_receiver_that_misbehaves_for_an_hour_gets_every_alert_afterwards(script, failure, tmp_path):
    world = await lived_through(tmp_path, script)

    assert_each_ended_once(world, "accepted")
    assert {answer.failure for is_bad, answer in world.answers if is_bad} == {failure}
    assert sorted(world.well) == sorted(ids_of(BODIES)), "once each"


async def test_a_429_with_retry_after_of_two_hours_is_left_alone_for_so_long(tmp_path):
    world = await lived_through(tmp_path, whole(429, b"", "Retry-After: 7200"))

    assert len(world.reached) == len(BODIES)


async def test_an_answer_of_50_mb_is_accepted_once_and_not_read(tmp_path):
    world = await lived_through(tmp_path, endless, timeout_s=15.0)

    assert_each_ended_once(world, "accepted")
    assert sorted(world.reached) == sorted(ids_of(BODIES)), "once each"
    assert world.well == []


async def test_a_name_that_is_not_found_for_an_hour_is_asked_again(tmp_path):
    world = await lived_through(tmp_path, whole(204), resolver=NoNames(), url="http://crm.example/hook")

    assert_each_ended_once(world, "accepted")
    assert {answer.failure for is_bad, answer in world.answers if is_bad} == {"dns"}
    assert world.reached == []


async def test_a_certificate_that_has_expired_gets_nothing_until_it_is_replaced(tmp_path):
    server_tls = expired_certificate(tmp_path)
    own = ssl.create_default_context(cafile=tmp_path / "c.pem")
    world = await lived_through(tmp_path, whole(204), server_tls, tls=own)
    failed = [answer for is_bad, answer in world.answers if is_bad]

    assert_each_ended_once(world, "accepted")
    assert world.reached == []
    assert {answer.failure for answer in failed} == {"tls"}
    assert all("expired" in answer.detail for answer in failed)


async def test_a_410_ends_every_alert_as_disabled(tmp_path):
    world = await lived_through(tmp_path, whole(410))

    assert_each_ended_once(world, "disabled")
    assert world.well == []
